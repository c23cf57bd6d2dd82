/** The event log in pages and as a stream, and calls as they end. */
import type { GatewayEvent } from "../../contract/mod.ts";
import type { Asked, Context, Handlers } from "../handler.ts";
import { filterOf } from "../filters.ts";
import { invalid } from "../input.ts";
import { CallSource } from "../stream/call_source.ts";
import { BATCH, checkCursor, EventSource, lostBetween } from "../stream/event_source.ts";
import { turn } from "../stream/turn.ts";

/** Most events looked at for one page: a filter that matches nothing must not read the whole log. */
const MAX_SCAN = 10_000;
const CURSOR = /^(?:0|[1-9]\d{0,15})$/;

export function eventHandlers(
  context: Context,
): Pick<Handlers, "events" | "eventStream" | "callStream"> {
  const { control, clock, streams } = context;
  return {
    events: (asked) => listEvents(context, asked),
    eventStream: ({ query: { after, filter }, header, act, isAllowed }) => {
      const { events } = control;
      const matches = filterOf("eventStream", filter, clock.now());
      const cursor = resumedFrom(header("last-event-id")) ?? after;
      checkCursor(events, Number(cursor ?? 0));
      const source = new EventSource({
        events,
        clock,
        cursor: cursor === undefined ? events.last : Number(cursor),
        matches,
      });
      return streams.open({ source, actor: act.actor, isAllowed });
    },
    callStream: ({ query: { filter }, act, isAllowed }) => {
      const matches = filterOf("callStream", filter, clock.now());
      const source = new CallSource(control, matches);
      return streams.open({ source, actor: act.actor, isAllowed });
    },
  };
}

async function listEvents(
  { control, clock }: Context,
  { query: { after = "0", limit, filter } }: Asked<"events">,
) {
  const { events } = control;
  const from = Number(after);
  checkCursor(events, from);
  const matches = filterOf("events", filter, clock.now());
  const items: GatewayEvent[] = [];
  let cursor = from;
  let lost: number | undefined;
  for (let scanned = 0; scanned < MAX_SCAN && items.length < limit; scanned += BATCH) {
    if (scanned > 0) await turn(clock);
    const batch = events.after(cursor, BATCH);
    lost ??= lostBetween(events, cursor, batch);
    for (const event of batch) {
      if (items.length === limit) break;
      cursor = Number(event.cursor);
      if (matches(event)) items.push(event);
    }
    if (batch.length < BATCH) break;
  }
  return {
    items,
    ...(cursor < events.last ? { next: String(cursor) } : {}),
    last: String(events.last),
    ...(lost === undefined || lost === 0 ? {} : { lost }),
    revision: control.revision,
  };
}

/** `Last-Event-ID` is what a reader saw last, so it is newer than the address it came by. */
function resumedFrom(id: string | undefined): string | undefined {
  if (id === undefined || CURSOR.test(id)) return id;
  throw invalid("Last-Event-ID cannot be used: a cursor is a decimal number");
}
