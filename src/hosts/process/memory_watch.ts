/** Ends children whose process groups hold more memory than they may. */
import type { Exceeded } from "../../ports/process.ts";
import { usageOf } from "./process_table.ts";

const LOOK_MS = 1000;

/** A child whose memory is watched. */
export interface WatchedChild {
  readonly pid: number;
  /** It uses more than it may: ends it, with its group. */
  exceed(exceeded: Exceeded): void;
}

export class MemoryWatch {
  readonly #watched = new Map<WatchedChild, number>();
  #looking: ReturnType<typeof setInterval> | undefined;

  /** `most`: bytes. The memory is looked at every second while anything is watched, and only then. */
  add(child: WatchedChild, most: number): void {
    this.#watched.set(child, most);
    this.#looking ??= setInterval(() => this.#look(), LOOK_MS);
    // A watch alone must not keep the gateway running.
    this.#looking.unref();
  }

  drop(child: WatchedChild): void {
    this.#watched.delete(child);
    if (this.#watched.size > 0) return;
    clearInterval(this.#looking);
    this.#looking = undefined;
  }

  #look(): void {
    const leaders = new Set(Array.from(this.#watched.keys(), ({ pid }) => pid));
    const usages = usageOf(leaders);
    for (const [child, most] of [...this.#watched]) {
      const used = usages?.get(child.pid)?.bytes ?? 0;
      if (used > most) child.exceed({ limit: "memory", used, most });
    }
  }
}
