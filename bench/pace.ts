/** When the loops of a slice make their calls. */
import { setTimeout as delay } from "node:timers/promises";
import type { Work } from "./work.ts";

/** How much longer than its tool takes a loop's beat is, so that a late loop falls back into step. */
const ROOM = 1.1;

/** Loops that have so many calls under way on average: those of a slow tool wait for their beat. */
export function loopsFor(work: Work, inFlight: number): number {
  return work.tool === "sleep" ? Math.round(inFlight * ROOM) : inFlight;
}

/** The beats of one loop, whose first is `share` of a beat after `start`; undefined: it never waits. */
export function beatsOf(work: Work, start: number, share: number): Beats | undefined {
  if (work.tool !== "sleep") return undefined;
  const beatMs = work.ms * ROOM;
  return new Beats(start + beatMs * share, beatMs);
}

/**
 * Keeps loops at a distance: those that call a tool of fixed duration as soon as they can fall into step, and then
 * measure the queue they are.
 */
class Beats {
  readonly #beatMs: number;
  #next: number;

  constructor(first: number, beatMs: number) {
    this.#next = first;
    this.#beatMs = beatMs;
  }

  /** Resolves at the next beat, or at once when that has passed. */
  async next(): Promise<void> {
    const ms = this.#next - performance.now();
    if (ms > 0) await delay(ms);
    this.#next = beatAfter(this.#next, this.#beatMs, performance.now());
  }
}

/** The beat after one at `beat`, or the last one that has passed by `now`: no loop makes up for what it missed. */
export function beatAfter(beat: number, beatMs: number, now: number): number {
  return beat + beatMs * Math.max(1, Math.floor((now - beat) / beatMs));
}
