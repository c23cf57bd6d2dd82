/** Requests of clients that were turned away before there was a call: rows, but never as many as strangers like. */
import type { Clock } from "../../ports/clock.ts";
import type { Refusal } from "./other_rows.ts";

/** Rows in a second; those between are counted in the next one. */
const MAX_PER_SECOND = 20;
const SECOND_MS = 1000;

/** Gives a function that records refusals, within bounds. */
export function createRefusalRows(
  record: (refusal: Refusal) => void,
  clock: Clock,
): (refusal: Refusal) => void {
  let since = -Infinity;
  let rows = 0;
  let more = 0;
  return (refusal) => {
    const now = clock.monotonic();
    if (now - since >= SECOND_MS) {
      since = now;
      rows = 0;
    }
    if (++rows > MAX_PER_SECOND) {
      more++;
      return;
    }
    const why = more === 0 ? refusal.why : `${refusal.why}; and ${more} more before it`;
    more = 0;
    record({ ...refusal, why });
  };
}
