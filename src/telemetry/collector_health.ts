/** Tells once that a collector does not take what it gets, and once that it does again. */
import type { Log } from "../ports/log.ts";

/** Longest reason that is told. */
const MAX_REASON = 300;

export interface CollectorHealthOptions {
  readonly log: Log;
  readonly signal: "traces" | "metrics";
  /** Where it is, without credentials. */
  readonly endpoint: string;
}

export class CollectorHealth {
  readonly #options: CollectorHealthOptions;
  #isAway = false;

  constructor(options: CollectorHealthOptions) {
    this.#options = options;
  }

  failed(reason: string): void {
    if (this.#isAway) return;
    this.#isAway = true;
    const { log, signal, endpoint } = this.#options;
    log.write("telemetry.failed", { signal, endpoint, reason: reason.slice(0, MAX_REASON) });
  }

  worked(): void {
    if (!this.#isAway) return;
    this.#isAway = false;
    const { log, signal, endpoint } = this.#options;
    log.write("telemetry.recovered", { signal, endpoint });
  }
}
