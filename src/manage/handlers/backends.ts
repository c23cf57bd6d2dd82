import type { Context, Handlers } from "../handler.ts";
import { filterOf } from "../filters.ts";
import { pageOf } from "../paging.ts";

/** Lines of stderr in the list, and of one backend; `logs` has all that are kept. */
const LIST_LINES = 5;
const SINGLE_LINES = 50;

export function backendHandlers(
  { control, clock }: Context,
): Pick<Handlers, "backends" | "backend" | "backendLogs"> {
  return {
    backends: ({ query: { after, limit, filter } }) => {
      const page = pageOf({
        items: control.backends(LIST_LINES),
        keyOf: ({ name }) => name,
        after,
        limit,
        matches: filterOf("backends", filter, clock.now()),
      });
      return { ...page, revision: control.revision };
    },
    backend: ({ params: { name } }) => ({
      ...control.backend(name, SINGLE_LINES),
      revision: control.revision,
    }),
    backendLogs: ({ params: { name } }) => ({
      backend: name,
      ...control.backendLogs(name),
      revision: control.revision,
    }),
  };
}
