/** The answer to one POST: a JSON body until a message must go first, then an event stream. */
import type { Ask, AskReply } from "../backends/link.ts";
import type { Call, Outcome, Reply } from "../call/call.ts";
import { encodeNotification } from "../mcp/codec.ts";
import type { JsonObject } from "../mcp/json.ts";
import type { EventStream } from "../session/event_stream.ts";
import type { PendingAnswer, PendingAnswers } from "../session/pending_answers.ts";
import type { Session } from "../session/session.ts";
import type { HeaderLookup } from "../tracing/trace_context.ts";
import type { HttpOutgoing } from "./http_message.ts";
import { answerText, emptyResponse, jsonResponse, refusal, streamResponse } from "./responses.ts";

export interface PostReplyOptions {
  readonly session: Session;
  /** Requests in the POST: 1, or more in a batch. */
  readonly expected: number;
  readonly batch: boolean;
  /** Value of a header of the POST. */
  readonly header: HeaderLookup;
  /** Opens the stream when one is needed. */
  readonly openStream: () => EventStream;
  /**
   * Where an answer that takes longer becomes a stream, so that its client can come back to it; absent where
   * there would be nothing to come back to.
   */
  readonly pending: PendingAnswers | undefined;
}

export class PostReply implements Reply, PendingAnswer {
  /** Resolves as soon as it is known whether the answer is a body or a stream. */
  readonly response: Promise<HttpOutgoing>;
  readonly header: HeaderLookup;
  readonly #options: PostReplyOptions;
  readonly #answers: string[] = [];
  #open: number;
  #stream: EventStream | undefined;
  #resolve!: (response: HttpOutgoing) => void;

  constructor(options: PostReplyOptions) {
    this.header = options.header;
    this.#options = options;
    this.#open = options.expected;
    this.response = new Promise((resolve) => this.#resolve = resolve);
    options.pending?.add(this);
  }

  notify(method: string, params: JsonObject): void {
    this.#streamed().send(encodeNotification(method, params));
  }

  ask(_call: Call, ask: Ask): Promise<AskReply> {
    const stream = this.#streamed();
    return this.#options.session.asks.put(ask, (text) => stream.send(text));
  }

  beat(): void {
    this.#streamed();
  }

  finish(call: Call, outcome: Outcome): void {
    const text = answerText(call, outcome);
    const last = --this.#open === 0;
    if (this.#stream !== undefined) {
      if (text !== undefined) this.#stream.send(text);
      if (last) this.#stream.end();
      return;
    }
    if (text !== undefined) this.#answers.push(text);
    if (last) this.#respond(this.#body(call, outcome));
  }

  #body(call: Call, outcome: Outcome): HttpOutgoing {
    const [first] = this.#answers;
    if (first === undefined) return emptyResponse(202);
    if (this.#options.batch) return jsonResponse(`[${this.#answers.join(",")}]`);
    if (outcome.kind === "refused" && outcome.error.http >= 400) {
      return refusal(outcome.error, call.request, call.id, call.trace?.id);
    }
    return jsonResponse(first);
  }

  #respond(response: HttpOutgoing): void {
    this.#options.pending?.delete(this);
    this.#resolve(response);
  }

  #streamed(): EventStream {
    if (this.#stream !== undefined) return this.#stream;
    const stream = this.#stream = this.#options.openStream();
    this.#respond(streamResponse(stream.open()));
    for (const answer of this.#answers.splice(0)) stream.send(answer);
    return stream;
  }
}
