import type { Context, Handlers } from "../handler.ts";

export function configHandlers({ control }: Context): Pick<Handlers, "config" | "diff"> {
  return {
    config: () => ({ ...control.config(), revision: control.revision }),
    diff: () => control.diff(),
  };
}
