/** Streamable HTTP (2025-03-26 and later): `/mcp` and `/mcp/<toolset>`. */
import { SentinelError } from "../../contract/mod.ts";
import { receiveOther, receiveRequest } from "../call/receive.ts";
import { decode, encodeResult } from "../mcp/codec.ts";
import type { Frame, Message, RequestMessage } from "../mcp/message.ts";
import { isLegacyRevision, revisionOf } from "../mcp/revisions.ts";
import { EventStream, parseEventId } from "../session/event_stream.ts";
import type { Session } from "../session/session.ts";
import { readBody } from "./body.ts";
import type { FrontContext } from "./context.ts";
import { initializeResult, negotiate } from "./handshake.ts";
import { PostReply } from "./post_reply.ts";
import { accepted, jsonResponse, streamResponse } from "./responses.ts";

const MAX_BATCH = 100;

export function handleStreamable(
  context: FrontContext,
  request: Request,
  toolset: string | undefined,
): Response | Promise<Response> {
  switch (request.method) {
    case "POST":
      return post(context, request, toolset);
    case "GET":
      return get(context, request, toolset);
    case "DELETE":
      return remove(context, request, toolset);
    default:
      return methodNotAllowed();
  }
}

function methodNotAllowed(): Response {
  return new Response(null, { status: 405, headers: { allow: "GET, POST, DELETE" } });
}

async function post(
  context: FrontContext,
  request: Request,
  toolset: string | undefined,
): Promise<Response> {
  checkPostHeaders(request);
  checkVersion(request);
  const frame = decode(await readBody(request, context.maxRequestBytes));
  const handshake = frame.messages.find(isInitialize);
  if (handshake !== undefined) return await initialize(context, request, frame, handshake, toolset);
  const session = findSession(context, request, toolset);
  checkBatch(frame, session);
  return await receive(context, session, frame);
}

function receive(
  context: FrontContext,
  session: Session,
  frame: Frame,
): Response | Promise<Response> {
  const requests: RequestMessage[] = [];
  for (const message of frame.messages) {
    if (message.kind === "request") requests.push(message);
    else receiveOther(context.line, session, message);
  }
  if (requests.length === 0) return accepted();
  const reply = new PostReply({
    session,
    expected: requests.length,
    batch: frame.batch,
    openStream: () => openStream(context, session),
  });
  for (const message of requests) receiveRequest(context.line, session, message, reply);
  return reply.response;
}

async function initialize(
  context: FrontContext,
  request: Request,
  frame: Frame,
  message: RequestMessage,
  toolset: string | undefined,
): Promise<Response> {
  if (frame.batch) {
    throw new SentinelError("INVALID_REQUEST", 'Cannot initialize: "initialize" stands in a batch');
  }
  if (request.headers.get("mcp-session-id") !== null) {
    throw new SentinelError(
      "INVALID_REQUEST",
      "Cannot initialize: the session is initialized already",
    );
  }
  await context.line.starting();
  const session = context.sessions.open("streamable_http", toolset);
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

function get(context: FrontContext, request: Request, toolset: string | undefined): Response {
  if (request.headers.get("accept")?.includes("text/event-stream") !== true) {
    throw badHttp(406, '"Accept" does not list text/event-stream');
  }
  if (hasBody(request)) throw badHttp(400, "a GET has no body");
  checkVersion(request);
  const session = findSession(context, request, toolset);
  const lastEventId = request.headers.get("last-event-id");
  return streamResponse(
    lastEventId === null ? openStandalone(session) : resume(session, lastEventId),
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

function remove(context: FrontContext, request: Request, toolset: string | undefined): Response {
  findSession(context, request, toolset).close("ended by the client");
  return new Response(null, { status: 200 });
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

function findSession(
  context: FrontContext,
  request: Request,
  toolset: string | undefined,
): Session {
  const id = request.headers.get("mcp-session-id");
  if (id === null) throw badHttp(400, 'the "Mcp-Session-Id" header is missing');
  const session = context.sessions.find(id, "streamable_http", toolset);
  if (session !== undefined) return session;
  throw new SentinelError("SESSION_UNKNOWN", "Cannot find the session: it ended or never existed");
}

function checkPostHeaders(request: Request): void {
  const { headers } = request;
  if (!isJson(headers.get("content-type"))) {
    throw badHttp(415, '"Content-Type" is not application/json');
  }
  if (headers.has("content-encoding")) throw badHttp(415, '"Content-Encoding" is not supported');
  const accept = headers.get("accept") ?? "";
  if (accept.includes("*/*")) return;
  if (accept.includes("application/json") && accept.includes("text/event-stream")) return;
  throw badHttp(406, '"Accept" does not list both application/json and text/event-stream');
}

export function isJson(contentType: string | null): boolean {
  return contentType === "application/json" ||
    /^application\/json\s*(?:;|$)/i.test(contentType ?? "");
}

function hasBody({ headers }: Request): boolean {
  return headers.has("transfer-encoding") || Number(headers.get("content-length") ?? "0") > 0;
}

function checkVersion(request: Request): void {
  const version = request.headers.get("mcp-protocol-version");
  if (version === null || isLegacyRevision(version)) return;
  throw badHttp(400, '"MCP-Protocol-Version" names a revision we do not speak');
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
