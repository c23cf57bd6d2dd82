/** Streams that another replica writes, read by a client that has come here. */
import type { SessionId } from "../../contract/ids.ts";
import type { StoredEvent } from "../../ports/event_store.ts";
import type { Clock } from "../../ports/clock.ts";
import type { FrontContext } from "../front/context.ts";
import type { JsonObject } from "../mcp/json.ts";
import type { EventStream, ForeignEvents } from "../session/event_stream.ts";
import type { Exchanges, Loss, Outlet } from "./exchanges.ts";
import { isCount } from "./messages.ts";

/** A standing stream is handed over within it, or goes on without what the other replica still had. */
const HAND_OVER_MS = 2000;

/** A stream of requests at another replica. */
export interface WantedStream {
  readonly session: SessionId;
  readonly key: string;
  /** Number of the last event the client has. */
  readonly after: number;
}

export interface StreamTaker {
  /** JSON texts of the ids of the requests it answers; before any event. */
  readonly begins: (requests: readonly string[]) => void;
  readonly event: (event: StoredEvent) => void;
  readonly end: () => void;
  /** There is no such stream, or what follows the event is gone. */
  readonly unknown: () => void;
  readonly lost: (loss: Loss) => void;
}

/** Reads a stream of requests; gives what ends that. */
export function readStream(
  exchanges: Exchanges,
  owner: string,
  { session, key, after }: WantedStream,
  taker: StreamTaker,
): (reason: string) => void {
  return exchanges.ask(owner, { kind: "stream", session, key, after }, {
    part: (body) => {
      const event = eventOf(body);
      if (event !== undefined) return taker.event(event);
      const { requests } = body;
      if (isTexts(requests)) taker.begins(requests);
    },
    end: (body) => body["unknown"] === true ? taker.unknown() : taker.end(),
    lost: taker.lost,
  });
}

/** What a client wants of a session's standing stream. */
export interface WantedStanding {
  readonly session: SessionId;
  /** Last event the client has; undefined: it says nothing about it. */
  readonly after: { readonly key: string; readonly sequence: number } | undefined;
}

/**
 * Takes a session's standing stream over: gives what the client has not seen of it. Undefined when that is not
 * known, after two seconds at the latest.
 */
export function takeStanding(
  { exchanges, clock }: { readonly exchanges: Exchanges; readonly clock: Clock },
  owner: string,
  { session, after }: WantedStanding,
): Promise<ForeignEvents | undefined> {
  const { promise, resolve } = Promise.withResolvers<ForeignEvents | undefined>();
  const events: StoredEvent[] = [];
  let key: string | undefined;
  const want = { kind: "standing", session, ...(after === undefined ? {} : { after }) };
  const leave = exchanges.ask(owner, want, {
    part: (body) => {
      const event = eventOf(body);
      if (event !== undefined) events.push(event);
      else if (typeof body["key"] === "string") key = body["key"];
    },
    end: () => resolve(key === undefined ? undefined : { key, events }),
    lost: () => resolve(undefined),
  });
  const cancel = clock.after(HAND_OVER_MS, () => {
    leave("it took too long");
    resolve(undefined);
  });
  void promise.then(cancel);
  return promise;
}

/** Serves `readStream`. */
export function serveStream(
  { sessions }: Pick<FrontContext, "sessions">,
  { session: id, key, after }: JsonObject,
  outlet: Outlet,
): ((reason: string) => void) | undefined {
  const session = typeof id === "string" ? sessions.byId(id) : undefined;
  const stream = typeof key === "string" ? session?.streams.get(key) : undefined;
  if (stream === undefined || !isCount(after) || !stream.canFollow(after)) {
    outlet.end({ unknown: true });
    return undefined;
  }
  outlet.part({ requests: stream.requests });
  return stream.follow(after, readerOf(outlet));
}

/** Serves `takeStanding`: from now on the replica that asks holds the session. */
export function serveStanding(
  { sessions }: Pick<FrontContext, "sessions">,
  { session: id, after }: JsonObject,
  outlet: Outlet,
): undefined {
  const session = typeof id === "string" ? sessions.byId(id) : undefined;
  const stream = session?.standing?.stream;
  if (session === undefined || stream === undefined) {
    outlet.end({});
    return undefined;
  }
  session.holder = outlet.from;
  outlet.part({ key: stream.key });
  const event = (one: StoredEvent) => outlet.part({ ...one });
  stream.follow(positionIn(stream, after), { event, end: () => {} });
  stream.release();
  outlet.end({});
}

/** Undefined: where its last connection stopped. */
function positionIn({ key }: EventStream, after: unknown): number | undefined {
  const { key: named, sequence } = (after ?? {}) as { key?: unknown; sequence?: unknown };
  return named === key && isCount(sequence) ? sequence : undefined;
}

function readerOf(outlet: Outlet) {
  return {
    event: ({ sequence, data }: StoredEvent) => outlet.part({ sequence, data }),
    end: () => outlet.end({}),
  };
}

function eventOf({ sequence, data }: JsonObject): StoredEvent | undefined {
  return isCount(sequence) && typeof data === "string" ? { sequence, data } : undefined;
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === "string");
}
