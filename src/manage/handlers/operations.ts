/** Acts of operators; the core takes them one at a time and records them. */
import type { Context, Handlers } from "../handler.ts";

export function operationHandlers(
  { control }: Context,
): Pick<Handlers, "reload" | "reconnect" | "closeSession" | "logLevel" | "shutdown"> {
  return {
    reload: ({ act }) => control.reload(act),
    reconnect: ({ params: { name }, act }) => control.reconnect(name, act),
    closeSession: ({ params: { id }, act }) => control.closeSession(id, act),
    logLevel: ({ body, act }) => control.setLogLevel(body, act),
    shutdown: ({ act }) => control.shutdown(act),
  };
}
