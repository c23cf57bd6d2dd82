/** A WebSocket as a pipe of messages, over what the runtime at hand calls a WebSocket. */
import { Buffer } from "node:buffer";
import type { Upgrade } from "../../core/mod.ts";
import type { LinkEnd, MessageLink } from "../../ports/message_link.ts";

/** Close codes of RFC 6455 and its registry. */
const CODES = { ended: 1001, unread: 1013, unauthenticated: 1008 } as const;
const NOT_TEXT = 1003;
const TOO_LARGE = 1009;
const TOO_MANY = 1013;
/** Bytes of a close reason. */
const MAX_REASON = 123;

/** Messages that wait for the core, in characters: a socket that can be paused is, the others are closed. */
const PAUSE_AT = 1024 * 1024;
const MAX_WAITING = 16 * 1024 * 1024;
/** What a short message costs beside its characters. */
const MESSAGE_WEIGHT = 128;

/** After the close frame, until the connection is cut. */
const CLOSE_MS = 2000;
/** Pings without an answer that a client may owe. */
const MAX_UNANSWERED = 2;

/** What a runtime's WebSocket can do. */
export interface Socket {
  /** A promise when the connection does not take it at once; never rejects. */
  send(text: string): void | Promise<void>;
  /** Sends a close frame. */
  close(code: number, reason: string): void;
  /** Cuts the connection; absent where that cannot be done. */
  readonly terminate?: () => void;
  /** Absent where the runtime pings by itself. */
  readonly ping?: () => void;
  /** Stops and continues reading; absent where that cannot be done. */
  readonly pause?: () => void;
  readonly resume?: () => void;
}

type Bounds = Pick<Upgrade, "maxMessageBytes" | "heartbeatMs">;

export class WebSocketLink implements MessageLink {
  readonly messages: AsyncIterable<string>;
  readonly #socket: Socket;
  readonly #bounds: Bounds;
  #waiting: string[] = [];
  #weight = 0;
  #paused = false;
  #ended = false;
  #wake: (() => void) | undefined;
  /** Monotonic time of the last ping. */
  #pingedAt: number | undefined;
  #unanswered = 0;
  /** Monotonic time at which the connection is cut; 0 until the next look decides. */
  #cutAt: number | undefined;

  constructor(socket: Socket, bounds: Bounds) {
    this.#socket = socket;
    this.#bounds = bounds;
    this.messages = this.#read();
  }

  send(text: string): void | Promise<void> {
    if (!this.#ended) return this.#socket.send(text);
  }

  close({ kind, reason }: LinkEnd): void {
    this.#close(CODES[kind], reason);
  }

  /** A message came; what is no text is undefined. */
  received(text: string | undefined): void {
    if (this.#ended) return;
    const limit = this.#bounds.maxMessageBytes();
    if (text === undefined) return this.#close(NOT_TEXT, "messages are text");
    if (isLonger(text, limit)) return this.#close(TOO_LARGE, `longer than ${limit} bytes`);
    this.#waiting.push(text);
    this.#weight += text.length + MESSAGE_WEIGHT;
    this.#wake?.();
    if (this.#weight > PAUSE_AT) this.#hold();
  }

  /** The client answered a ping. */
  ponged(): void {
    this.#unanswered = 0;
  }

  /** The connection has ended. */
  closed(): void {
    this.#end();
  }

  /** Pings when it is time, and cuts what does not answer. */
  look(now: number): void {
    const { ping, terminate } = this.#socket;
    if (this.#ended) {
      this.#cutAt ??= now + CLOSE_MS;
      if (now >= this.#cutAt) terminate?.();
      return;
    }
    this.#pingedAt ??= now;
    if (ping === undefined || now - this.#pingedAt < this.#bounds.heartbeatMs()) return;
    this.#pingedAt = now;
    // A socket that is paused reads no answers.
    if (this.#paused) return;
    if (this.#unanswered++ < MAX_UNANSWERED) return ping();
    this.#end();
    terminate?.();
  }

  terminate(): void {
    this.#end();
    this.#socket.terminate?.();
  }

  /** Too much waits for the core. */
  #hold(): void {
    const { pause } = this.#socket;
    if (pause !== undefined) {
      if (!this.#paused) pause();
      this.#paused = true;
    } else if (this.#weight > MAX_WAITING && this.#waiting.length > 1) {
      this.#close(TOO_MANY, "too many messages wait");
    }
  }

  #close(code: number, reason: string): void {
    if (this.#ended) return;
    this.#end();
    this.#socket.close(code, shortened(reason));
  }

  #end(): void {
    this.#ended = true;
    this.#waiting = [];
    // Else the end of the connection would not be read.
    if (this.#paused) this.#socket.resume?.();
    this.#paused = false;
    this.#wake?.();
  }

  async *#read(): AsyncGenerator<string> {
    for (;;) {
      const texts = this.#waiting;
      this.#waiting = [];
      this.#weight = 0;
      for (const text of texts) {
        if (this.#ended) return;
        yield text;
      }
      if (this.#ended) return;
      if (this.#waiting.length > 0) continue;
      if (this.#paused) this.#socket.resume?.();
      this.#paused = false;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }
}

function isLonger(text: string, limit: number): boolean {
  if (text.length > limit) return true;
  return text.length * 3 > limit && Buffer.byteLength(text) > limit;
}

/** As much of a reason as a close frame holds. */
function shortened(reason: string): string {
  const { read } = new TextEncoder().encodeInto(reason, new Uint8Array(MAX_REASON));
  return reason.slice(0, read);
}
