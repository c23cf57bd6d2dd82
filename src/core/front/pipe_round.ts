/** A round on a pipe: the request with its id, which a message can cancel. */
import type { Round, RoundAnswer } from "../bridge/round.ts";
import type { Call, Outcome } from "../call/call.ts";
import { encodeNotification } from "../mcp/codec.ts";
import type { JsonObject } from "../mcp/json.ts";
import type { InFlight } from "../session/caller.ts";
import type { Channel } from "../session/channel.ts";
import { answerTo } from "./modern_answer.ts";

export class PipeRound implements Round, InFlight {
  readonly id: string;
  readonly #channel: Channel;
  /** What can be cancelled on the pipe, by id. */
  readonly #calls: Map<string, InFlight>;
  #isOver = false;
  #gone: string | undefined;
  #onGone: ((reason: string) => void) | undefined;

  constructor(id: string, channel: Channel, calls: Map<string, InFlight>) {
    this.id = id;
    this.#channel = channel;
    this.#calls = calls;
    calls.set(id, this);
  }

  notify(method: string, params: JsonObject): void {
    if (!this.#isOver) this.#channel.send(encodeNotification(method, params));
  }

  beat(): void {
    // A pipe is not taken for dead.
  }

  onGone(run: (reason: string) => void): void {
    this.#onGone = run;
    if (this.#gone !== undefined) run(this.#gone);
  }

  /** The client does not wait any more: there will be no answer. */
  cancel(reason: string): void {
    if (this.#isOver) return;
    this.#gone = reason;
    this.#end();
    this.#onGone?.(reason);
  }

  finish(call: Call, outcome: Outcome): void {
    if (!this.#isOver) this.close(answerTo(this.id, call, outcome));
  }

  close(answer: RoundAnswer | undefined): void {
    if (this.#isOver) return;
    this.#end();
    if (answer !== undefined) this.#channel.send(answer.text);
  }

  #end(): void {
    this.#isOver = true;
    if (this.#calls.get(this.id) === this) this.#calls.delete(this.id);
  }
}
