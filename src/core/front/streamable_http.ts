/** Streamable HTTP: `/mcp` and `/mcp/<toolset>`, for both eras; here are the sessions of 2025-03-26 to 2025-11-25. */
import { SentinelError } from "../../contract/mod.ts";
import type { Principal } from "../auth/principal.ts";
import { receiveOther, receiveRequest } from "../call/receive.ts";
import { decode, encodeResult } from "../mcp/codec.ts";
import { isModern } from "../mcp/envelope.ts";
import type { Frame, Message, RequestMessage } from "../mcp/message.ts";
import { isLegacyRevision, revisionOf } from "../mcp/revisions.ts";
import type { Session } from "../session/session.ts";
import { readText } from "./body.ts";
import type { FrontContext } from "./context.ts";
import { modernMessage } from "./eras.ts";
import { initializeResult, negotiate, reannounceLists } from "./handshake.ts";
import type { HttpIncoming, HttpOutgoing } from "./http_message.ts";
import { serveModern } from "./modern_http.ts";
import { PostReply } from "./post_reply.ts";
import { openSingle, sessionRefused } from "./single_request.ts";
import { traced } from "../tracing/server_span.ts";
import { emptyResponse, jsonResponse, methodNotAllowed, streamResponse } from "./responses.ts";
import { giveStandalone, openStandalone, openStream, resumeStream } from "./session_streams.ts";

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
    frame = decode(await readText(context, incoming));
  } catch (cause) {
    // Who would be refused anyway is told that, not what is wrong with the body.
    throw refused ?? cause;
  }
  context.intake.checkMessages(frame.messages);
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
  if (context.sessionless !== undefined) {
    if (handshake !== undefined) throw sessionRefused(context.sessionless, handshake.id);
    const session = await openSingle(context, incoming, caller);
    checkBatch(frame, session);
    return await receive(context, session, frame, incoming);
  }
  if (handshake !== undefined) {
    checkInitialize(frame, incoming);
    return await initialize(context, handshake, caller, incoming);
  }
  const found = findSession(context, incoming, caller);
  const session = found instanceof Promise ? await found : found;
  checkBatch(frame, session);
  return await receive(context, session, frame, incoming);
}

function receive(
  context: FrontContext,
  session: Session,
  frame: Frame,
  incoming: HttpIncoming,
): HttpOutgoing | Promise<HttpOutgoing> {
  const requests: RequestMessage[] = [];
  for (const message of frame.messages) {
    if (message.kind === "request") requests.push(message);
    else if (context.others?.passOn(session, message) !== true) {
      receiveOther(context.line, session, message);
    }
  }
  if (requests.length === 0) return emptyResponse(202);
  const reply = new PostReply({
    session,
    expected: requests.length,
    batch: frame.batch,
    header: (name) => incoming.header(name),
    openStream: () => openStream(context, session, requests.map(({ id }) => id)),
    pending: context.sessions.outlive ? context.sessions.answers : undefined,
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
  incoming: HttpIncoming,
): Promise<HttpOutgoing> {
  await context.line.starting();
  const session = context.sessions.open("streamable_http", toolset, principal);
  session.address = address;
  try {
    const header = (name: string) => incoming.header(name);
    await traced({ line: context.line, session, message, header }, async () => {
      negotiate(session, message);
      giveStandalone(context, session);
      await context.sessions.keep(session);
    });
  } catch (cause) {
    session.close("not initialized");
    throw cause;
  }
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
    lastEventId === undefined
      ? await openStandalone(context, session)
      : await resumeStream(context, session, lastEventId),
  );
}

async function remove(
  context: FrontContext,
  incoming: HttpIncoming,
  caller: Caller,
): Promise<HttpOutgoing> {
  const session = await findSession(context, incoming, caller);
  await context.sessions.end(session, "ended by the client");
  return emptyResponse(200);
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
  if (found instanceof Promise) {
    return found.then((session) => goneOn(context, known(session, caller)));
  }
  const session = known(found, caller);
  // Another request may just be bringing it here.
  return session.standing === undefined ? goneOn(context, session) : session;
}

/** A session of an earlier run or of another replica has no stream here at first. */
async function goneOn(context: FrontContext, session: Session): Promise<Session> {
  await context.line.starting();
  if (session.standing !== undefined) return session;
  giveStandalone(context, session);
  reannounceLists(session, context.line.view(session));
  return session;
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
