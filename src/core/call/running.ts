/** All calls of all fronts that are not answered yet, so that a stop can end every one of them. */
import { SentinelError } from "../../contract/mod.ts";
import type { Call } from "./call.ts";

export class RunningCalls {
  readonly #calls = new Set<Call>();

  get size(): number {
    return this.#calls.size;
  }

  add(call: Call): void {
    this.#calls.add(call);
  }

  /** It is answered. */
  delete(call: Call): void {
    this.#calls.delete(call);
  }

  /** Ends all of them: their clients are told STOPPING, and whether the call may have run. */
  end(): void {
    for (const call of [...this.#calls]) call.fail(stopping(call));
  }
}

function stopping({ isIntended }: Call): SentinelError {
  return new SentinelError("STOPPING", "Cannot finish the call: the gateway is stopping", {
    // In band: an answer to a request that was understood.
    http: 200,
    executed: isIntended ? "unknown" : "no",
  });
}
