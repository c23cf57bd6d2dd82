/** What backends were found to be, for cores that serve one request each: data alone lasts from one to the next. */
import { rereadAfter } from "../catalog/cache_hints.ts";
import type { BackendCatalog } from "../catalog/types.ts";

/** What a backend offers is read again after that, or earlier where the backend says so. */
const FRESH_MS = 60_000;
/** One that could not be reached is not tried again before a call needs it, for so long. */
const FAILED_MS = 10_000;

interface Kept {
  readonly found: BackendCatalog;
  /** Monotonic time. */
  readonly at: number;
}

export class BackendMemory {
  readonly #kept = new Map<string, Kept>();
  /** Monotonic times. */
  readonly #failed = new Map<string, number>();

  /** What it offered when it was last read. */
  found(backend: string): BackendCatalog | undefined {
    return this.#kept.get(backend)?.found;
  }

  /** Whether that was lately enough. */
  isFresh(backend: string, now: number): boolean {
    const kept = this.#kept.get(backend);
    if (kept === undefined || this.hasFailed(backend, now)) return false;
    return now - kept.at < Math.min(FRESH_MS, rereadAfter(kept.found) ?? FRESH_MS);
  }

  /** Whether it could not be reached a moment ago. */
  hasFailed(backend: string, now: number): boolean {
    return now - (this.#failed.get(backend) ?? -Infinity) < FAILED_MS;
  }

  keep(backend: string, found: BackendCatalog, now: number): void {
    this.#kept.set(backend, { found, at: now });
  }

  reached(backend: string): void {
    this.#failed.delete(backend);
  }

  failed(backend: string, now: number): void {
    this.#failed.set(backend, now);
  }

  /** Something is not as it was found: it is read again with the next core. */
  outdated(backend: string): void {
    const kept = this.#kept.get(backend);
    if (kept !== undefined) this.#kept.set(backend, { ...kept, at: -Infinity });
  }
}
