import type { SessionStatus } from "../../contract/manage/mod.ts";
import type { Context, Handlers } from "../handler.ts";
import { filterOf } from "../filters.ts";
import { numberedPage } from "../numbered.ts";

export function sessionHandlers({ control, clock }: Context): Pick<
  Handlers,
  "sessions" | "session"
> {
  return {
    sessions: ({ query: { after, limit, filter } }) => {
      const page = numberedPage<SessionStatus>({
        from: (number) => control.sessions(number),
        after,
        limit,
        matches: filterOf("sessions", filter, clock.now()),
      });
      return { ...page, revision: control.revision };
    },
    session: ({ params: { id } }) => ({
      ...control.session(id),
      revision: control.revision,
    }),
  };
}
