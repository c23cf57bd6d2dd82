import type { Capability } from "../../contract/manage/mod.ts";
import { SentinelError } from "../../contract/mod.ts";
import type { Context, Handlers } from "../handler.ts";
import { filterOf } from "../filters.ts";
import { longKey, pageOf } from "../paging.ts";

export function capabilityHandlers(
  { control, clock }: Context,
): Pick<Handlers, "capabilities" | "capability" | "refused" | "approve" | "approvePrompt"> {
  return {
    capabilities: ({ query: { after, limit, filter } }) => {
      const page = pageOf({
        items: control.capabilities(),
        keyOf: ({ kind, name }) => longKey(kind, name),
        after,
        limit,
        matches: filterOf("capabilities", filter, clock.now()),
      });
      return { ...page, revision: control.revision };
    },
    capability: ({ params: { kind, name } }) => {
      const definition = { ...control.definition(kind, name) };
      const found = control.capabilities().find((one) => one.kind === kind && one.name === name);
      return { ...(found ?? gone({ kind, name })), definition, revision: control.revision };
    },
    approve: ({ params: { name }, body: { hash }, act }) =>
      control.approve({ kind: "tool", name, hash }, act),
    approvePrompt: ({ params: { name }, body: { hash }, act }) =>
      control.approve({ kind: "prompt", name, hash }, act),
    refused: ({ query: { after, limit, filter } }) => {
      const page = pageOf({
        items: control.refused(),
        keyOf: ({ backend, kind, name, reason }) => longKey(backend, kind, name, reason),
        after,
        limit,
        matches: filterOf("refused", filter, clock.now()),
      });
      return { ...page, revision: control.revision };
    },
  };
}

function gone({ kind, name }: { readonly kind: string; readonly name: string }): Capability {
  throw new SentinelError("NOT_FOUND", `There is no ${kind} "${name.slice(0, 200)}" any more`);
}
