import { SentinelError } from "../../contract/mod.ts";
import type { KillScope, KillTarget } from "../../core/mod.ts";
import type { Context, Handlers } from "../handler.ts";
import { filterOf } from "../filters.ts";
import { longKey, pageOf } from "../paging.ts";

const SCOPES: readonly KillScope[] = ["tools", "backends"];

export function killSwitchHandlers(
  { control, clock }: Context,
): Pick<Handlers, "killSwitches" | "kill" | "clearKill"> {
  return {
    killSwitches: ({ query: { after, limit, filter } }) => {
      const page = pageOf({
        items: control.killSwitches(),
        // One target may have a switch of an operator and one of the file.
        keyOf: ({ scope, name, from }) => longKey(scope, name, from),
        after,
        limit,
        matches: filterOf("killSwitches", filter, clock.now()),
      });
      return { ...page, revision: control.revision };
    },
    kill: ({ params, body: { reason }, act }) => control.kill({ ...targetOf(params), reason }, act),
    clearKill: ({ params, act }) => control.clearKill(targetOf(params), act),
  };
}

function targetOf(
  { scope, name }: { readonly scope: string; readonly name: string },
): KillTarget {
  const known = SCOPES.find((candidate) => candidate === scope);
  if (known !== undefined) return { scope: known, name };
  throw new SentinelError("NOT_FOUND", `Nothing can be killed in "${scope.slice(0, 50)}"`, {
    reason: `write ${SCOPES.join(" or ")}`,
  });
}
