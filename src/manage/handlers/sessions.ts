import type { SessionStatus } from "../../contract/manage/mod.ts";
import type { Context, Handlers } from "../handler.ts";
import { filterOf } from "../filters.ts";
import { invalid } from "../input.ts";

export function sessionHandlers({ control, clock }: Context): Pick<
  Handlers,
  "sessions" | "session"
> {
  return {
    sessions: ({ query: { after, limit, filter } }) => {
      const matches = filterOf("sessions", filter, clock.now());
      const { revision } = control;
      const items: SessionStatus[] = [];
      let last = 0;
      for (const { number, ...session } of control.sessions(numberOf(after))) {
        if (!matches(session)) continue;
        if (items.length === limit) return { items, next: String(last), revision };
        items.push(session);
        last = number;
      }
      return { items, revision };
    },
    session: ({ params: { id } }) => ({
      ...control.session(id),
      revision: control.revision,
    }),
  };
}

function numberOf(after: string | undefined): number {
  if (after === undefined) return 0;
  if (/^\d{1,15}$/.test(after)) return Number(after);
  throw invalid('Query parameter "after" cannot be used: it is not the `next` of a page before');
}
