/** A store of sessions, with the time it takes measured. */
import type { Clock } from "../../ports/clock.ts";
import type { SessionStore } from "../../ports/session_store.ts";
import type { Telemetry } from "../../ports/telemetry.ts";

export interface WatchOptions {
  readonly store: SessionStore;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
}

type Operation = "get" | "put" | "touch" | "remove" | "kept";

export function watchedStore({ store, clock, telemetry }: WatchOptions): SessionStore {
  const timed = async <Result>(operation: Operation, work: () => Promise<Result>) => {
    const begun = clock.monotonic();
    let result: "ok" | "failed" = "failed";
    try {
      const value = await work();
      result = "ok";
      return value;
    } finally {
      const labels = { store: store.kind, operation, result };
      telemetry.series("sentinel_session_store_duration_seconds", labels)
        .observe((clock.monotonic() - begun) / 1000);
    }
  };
  return {
    kind: store.kind,
    get failure() {
      return store.failure;
    },
    get outages() {
      return store.outages ?? 0;
    },
    get: (id) => timed("get", () => store.get(id)),
    put: (record, keepMs) => timed("put", () => store.put(record, keepMs)),
    touch: (ids, seenAt, keepMs) => timed("touch", () => store.touch(ids, seenAt, keepMs)),
    remove: (id) => timed("remove", () => store.remove(id)),
    keep: (stream, facts, event) => store.keep(stream, facts, event),
    keepEnd: (stream) => store.keepEnd(stream),
    kept: (stream, after) => timed("kept", () => store.kept(stream, after)),
    secret: (name) => store.secret(name),
    sweep: () => store.sweep(),
    flush: () => store.flush(),
    close: () => store.close(),
  };
}
