/** Streamable HTTP: `/mcp` and `/mcp/<toolset>`, for both eras; here are the sessions of 2025-03-26 to 2025-11-25. */
import { SentinelError } from "../../contract/mod.ts";
import type { Principal } from "../auth/principal.ts";
import { receiveOther, receiveRequest } from "../call/receive.ts";
import { decode, encodeResult } from "../mcp/codec.ts";
import { isModern } from "../mcp/envelope.ts";
import type { Frame, Message, RequestMessage } from "../mcp/message.ts";
import { isLegacyRevision, revisionOf } from "../mcp/revisions.ts";
import { EventStream, parseEventId } from "../session/event_stream.ts";
import type { Session } from "../session/session.ts";
import { readText } from "./body.ts";
import type { FrontContext } from "./context.ts";
import { modernMessage } from "./eras.ts";
import { initializeResult, negotiate } from "./handshake.ts";
import type { HttpIncoming, HttpOutgoing } from "./http_message.ts";
import { serveModern } from "./modern_http.ts";
import { PostReply } from "./post_reply.ts";
import { emptyResponse, jsonResponse, methodNotAllowed, streamResponse } from "./responses.ts";

const MAX_BATCH = 100;

/** Whose request it is, and which part of the catalog it is about. */
export interface Caller {
  readonly principal: Principal;
  /** Where it comes from, where that is known. */
  readonly address: string | undefined;
  readonly toolset: string | undefined;
}

export function handleStreamable(
  context: FrontContext,
  incoming: HttpIncoming,
  caller: Caller,
): HttpOutgoing | Promise<HttpOutgoing> {
  switch (incoming.method) {
    case "POST":
      return post(context, incoming, caller);
    case "GET":
      return get(context, incoming, caller);
    case "DELETE":
      return remove(context, incoming, caller);
    default:
      return methodNotAllowed("GET, POST, DELETE");
  }
}

async function post(
  context: FrontContext,
  incoming: HttpIncoming,
  caller: Caller,
): Promise<HttpOutgoing> {
  checkContent(incoming);
  const version = incoming.header("mcp-protocol-version")?.trim();
  const looksModern = isModern(version) || incoming.header("mcp-method") !== undefined;
  const refused = looksModern ? undefined : legacyRefusal(context, incoming);
  let frame: Frame;
  try {
    frame = decode(await readText(incoming, context.maxRequestBytes()));
  } catch (cause) {
    // Who would be refused anyway is told that, not what is wrong with the body.
    throw refused ?? cause;
  }
  const modern = modernMessage(frame, version);
  if (modern !== undefined) return await serveModern(context, incoming, caller, modern);
  const refusal = looksModern ? legacyRefusal(context, incoming) : refused;
  if (refusal !== undefined) throw refusal;
  return await postLegacy(context, incoming, caller, frame);
}

/**
 * Only the body tells the eras apart, so what legacy clients are refused for waits for it.
 * @throws SentinelError RATE_LIMITED at once: a stranger costs no parsing
 */
function legacyRefusal(context: FrontContext, incoming: HttpIncoming): SentinelError | undefined {
  const refusal = acceptProblem(incoming) ?? versionProblem(incoming);
  if (refusal !== undefined) return refusal;
  if (incoming.header("mcp-session-id") === undefined) context.admitNewcomer();
  return undefined;
}

async function postLegacy(
  context: FrontContext,
  incoming: HttpIncoming,
  caller: Caller,
  frame: Frame,
): Promise<HttpOutgoing> {
  const handshake = frame.messages.find(isInitialize);
  if (handshake !== undefined) {
    checkInitialize(frame, incoming);
    return await initialize(context, handshake, caller);
  }
  const found = findSession(context, incoming, caller);
  const session = found instanceof Promise ? await found : found;
  checkBatch(frame, session);
  return await receive(context, session, frame);
}

function receive(
  context: FrontContext,
  session: Session,
  frame: Frame,
): HttpOutgoing | Promise<HttpOutgoing> {
  const requests: RequestMessage[] = [];
  for (const message of frame.messages) {
    if (message.kind === "request") requests.push(message);
    else receiveOther(context.line, session, message);
  }
  if (requests.length === 0) return emptyResponse(202);
  const reply = new PostReply({
    session,
    expected: requests.length,
    batch: frame.batch,
    openStream: () => openStream(context, session),
  });
  for (const message of requests) receiveRequest(context.line, session, message, reply);
  return reply.response;
}

function checkInitialize(frame: Frame, incoming: HttpIncoming): void {
  if (frame.batch) {
    throw new SentinelError("INVALID_REQUEST", 'Cannot initialize: "initialize" stands in a batch');
  }
  if (incoming.header("mcp-session-id") === undefined) return;
  throw new SentinelError(
    "INVALID_REQUEST",
    "Cannot initialize: the session is initialized already",
  );
}

async function initialize(
  context: FrontContext,
  message: RequestMessage,
  { principal, toolset, address }: Caller,
): Promise<HttpOutgoing> {
  await context.line.starting();
  const session = context.sessions.open("streamable_http", toolset, principal);
  session.address = address;
  try {
    negotiate(session, message);
  } catch (cause) {
    session.close("not initialized");
    throw cause;
  }
  const stream = openStream(context, session);
  session.channel = stream;
  session.standalone = stream;
  const result = initializeResult(session, context.line.view(session), context.server);
  return jsonResponse(encodeResult(message.id, result), 200, { "mcp-session-id": session.id });
}

async function get(
  context: FrontContext,
  incoming: HttpIncoming,
  caller: Caller,
): Promise<HttpOutgoing> {
  if (incoming.header("accept")?.includes("text/event-stream") !== true) {
    throw badHttp(406, '"Accept" does not list text/event-stream');
  }
  const refusal = versionProblem(incoming);
  if (refusal !== undefined) throw refusal;
  const session = await findSession(context, incoming, caller);
  const lastEventId = incoming.header("last-event-id");
  return streamResponse(
    lastEventId === undefined ? openStandalone(session) : resume(session, lastEventId),
  );
}

function openStandalone(session: Session): ReadableStream<Uint8Array> {
  const stream = session.standalone as EventStream;
  if (stream.attached) throw badHttp(409, "the session has its stream already");
  return stream.open();
}

function resume(session: Session, lastEventId: string): ReadableStream<Uint8Array> {
  const position = parseEventId(lastEventId);
  const stream = position === undefined ? undefined : session.streams.get(position.key);
  const body = stream?.resume(position?.sequence ?? 0);
  if (body !== undefined) return body;
  // The standalone stream can start anew; an answer that is gone cannot be had any more.
  if (stream !== undefined && stream === session.standalone) return stream.open();
  throw badHttp(400, '"Last-Event-ID" names no event that is still kept');
}

async function remove(
  context: FrontContext,
  incoming: HttpIncoming,
  caller: Caller,
): Promise<HttpOutgoing> {
  const session = await findSession(context, incoming, caller);
  session.close("ended by the client");
  return emptyResponse(200);
}

function openStream(context: FrontContext, session: Session): EventStream {
  const stream = new EventStream({
    key: session.nextStreamKey(),
    store: context.events,
    priming: revisionOf(session.revision).priming,
    onGone: (reason) => {
      if (reason === "overflow") context.overflow(session);
    },
  });
  session.addStream(stream);
  return stream;
}

/** A promise only for a session that is not in memory. */
function findSession(
  context: FrontContext,
  incoming: HttpIncoming,
  caller: Caller,
): Session | Promise<Session> {
  const id = incoming.header("mcp-session-id");
  if (id === undefined) throw badHttp(400, 'the "Mcp-Session-Id" header is missing');
  const found = context.sessions.find(id, { front: "streamable_http", ...caller });
  return found instanceof Promise
    ? found.then((session) => known(session, caller))
    : known(found, caller);
}

function known(session: Session | undefined, { address }: Caller): Session {
  if (session === undefined) {
    throw new SentinelError(
      "SESSION_UNKNOWN",
      "Cannot find the session: it ended or never existed",
    );
  }
  session.address = address;
  return session;
}

function checkContent(incoming: HttpIncoming): void {
  if (!isJson(incoming.header("content-type"))) {
    throw badHttp(415, '"Content-Type" is not application/json');
  }
  if (incoming.header("content-encoding") !== undefined) {
    throw badHttp(415, '"Content-Encoding" is not supported');
  }
}

function acceptProblem(incoming: HttpIncoming): SentinelError | undefined {
  const accept = incoming.header("accept") ?? "";
  if (accept.includes("*/*")) return undefined;
  if (accept.includes("application/json") && accept.includes("text/event-stream")) return undefined;
  return badHttp(406, '"Accept" does not list both application/json and text/event-stream');
}

export function isJson(contentType: string | undefined): boolean {
  return contentType === "application/json" ||
    /^application\/json\s*(?:;|$)/i.test(contentType ?? "");
}

function versionProblem(incoming: HttpIncoming): SentinelError | undefined {
  const version = incoming.header("mcp-protocol-version");
  if (version === undefined || isLegacyRevision(version)) return undefined;
  return badHttp(400, '"MCP-Protocol-Version" names a revision we do not speak');
}

export function checkBatch(frame: Frame, session: Session): void {
  if (!frame.batch) return;
  if (!revisionOf(session.revision).batches) {
    throw new SentinelError(
      "INVALID_REQUEST",
      `Cannot read the message: revision ${session.revision} has no batches`,
    );
  }
  if (frame.messages.length === 0 || frame.messages.length > MAX_BATCH) {
    throw new SentinelError(
      "INVALID_REQUEST",
      `Cannot read the message: a batch has 1 to ${MAX_BATCH} messages`,
    );
  }
}

function isInitialize(message: Message): message is RequestMessage {
  return message.kind === "request" && message.method === "initialize";
}

function badHttp(http: number, reason: string): SentinelError {
  return new SentinelError("BAD_HTTP", `Cannot serve the request: ${reason}`, { http });
}
