/**
 * Transports that are a pipe of messages: stdio, an upgraded WebSocket. One pipe is one session, and carries
 * modern requests beside it.
 */
import type { MessageLink } from "../../ports/message_link.ts";
import { SentinelError } from "../../contract/mod.ts";
import type { Principal } from "../auth/principal.ts";
import { decode } from "../mcp/codec.ts";
import { checkRevision, LISTEN, readEnvelope } from "../mcp/envelope.ts";
import type { Message, RequestMessage } from "../mcp/message.ts";
import type { Channel } from "../session/channel.ts";
import { TOKEN_EXPIRED } from "../session/registry.ts";
import type { Session } from "../session/session.ts";
import type { FrontContext } from "./context.ts";
import { checkNoneModern, isModernMessage } from "./eras.ts";
import { receiveOnChannel } from "./http_sse.ts";
import { startModern } from "./modern_call.ts";
import { listenOnPipe } from "./modern_listen.ts";
import { PipeRound } from "./pipe_round.ts";
import { refusedText } from "./responses.ts";
import { checkBatch } from "./streamable_http.ts";

/** Characters waiting for a client that does not read; then the pipe is closed. */
const MAX_UNREAD = 16 * 1024 * 1024;
const NO_TOKEN = "no valid token";

/** What a pipe cannot say in a message. */
export interface PipeOptions {
  /** The token of its client, without `Bearer`. */
  readonly token?: string;
}

/**
 * Serves one pipe until the client has gone; then ends its session.
 * @throws SentinelError UNAUTHENTICATED when sign-in is on and the token is not valid
 */
export async function attachPipe(
  context: FrontContext,
  link: MessageLink,
  { token }: PipeOptions = {},
): Promise<void> {
  const authorization = token === undefined ? undefined : `Bearer ${token}`;
  const authenticate = () => context.authenticate(authorization);
  const session = context.sessions.open("stdio", undefined, await authenticate());
  await servePipe(context, { session, link, authenticate });
}

/** A session, and the pipe it lives on. */
export interface PipeSession {
  readonly session: Session;
  readonly link: MessageLink;
  /** Judges the pipe's token anew. */
  readonly authenticate: () => Principal | Promise<Principal>;
}

/** Serves a session's pipe until the client has gone; then ends the session. */
export async function servePipe(context: FrontContext, pipe: PipeSession): Promise<void> {
  const { session, link } = pipe;
  const channel = new PipeChannel(link, () => context.overflow(session));
  session.channel = channel;
  session.onClose((reason) =>
    link.close({ kind: reason === TOKEN_EXPIRED ? "unauthenticated" : "ended", reason })
  );
  try {
    for await (const text of link.messages) {
      if (session.closed) break;
      await receiveText(context, { ...pipe, channel }, text);
    }
  } finally {
    session.close("the client went away");
  }
}

interface Pipe extends PipeSession {
  readonly channel: Channel;
}

async function receiveText(context: FrontContext, pipe: Pipe, text: string): Promise<void> {
  const { session, channel } = pipe;
  try {
    if (text.length > context.maxRequestBytes()) throw tooLarge(context.maxRequestBytes());
    const frame = decode(text);
    checkBatch(frame, session);
    context.intake.checkMessages(frame.messages);
    if (frame.batch) checkNoneModern(frame.messages);
    for (const message of frame.messages) await receiveMessage(context, pipe, message);
  } catch (cause) {
    channel.send(refusedText(cause, context.line.requestId()));
  }
}

/** A token does not last as long as a pipe may: each message needs one that is valid then. */
async function receiveMessage(
  context: FrontContext,
  { session, link, channel, authenticate }: Pipe,
  message: Message,
): Promise<void> {
  try {
    const found = authenticate();
    const principal = found instanceof Promise ? await found : found;
    context.sessions.here(session.id, { front: session.front, toolset: undefined, principal });
  } catch (cause) {
    const id = message.kind === "request" ? message.id : undefined;
    channel.send(refusedText(cause, context.line.requestId(), id));
    // Its next connection can bring a new token; stdin cannot.
    if (session.front === "websocket") link.close({ kind: "unauthenticated", reason: NO_TOKEN });
    return;
  }
  if (message.kind === "request" && isModernMessage(message)) {
    receiveModern(context, { session, channel }, message);
  } else await receiveOnChannel(context, session, message);
}

/** Needs no handshake, and may be mixed with messages that do. */
function receiveModern(
  context: FrontContext,
  { session, channel }: Pick<Pipe, "session" | "channel">,
  message: RequestMessage,
): void {
  const { principal, toolset, front, address, ref, calls } = session;
  try {
    const envelope = readEnvelope(message.params);
    checkRevision(envelope);
    const request = { principal, toolset, front, address, ref, envelope };
    if (message.method === LISTEN) {
      listenOnPipe(context, context.clients.caller(request), message, session);
    } else {
      void startModern(context, request, message, new PipeRound(message.id, channel, calls));
    }
  } catch (cause) {
    channel.send(refusedText(cause, context.line.requestId(), message.id));
  }
}

/** Sends in order; what the transport does not take at once waits, within a bound. */
class PipeChannel implements Channel {
  attached = true;
  readonly #link: MessageLink;
  readonly #onOverflow: () => void;
  readonly #waiting: string[] = [];
  #unread = 0;
  #draining = false;

  constructor(link: MessageLink, onOverflow: () => void) {
    this.#link = link;
    this.#onOverflow = onOverflow;
  }

  send(text: string): boolean {
    if (!this.attached) return false;
    if (this.#draining) return this.#enqueue(text);
    const taken = this.#link.send(text);
    if (taken instanceof Promise) void this.#drain(taken);
    return true;
  }

  #enqueue(text: string): boolean {
    this.#unread += text.length;
    this.#waiting.push(text);
    if (this.#unread <= MAX_UNREAD) return true;
    this.#end();
    this.#onOverflow();
    return false;
  }

  async #drain(first: Promise<void>): Promise<void> {
    this.#draining = true;
    try {
      await first;
      for (let text = this.#waiting.shift(); text !== undefined; text = this.#waiting.shift()) {
        this.#unread -= text.length;
        await this.#link.send(text);
      }
    } catch {
      // The transport is gone; its `messages` end too, and that closes the session.
      this.#end();
    }
    this.#draining = false;
  }

  #end(): void {
    this.attached = false;
    this.#waiting.length = 0;
    this.#link.close({ kind: "unread", reason: "too much waits for its reader" });
  }
}

function tooLarge(limit: number): SentinelError {
  return new SentinelError("TOO_LARGE", `Cannot read the message: longer than ${limit} characters`);
}
