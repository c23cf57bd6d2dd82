/**
 * The way back of a modern client's call. What a legacy backend asks ends the client's request with
 * `input_required`; the call waits until the next request brings the answers.
 */
import { SentinelError } from "../../contract/mod.ts";
import type { Cancel } from "../../ports/clock.ts";
import type { Ask, AskReply } from "../backends/link.ts";
import type { Call, Outcome, Reply } from "../call/call.ts";
import { isObject, type JsonObject } from "../mcp/json.ts";
import { encodeInputRequired, MAX_QUESTIONS } from "./input_required.ts";
import { asInputRequest } from "./own_hop.ts";
import type { NextRound, ParkedCalls, Waiting } from "./parked_calls.ts";
import type { Round } from "./round.ts";

/** Questions that come within this time go to the client together. */
const GATHER_MS = 10;

interface Question {
  readonly ask: Ask;
  readonly settle: (reply: AskReply | SentinelError) => void;
}

export class ParkingReply implements Reply, Waiting {
  readonly #parked: ParkedCalls;
  readonly #questions = new Map<string, Question>();
  /** Undefined while the call waits for the client. */
  #round: Round | undefined;
  /** What a further round calls its progress; undefined in the first, whose own token comes back. */
  #progress: { readonly token: unknown } | undefined;
  #gathering: Cancel | undefined;
  /** How the call ended while nobody waited. */
  #ended: { readonly call: Call; readonly outcome: Outcome } | undefined;
  #lastKey = 0;
  #call: Call | undefined;

  constructor(round: Round, parked: ParkedCalls) {
    this.#round = round;
    this.#parked = parked;
  }

  notify(method: string, params: JsonObject): void {
    const told = method === "notifications/progress" ? this.#progressed(params) : params;
    if (told !== undefined) this.#round?.notify(method, told);
  }

  beat(): void {
    this.#round?.beat();
  }

  ask(call: Call, ask: Ask): Promise<AskReply> {
    if (this.#questions.size >= MAX_QUESTIONS) {
      return Promise.reject(unreachable("too many questions are open"));
    }
    this.#call = call;
    return new Promise((resolve, reject) => {
      const key = `question_${++this.#lastKey}`;
      const withdraw = () => settle(unreachable("the backend withdrew the question"));
      const settle = (reply: AskReply | SentinelError) => {
        this.#questions.delete(key);
        ask.signal.removeEventListener("abort", withdraw);
        if (reply instanceof SentinelError) reject(reply);
        else resolve(reply);
      };
      this.#questions.set(key, { ask, settle });
      if (ask.signal.aborted) return withdraw();
      ask.signal.addEventListener("abort", withdraw, { once: true });
      this.#gather(call);
    });
  }

  finish(call: Call, outcome: Outcome): void {
    this.#gathering?.();
    this.#settleAll(() => unreachable("the call has ended"));
    const round = this.#round;
    if (round === undefined) {
      this.#ended = { call, outcome };
      return;
    }
    this.#round = undefined;
    round.finish(call, outcome);
  }

  get isFinished(): boolean {
    return this.#ended !== undefined;
  }

  attach(call: Call, { round, params }: NextRound): void {
    this.#round = round;
    this.#progress = { token: progressTokenOf(params) };
    if (this.#ended !== undefined) {
      const { outcome } = this.#ended;
      this.#ended = undefined;
      this.#round = undefined;
      return round.finish(call, outcome);
    }
    this.#answer(params["inputResponses"]);
    if (this.#questions.size > 0) this.#gather(call);
  }

  expire(): void {
    // The backend is told first what became of its questions, then that nobody wants the answer.
    this.#settleAll(({ ask }) =>
      ask.method === "elicitation/create"
        ? { result: '{"action":"cancel"}' }
        : unreachable("there was no answer in time")
    );
    this.#parked.clock.after(0, () => this.#call?.cancel("the client did not answer in time"));
  }

  end(error: SentinelError): void {
    this.#settleAll(() => error);
    this.#call?.fail(error);
  }

  #gather(call: Call): void {
    if (this.#round === undefined) return;
    this.#gathering ??= this.#parked.clock.after(GATHER_MS, () => this.#park(call));
  }

  #park(call: Call): void {
    this.#gathering = undefined;
    const round = this.#round;
    if (round === undefined || this.#questions.size === 0) return;
    const mayAsk = call.rounds < this.#parked.maxRounds;
    const token = mayAsk ? this.#parked.park(call, this) : undefined;
    if (token === undefined) return this.#decline(mayAsk);
    call.rounds++;
    call.world.limits.release(call);
    this.#round = undefined;
    const requests = new Map(
      [...this.#questions].map(([key, { ask }]) => [key, asInputRequest(ask)]),
    );
    const result = encodeInputRequired({ requests, state: token }, call.view.meta);
    round.finish(call, { kind: "result", result });
  }

  /** The call goes on as the backend likes. */
  #decline(mayAsk: boolean): void {
    this.#parked.count("failed");
    const reason = mayAsk ? "too many calls wait for answers" : "it was asked too often";
    this.#settleAll(() => unreachable(reason));
  }

  /** Answers without a question are ignored; what has none is asked again. */
  #answer(responses: unknown): void {
    if (!isObject(responses)) return;
    for (const [key, { settle }] of [...this.#questions]) {
      const response = Object.hasOwn(responses, key) ? responses[key] : undefined;
      if (isObject(response)) settle({ result: JSON.stringify(response) });
    }
  }

  #settleAll(replyTo: (question: Question) => AskReply | SentinelError): void {
    for (const question of [...this.#questions.values()]) question.settle(replyTo(question));
  }

  #progressed(params: JsonObject): JsonObject | undefined {
    if (this.#progress === undefined) return params;
    const { token } = this.#progress;
    return token === undefined ? undefined : { ...params, progressToken: token };
  }
}

function progressTokenOf({ _meta: meta }: JsonObject): unknown {
  return isObject(meta) ? meta["progressToken"] : undefined;
}

function unreachable(reason: string): SentinelError {
  return new SentinelError("CLIENT_UNREACHABLE", `Cannot ask the client: ${reason}`, { reason });
}
