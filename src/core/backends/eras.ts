/** Which era a backend was found to speak. It is asked again from time to time, because servers are upgraded. */
import type { Era } from "../../contract/mod.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";

const KEPT_MS = 3_600_000;

export class EraMemory {
  readonly #backend: string;
  readonly #clock: Clock;
  readonly #log: Log;
  #verdict: { readonly era: Era; readonly until: number } | undefined;
  /** What was written to the log last. */
  #said: string | undefined;

  constructor(backend: string, clock: Clock, log: Log) {
    this.#backend = backend;
    this.#clock = clock;
    this.#log = log;
  }

  /** Undefined when it has to be found out. */
  get known(): Era | undefined {
    if (this.#verdict === undefined) return undefined;
    return this.#clock.monotonic() < this.#verdict.until ? this.#verdict.era : undefined;
  }

  /** It was found out by somebody else. */
  recall(era: Era): void {
    this.#verdict = { era, until: this.#clock.monotonic() + KEPT_MS };
  }

  /** It was found out just now. */
  learn(era: Era, revision: string): void {
    this.#verdict = { era, until: this.#clock.monotonic() + KEPT_MS };
    const said = `${era} ${revision}`;
    if (this.#said === said) return;
    this.#said = said;
    this.#log.write("backend.era", { backend: this.#backend, era, revision });
  }

  /** It turned out to be wrong. */
  forget(): void {
    this.#verdict = undefined;
  }
}
