import type { LimitStatus } from "../../contract/manage/mod.ts";
import type { Context, Handlers } from "../handler.ts";
import { filterOf } from "../filters.ts";
import { numberedPage } from "../numbered.ts";

export function limitHandlers({ control, clock }: Context): Pick<Handlers, "limits"> {
  return {
    limits: ({ query: { after, limit, filter } }) => {
      const page = numberedPage<LimitStatus>({
        from: (number) => control.limits(number),
        after,
        limit,
        matches: filterOf("limits", filter, clock.now()),
      });
      return { ...page, revision: control.revision };
    },
  };
}
