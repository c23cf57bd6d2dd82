/** Streams of Streamable HTTP sessions: opened, resumed, taken over from another replica or an earlier run. */
import { SentinelError } from "../../contract/mod.ts";
import { encodeNotification } from "../mcp/codec.ts";
import { revisionOf } from "../mcp/revisions.ts";
import { goneAnswers, keptAfter } from "../replicas/kept_end.ts";
import { EventStream, type ForeignEvents, parseEventId } from "../session/event_stream.ts";
import { keptEvents } from "../session/kept_events.ts";
import type { Session, Standing } from "../session/session.ts";
import type { FrontContext } from "./context.ts";
import { reannounceLists } from "./handshake.ts";

/** How the name of a standing stream ends: also one that nobody knows any more can be told by it. */
const STANDING = "-get";

type Position = NonNullable<ReturnType<typeof parseEventId>>;

/** @param requests JSON texts of the ids of the requests it answers */
export function openStream(
  context: FrontContext,
  session: Session,
  requests: readonly string[] = [],
  suffix = "",
): EventStream {
  const facts = { session: session.id, requests, owner: session.instance };
  const stream = new EventStream({
    key: `${session.nextStreamKey()}${suffix}`,
    requests,
    store: keptEvents(context.events, context.store, facts),
    priming: revisionOf(session.revision).priming,
    onGone: (reason) => {
      if (reason === "overflow") context.overflow(session);
    },
  });
  session.addStream(stream);
  return stream;
}

/** Most clients never open it, and are told nothing. */
class StandingStream implements Standing {
  readonly #context: FrontContext;
  readonly #session: Session;
  #stream: EventStream | undefined;

  constructor(context: FrontContext, session: Session) {
    this.#context = context;
    this.#session = session;
  }

  get stream(): EventStream {
    return this.#stream ??= openStream(this.#context, this.#session, [], STANDING);
  }

  get made(): EventStream | undefined {
    return this.#stream;
  }

  get attached(): boolean {
    return this.#stream?.attached ?? false;
  }

  send(text: string): boolean {
    return this.stream.send(text);
  }
}

/** The stream of GET requests, and the way to who has it when another replica does. */
export function giveStandalone(context: FrontContext, session: Session): void {
  session.channel = session.standing = new StandingStream(context, session);
  const { others } = context;
  if (others === undefined) return;
  session.relay = (holder, text) => others.tell(session.id, holder, text);
}

/** Opens the standing stream for a client that says nothing of what it has seen. */
export async function openStandalone(
  context: FrontContext,
  session: Session,
): Promise<ReadableStream<Uint8Array>> {
  const { stream } = session.standing as Standing;
  const before = session.isHolder ? undefined : await takeOver(context, session, undefined);
  if (stream.attached) throw refused(409, "the session has its stream already");
  return stream.open(before);
}

/** Goes on with the stream of an event, wherever it was. */
export async function resumeStream(
  context: FrontContext,
  session: Session,
  lastEventId: string,
): Promise<ReadableStream<Uint8Array>> {
  const position = parseEventId(lastEventId);
  if (position === undefined) throw notKept();
  const stream = session.streams.get(position.key);
  if (stream?.origin === undefined) {
    const body = stream?.resume(position.sequence);
    if (body !== undefined) return body;
  }
  if (position.key.endsWith(STANDING)) return await resumeStandalone(context, session, position);
  const live = await context.others?.readStream(session, position);
  return live ?? await replay(context, session, position);
}

/** The standing stream can start anew; an answer that is gone cannot be had any more. */
async function resumeStandalone(
  context: FrontContext,
  session: Session,
  position: Position,
): Promise<ReadableStream<Uint8Array>> {
  const { stream } = session.standing as Standing;
  const before = session.isHolder
    ? await missedOf(context, session, position)
    : await takeOver(context, session, position);
  stream.release();
  return stream.open(before);
}

/** From now on this replica sends what belongs to no call; gives what the client has not seen. */
async function takeOver(
  context: FrontContext,
  session: Session,
  position: Position | undefined,
): Promise<ForeignEvents | undefined> {
  const { holder } = session;
  session.holder = session.instance;
  const wanted = { session: session.id, after: position };
  const handed = await context.others?.takeStanding(holder, wanted);
  if (handed !== undefined) return handed;
  // Nobody was told anything in the meantime.
  if (session.initialized) {
    reannounceLists(session, context.line.view(session));
    for (const { uri } of session.subscriptions) {
      session.say(encodeNotification("notifications/resources/updated", { uri }));
    }
  }
  return position === undefined ? undefined : await missedOf(context, session, position);
}

async function missedOf(
  context: FrontContext,
  session: Session,
  { key, sequence }: Position,
): Promise<ForeignEvents | undefined> {
  const kept = await keptAfter(context, key, sequence);
  if (kept?.session !== session.id || kept.events === undefined) return undefined;
  return { key, events: kept.events };
}

/** A stream whose replica is gone: what is kept of it, then what became of its requests. */
async function replay(
  context: FrontContext,
  session: Session,
  { key, sequence }: Position,
): Promise<ReadableStream<Uint8Array>> {
  const kept = await keptAfter(context, key, sequence);
  if (kept?.session !== session.id || kept.events === undefined) throw notKept();
  const stream = new EventStream({ key: session.nextStreamKey(), origin: key });
  session.addStream(stream);
  const body = stream.open();
  for (const event of kept.events) stream.carry(event);
  const all = sequence === 0 ? kept : await keptAfter(context, key, 0);
  const events = all?.events ?? kept.events;
  for (const text of goneAnswers(context, kept.requests, events)) stream.send(text);
  stream.end();
  return body;
}

function notKept(): SentinelError {
  return refused(400, '"Last-Event-ID" names no event that is still kept');
}

function refused(http: number, reason: string): SentinelError {
  return new SentinelError("BAD_HTTP", `Cannot serve the request: ${reason}`, { http });
}
