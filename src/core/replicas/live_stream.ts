/** A stream of requests that another replica is writing, for a client that has come here to read on. */
import { SentinelError } from "../../contract/mod.ts";
import type { StoredEvent } from "../../ports/event_store.ts";
import type { Clock } from "../../ports/clock.ts";
import type { FrontContext } from "../front/context.ts";
import { EventStream } from "../session/event_stream.ts";
import type { Session } from "../session/session.ts";
import type { Exchanges } from "./exchanges.ts";
import { goneAnswers, keptAfter } from "./kept_end.ts";
import type { Mailbox } from "./mailbox.ts";
import { readStream } from "./remote_streams.ts";

/** Between two attempts to reach a replica that gives signs of life, but no answer. */
const RETRY_MS = 500;
/** A replica without signs of life is gone after five seconds. */
const ATTEMPTS = 12;

export interface LiveOptions {
  readonly exchanges: Exchanges;
  readonly mailbox: Mailbox;
  readonly clock: Clock;
  readonly context: FrontContext;
}

/** The event of a stream that the client has. */
export interface Position {
  readonly key: string;
  readonly sequence: number;
}

type Body = ReadableStream<Uint8Array>;

/**
 * Undefined when the replica that wrote it is gone, or has nothing of it: what is kept decides then.
 * @throws SentinelError OVERLOADED when that cannot be found out now
 */
export async function liveStream(
  options: LiveOptions,
  session: Session,
  position: Position,
): Promise<Body | undefined> {
  const owner = position.key.slice(0, session.instance.length);
  if (owner === session.instance) return undefined;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const found = await attach(options, { session, owner, position });
    if (found !== "lost") return found === "unknown" ? undefined : found;
    const isAlive = await options.mailbox.isAlive(owner);
    if (isAlive === false) return undefined;
    if (isAlive === undefined) break;
    await new Promise<void>((resolve) => options.clock.after(RETRY_MS, resolve));
  }
  throw new SentinelError(
    "OVERLOADED",
    "Cannot go on with the stream: its gateway does not answer",
    {
      reason: "the replica that writes it cannot be reached",
      retryAfterMs: RETRY_MS,
    },
  );
}

interface Attached {
  readonly session: Session;
  readonly owner: string;
  readonly position: Position;
}

function attach(options: LiveOptions, attached: Attached): Promise<Body | "unknown" | "lost"> {
  const { session, owner, position: { key, sequence } } = attached;
  const { promise, resolve } = Promise.withResolvers<Body | "unknown" | "lost">();
  const seen: StoredEvent[] = [];
  let last = sequence;
  let requests: readonly string[] = [];
  let stream: EventStream | undefined;
  const leave = readStream(
    options.exchanges,
    owner,
    { session: session.id, key, after: sequence },
    {
      begins: (ids) => {
        requests = ids;
        stream = carrier(session, key, () => leave("the client went away"));
        resolve(stream.open());
      },
      event: (event) => {
        last = event.sequence;
        // Only what tells which requests were answered: a batch is as long as that at most.
        if (requests.length > 1) seen.push(event);
        stream?.carry(event);
      },
      end: () => stream?.end(),
      unknown: () => resolve("unknown"),
      lost: () => {
        resolve("lost");
        if (stream === undefined) return;
        void conclude(options, { ...attached, stream, last, requests, seen });
      },
    },
  );
  return promise;
}

/** Carries the events of a stream that is another replica's. */
function carrier(session: Session, origin: string, gone: () => void): EventStream {
  const stream: EventStream = new EventStream({
    key: session.nextStreamKey(),
    origin,
    onGone: () => {
      stream.end();
      gone();
    },
  });
  session.addStream(stream);
  return stream;
}

interface Begun extends Attached {
  readonly stream: EventStream;
  /** Number of the last event that was carried. */
  readonly last: number;
  readonly requests: readonly string[];
  readonly seen: readonly StoredEvent[];
}

/** The other replica was lost in the middle. One that may be there still is asked when the client comes back. */
async function conclude(
  { mailbox, context }: LiveOptions,
  { owner, position: { key }, stream, last, requests, seen }: Begun,
): Promise<void> {
  if (await mailbox.isAlive(owner) === false) {
    const kept = (await keptAfter(context, key, last))?.events ?? [];
    for (const event of kept) stream.carry(event);
    for (const text of goneAnswers(context, requests, [...seen, ...kept])) stream.send(text);
  }
  stream.end();
}
