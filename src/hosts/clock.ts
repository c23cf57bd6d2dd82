import type { Cancel, Clock } from "../ports/clock.ts";

/** Time of the machine. Sweeps of the same interval share one timer. */
export class SystemClock implements Clock {
  readonly #sweeps = new Map<
    number,
    { readonly runs: Set<() => void>; readonly timer: ReturnType<typeof setInterval> }
  >();

  now(): number {
    return Date.now();
  }

  monotonic(): number {
    return performance.now();
  }

  after(ms: number, run: () => void): Cancel {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  }

  every(ms: number, run: () => void): Cancel {
    const own = () => run();
    const sweep = this.#sweeps.get(ms) ?? this.#add(ms);
    sweep.runs.add(own);
    return () => {
      sweep.runs.delete(own);
      if (sweep.runs.size > 0 || this.#sweeps.get(ms) !== sweep) return;
      clearInterval(sweep.timer);
      this.#sweeps.delete(ms);
    };
  }

  #add(ms: number) {
    const runs = new Set<() => void>();
    const timer = setInterval(() => {
      for (const run of runs) run();
    }, ms);
    const sweep = { runs, timer };
    this.#sweeps.set(ms, sweep);
    return sweep;
  }
}
