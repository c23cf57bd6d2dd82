import { WEBSOCKET_PATH } from "../../core/mod.ts";

/** True for a request that asks for a WebSocket where there is one. */
export function asksForWebSocket(
  method: string | undefined,
  target: string,
  upgrade: string | null | undefined,
): boolean {
  if (method !== "GET" || upgrade?.toLowerCase() !== "websocket") return false;
  const question = target.indexOf("?");
  return (question === -1 ? target : target.slice(0, question)).endsWith(WEBSOCKET_PATH);
}
