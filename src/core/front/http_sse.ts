/** HTTP+SSE (2024-11-05): `GET /sse` is the session, `POST /messages/` its way in. */
import { SentinelError, type SessionId } from "../../contract/mod.ts";
import type { Principal } from "../auth/principal.ts";
import { receiveOther, receiveRequest } from "../call/receive.ts";
import { decode, encodeResult } from "../mcp/codec.ts";
import type { Message, RequestMessage } from "../mcp/message.ts";
import type { ForeignPost, Forwarded } from "../replicas/remote_posts.ts";
import { EventStream } from "../session/event_stream.ts";
import type { Session } from "../session/session.ts";
import { traced } from "../tracing/server_span.ts";
import type { HeaderLookup } from "../tracing/trace_context.ts";
import { readText } from "./body.ts";
import { ChannelReply } from "./channel_reply.ts";
import type { FrontContext } from "./context.ts";
import { initializeResult, negotiate } from "./handshake.ts";
import type { HttpIncoming, HttpOutgoing } from "./http_message.ts";
import { methodNotAllowed, refusedText, streamResponse } from "./responses.ts";
import { type Caller as StreamableCaller, checkBatch, isJson } from "./streamable_http.ts";

const PARAMETER = "session_id";

/** Whose request it is. */
type Caller = Omit<StreamableCaller, "toolset">;

/** Opens a session; its first event tells where to POST. */
export async function openSse(
  context: FrontContext,
  incoming: HttpIncoming,
  { principal, address }: Caller,
): Promise<HttpOutgoing> {
  if (incoming.method !== "GET") {
    return methodNotAllowed("GET");
  }
  context.admitNewcomer();
  const session = context.sessions.open("http_sse", undefined, principal);
  session.address = address;
  const stream = new EventStream({
    key: session.nextStreamKey(),
    onGone: (reason) => {
      if (reason === "overflow") context.overflow(session);
      session.close("the client went away");
    },
  });
  session.addStream(stream);
  session.channel = stream;
  if (context.others !== undefined) await keepForOthers(context, session);
  const body = stream.open();
  stream.announce("endpoint", `/messages/?${PARAMETER}=${session.id}`);
  return streamResponse(body);
}

/** Takes one message; answers travel on the session's stream. */
export async function postSse(
  context: FrontContext,
  incoming: HttpIncoming,
  { principal, address }: Caller,
): Promise<HttpOutgoing> {
  if (incoming.method !== "POST") {
    return methodNotAllowed("POST");
  }
  const query = incoming.target.split("?", 2)[1] ?? "";
  const id = new URLSearchParams(query).get(PARAMETER) ?? "";
  const session = context.sessions.here(id, { front: "http_sse", toolset: undefined, principal });
  const elsewhere = session === undefined ? await findElsewhere(context, id, principal) : undefined;
  if (session !== undefined) session.address = address;
  else if (elsewhere === undefined) throw unknownSession();
  if (!isJson(incoming.header("content-type"))) {
    throw new SentinelError(
      "BAD_HTTP",
      'Cannot serve the request: "Content-Type" is not application/json',
      { http: 415 },
    );
  }
  const text = await readText(context, incoming);
  const frame = decode(text);
  context.intake.checkMessages(frame.messages);
  if (session === undefined) {
    const forwarded = await elsewhere?.({ principal, address, text });
    if (forwarded !== "taken") throw forwarded === "lost" ? lostPost() : unknownSession();
  } else {
    checkBatch(frame, session);
    const header = (name: string) => incoming.header(name);
    for (const message of frame.messages) {
      await receiveOnChannel(context, session, message, header);
    }
  }
  return { status: 202, headers: { "content-type": "text/plain" }, body: "Accepted" };
}

/** Its first message may reach another replica. */
async function keepForOthers(context: FrontContext, session: Session): Promise<void> {
  try {
    await keep(context, session);
  } catch (cause) {
    session.close("not kept");
    throw cause;
  }
}

type Forward = (post: Omit<ForeignPost, "session">) => Promise<Forwarded>;

/** The way to the replica that has the session's stream; undefined when there is none, or it is not this caller's. */
async function findElsewhere(
  { others, store }: FrontContext,
  id: string,
  principal: Principal,
): Promise<Forward | undefined> {
  const session = id as SessionId;
  const record = others === undefined ? undefined : await store.get(session).catch(() => undefined);
  if (others === undefined || record?.front !== "http_sse") return undefined;
  const { holder } = record;
  if (record.principal !== principal.id || holder === undefined) return undefined;
  return (post) => others.forwardPost(holder, { session, ...post });
}

function unknownSession(): SentinelError {
  return new SentinelError(
    "SESSION_UNKNOWN",
    "Cannot find the session: it ended or never existed",
  );
}

function lostPost(): SentinelError {
  return new SentinelError(
    "OVERLOADED",
    "Cannot hand the message over: the gateway with the stream does not answer",
    { reason: "the replica with the session's stream cannot be reached", executed: "unknown" },
  );
}

/** A message of a session whose answers all travel on one channel; `header` where a request of its own brought it. */
export async function receiveOnChannel(
  context: FrontContext,
  session: Session,
  message: Message,
  header?: HeaderLookup,
): Promise<void> {
  const { channel } = session;
  if (channel === undefined) return;
  if (message.kind !== "request") receiveOther(context.line, session, message);
  else if (message.method === "initialize") await initialize(context, session, message, header);
  else receiveRequest(context.line, session, message, new ChannelReply(session, channel, header));
}

async function initialize(
  context: FrontContext,
  session: Session,
  message: RequestMessage,
  header: HeaderLookup | undefined,
): Promise<void> {
  await context.line.starting();
  try {
    await traced({ line: context.line, session, message, header }, async () => {
      if (session.negotiated) throw initializedAlready();
      negotiate(session, message);
      await keep(context, session);
    });
    const result = initializeResult(session, context.line.view(session), context.server);
    session.channel?.send(encodeResult(message.id, result));
  } catch (cause) {
    session.channel?.send(refusedText(cause, context.line.requestId(), message.id));
  }
}

function initializedAlready(): SentinelError {
  return new SentinelError(
    "INVALID_REQUEST",
    "Cannot initialize: the session is initialized already",
  );
}

/** One that has to be kept and cannot be is not initialized. */
async function keep({ sessions }: FrontContext, session: Session): Promise<void> {
  try {
    await sessions.keep(session);
  } catch (cause) {
    session.negotiated = false;
    throw cause;
  }
}
