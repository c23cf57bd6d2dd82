import type { Clock } from "../../ports/clock.ts";

/** Lets others run: a long look through the event log must not hold up calls. */
export function turn(clock: Clock): Promise<void> {
  return new Promise((resolve) => void clock.after(0, resolve));
}
