/** How much of what is sent to a backend may be sent again: a share of its calls, and one in any case. */
import { CallWindow } from "./call_window.ts";

/** Retries within 30 seconds that are allowed whatever the share is. */
const AT_LEAST = 1;

export class RetryBudget {
  readonly #window = new CallWindow();

  /** A call is sent for the first time at `now` (monotonic ms). */
  count(now: number): void {
    this.#window.count(now);
  }

  /** Takes one retry. @param share of the calls of the last 30 seconds, 0 to 1 */
  take(now: number, share: number): boolean {
    const allowed = Math.max(AT_LEAST, Math.floor(this.#window.calls(now) * share));
    if (this.#window.marked(now) >= allowed) return false;
    this.#window.mark(now);
    return true;
  }
}
