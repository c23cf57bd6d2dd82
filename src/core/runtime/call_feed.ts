import type { CallRecord } from "../../contract/manage/mod.ts";
import type { Cancel } from "../../ports/clock.ts";

/** Tells whoever watches about each call that has ended; costs one look when nobody does. */
export class CallFeed {
  readonly #watchers = new Set<(call: CallRecord) => void>();

  get isWatched(): boolean {
    return this.#watchers.size > 0;
  }

  watch(take: (call: CallRecord) => void): Cancel {
    this.#watchers.add(take);
    return () => void this.#watchers.delete(take);
  }

  publish(call: CallRecord): void {
    for (const take of this.#watchers) take(call);
  }
}
