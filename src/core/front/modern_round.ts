/** A round over HTTP: a JSON body until a message must go first, then an event stream. */
import type { Round, RoundAnswer } from "../bridge/round.ts";
import type { Call, Outcome } from "../call/call.ts";
import { encodeNotification } from "../mcp/codec.ts";
import type { JsonObject } from "../mcp/json.ts";
import { EventStream } from "../session/event_stream.ts";
import type { HttpOutgoing } from "./http_message.ts";
import { answerTo } from "./modern_answer.ts";
import { emptyResponse, jsonResponse, retryAfterHeader, streamResponse } from "./responses.ts";

export interface ModernHttpRoundOptions {
  /** JSON text of the request's id. */
  readonly id: string;
  /** The client read too slowly and lost its stream. */
  readonly overflow: () => void;
  /** Called when nothing more will be sent. */
  readonly over: () => void;
}

export class ModernHttpRound implements Round {
  readonly id: string;
  /** Resolves as soon as it is known whether the answer is a body or a stream. */
  readonly response: Promise<HttpOutgoing>;
  readonly #options: ModernHttpRoundOptions;
  #stream: EventStream | undefined;
  #isOver = false;
  #gone: string | undefined;
  #onGone: ((reason: string) => void) | undefined;
  #respond!: (response: HttpOutgoing) => void;

  constructor(options: ModernHttpRoundOptions) {
    this.id = options.id;
    this.#options = options;
    this.response = new Promise((resolve) => this.#respond = resolve);
  }

  notify(method: string, params: JsonObject): void {
    if (!this.#isOver) this.#streamed().send(encodeNotification(method, params));
  }

  beat(): void {
    if (!this.#isOver) this.#streamed().beat();
  }

  onGone(run: (reason: string) => void): void {
    this.#onGone = run;
    if (this.#gone !== undefined) run(this.#gone);
  }

  finish(call: Call, outcome: Outcome): void {
    if (!this.#isOver) this.close(answerTo(this.id, call, outcome));
  }

  close(answer: RoundAnswer | undefined): void {
    if (this.#isOver) return;
    if (answer !== undefined) this.#stream?.send(answer.text);
    this.#end();
    this.#respond(answer === undefined ? emptyResponse(202) : bodyOf(answer));
  }

  /** The client does not wait any more. */
  leave(reason: string): void {
    if (this.#isOver) return;
    this.#gone = reason;
    this.#end();
    this.#respond(emptyResponse(202));
    this.#onGone?.(reason);
  }

  #end(): void {
    this.#isOver = true;
    this.#stream?.end();
    this.#options.over();
  }

  #streamed(): EventStream {
    if (this.#stream !== undefined) return this.#stream;
    const stream = this.#stream = new EventStream({
      key: "round",
      onGone: (reason) => {
        if (reason === "overflow" && !this.#isOver) this.#options.overflow();
        this.leave(reason === "overflow" ? "the client read too slowly" : "the client went away");
      },
    });
    this.#respond(streamResponse(stream.open()));
    return stream;
  }
}

function bodyOf({ text, status, retryAfterMs }: RoundAnswer): HttpOutgoing {
  const headers = retryAfterMs === undefined ? undefined : retryAfterHeader(retryAfterMs);
  return jsonResponse(text, status, headers);
}
