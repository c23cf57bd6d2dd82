/**
 * A circuit: opens when calls fail, refuses for a while, then lets exactly one probe through (trust.md B1). It
 * knows neither calls nor errors, only time.
 */
import type { BackendConfig } from "../../contract/mod.ts";
import type { CircuitState } from "../../contract/status.ts";
import { CallWindow } from "./call_window.ts";

/** How long it is open the first time; doubles each time up to `open_for`. */
const FIRST_OPEN_MS = 1000;
/** Fewer calls within 30 seconds say nothing of a ratio. */
const MIN_CALLS = 20;
/** Part of the time it is open that is left to chance, so that replicas do not probe together. */
const JITTER = 0.1;
/** What refused callers are told while a probe is under way. */
const PROBE_MS = 1000;

export interface BreakerOptions {
  /** In force now. */
  readonly settings: () => Pick<
    BackendConfig["health"],
    "failures" | "failure_ratio" | "open_for" | "healthy_after"
  >;
  /** Uniform in [0, 1). */
  readonly fraction: () => number;
  /** It came into this state; `openMs` when it is open now. */
  readonly changed: (state: CircuitState, openMs?: number) => void;
}

/** What a circuit does with one call: lets it pass, makes it the probe, or refuses it. */
export type Entry = "pass" | "probe" | "refused";

export class Breaker {
  readonly #options: BreakerOptions;
  readonly #window = new CallWindow();
  #state: CircuitState = "closed";
  /** Failures in a row. */
  #row = 0;
  /** Monotonic time until which it is open. */
  #until = 0;
  /** Monotonic time since it is closed. */
  #closedAt = 0;
  /** Times it has opened without a good while between. */
  #openings = 0;
  #isProbing = false;
  /** Pings in a row that succeeded while it was half open. */
  #pings = 0;

  constructor(options: BreakerOptions) {
    this.#options = options;
  }

  get state(): CircuitState {
    return this.#state;
  }

  /** Monotonic time at which a probe may pass; 0 unless it is open. */
  get until(): number {
    return this.#state === "open" ? this.#until : 0;
  }

  /** Closed, and nothing is left to remember. */
  isForgettable(now: number): boolean {
    if (this.#state !== "closed" || this.#row > 0) return false;
    return this.#openings === 0 ? this.#window.marked(now) === 0 : this.#isGoodAgain(now);
  }

  /** Milliseconds until a refused call is worth another try. */
  retryAfter(now: number): number {
    return this.#state === "open" && this.#until > now ? Math.ceil(this.#until - now) : PROBE_MS;
  }

  /** Asks for one call. Whoever gets the probe reports it with `probed`. */
  enter(now: number): Entry {
    if (this.#state === "closed") return "pass";
    if (this.#isProbing || (this.#state === "open" && now < this.#until)) return "refused";
    this.#isProbing = true;
    if (this.#state === "open") this.#come("half_open");
    return "probe";
  }

  /** A call that passed ended well. */
  succeeded(now: number): void {
    if (this.#state !== "closed") return;
    this.#row = 0;
    this.#window.count(now);
  }

  /** A call that passed failed; those that were under way when it opened change nothing. */
  failed(now: number): void {
    if (this.#state !== "closed") return;
    this.#row++;
    this.#window.count(now);
    this.#window.mark(now);
    if (this.#isTooMuch(now)) this.#open(now);
  }

  /** How the probe ended; undefined: it says nothing, and the next call is the probe. */
  probed(now: number, succeeded: boolean | undefined): void {
    this.#isProbing = false;
    if (this.#state !== "half_open" || succeeded === undefined) return;
    if (succeeded) this.#close(now);
    else this.#open(now);
  }

  /** As `probed`, for a ping: several in a row are needed. */
  pinged(now: number, succeeded: boolean): void {
    this.#isProbing = false;
    if (this.#state !== "half_open") return;
    if (!succeeded) return this.#open(now);
    this.#pings++;
    if (this.#pings >= this.#options.settings().healthy_after) this.#close(now);
  }

  #isTooMuch(now: number): boolean {
    const { failures, failure_ratio } = this.#options.settings();
    if (this.#row >= failures) return true;
    const calls = this.#window.calls(now);
    return calls >= MIN_CALLS && this.#window.marked(now) >= calls * failure_ratio;
  }

  #open(now: number): void {
    const { settings, fraction } = this.#options;
    if (this.#state === "closed" && this.#isGoodAgain(now)) this.#openings = 0;
    const longest = Math.min(settings().open_for, FIRST_OPEN_MS * 2 ** this.#openings);
    const openMs = longest * (1 - JITTER * fraction());
    this.#openings++;
    this.#until = now + openMs;
    this.#come("open", openMs);
  }

  #close(now: number): void {
    this.#row = 0;
    this.#closedAt = now;
    this.#window.clear();
    this.#come("closed");
  }

  /** One that closes and opens in turn keeps its long time. */
  #isGoodAgain(now: number): boolean {
    return now - this.#closedAt >= 2 * this.#options.settings().open_for;
  }

  #come(state: CircuitState, openMs?: number): void {
    this.#state = state;
    this.#pings = 0;
    this.#options.changed(state, openMs);
  }
}
