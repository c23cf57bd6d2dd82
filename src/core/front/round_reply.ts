import type { Ask, AskReply } from "../backends/link.ts";
import type { Round } from "../bridge/round.ts";
import type { Call, Outcome, Reply } from "../call/call.ts";
import type { JsonObject } from "../mcp/json.ts";
import { cannotAnswer } from "../session/session.ts";

/** The answer to a request that takes one round: its client cannot be asked anything. */
export class RoundReply implements Reply {
  readonly #round: Round;

  constructor(round: Round) {
    this.#round = round;
  }

  notify(method: string, params: JsonObject): void {
    this.#round.notify(method, params);
  }

  ask(_call: Call, ask: Ask): Promise<AskReply> {
    return Promise.resolve(cannotAnswer(ask.method));
  }

  beat(): void {
    this.#round.beat();
  }

  finish(call: Call, outcome: Outcome): void {
    this.#round.finish(call, outcome);
  }
}
