/** When processes were ready to run and others ran: what of a late answer is the machine's doing. */
import { cpuTimeOf } from "./cpu_time.ts";

const LOOK_MS = 100;

interface Look {
  /** Of `performance.now`. */
  readonly at: number;
  /** Milliseconds since the process began. */
  readonly waited: number;
}

export class CpuWaits {
  readonly #looks: ReadonlyMap<number, Look[]>;
  readonly #timer: NodeJS.Timeout;

  /** Looks at their main threads until `stop`. */
  constructor(pids: readonly number[]) {
    this.#looks = new Map(pids.map((pid) => [pid, []]));
    this.#look();
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Milliseconds that all of them together waited from `from` to `to`, of `performance.now`. */
  between(from: number, to: number): number {
    let waited = 0;
    for (const looks of this.#looks.values()) {
      const before = looks.findLast(({ at }) => at <= from) ?? looks[0];
      const after = looks.find(({ at }) => at >= to) ?? looks.at(-1);
      waited += (after?.waited ?? 0) - (before?.waited ?? 0);
    }
    return waited;
  }

  #look(): void {
    const at = performance.now();
    for (const [pid, looks] of this.#looks) {
      try {
        looks.push({ at, waited: cpuTimeOf(pid).waited });
      } catch {
        // It has ended: it does not wait any more.
      }
    }
  }
}
