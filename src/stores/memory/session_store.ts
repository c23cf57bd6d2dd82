import type { SessionId } from "../../contract/ids.ts";
import type { Clock } from "../../ports/clock.ts";
import type { StoredEvent } from "../../ports/event_store.ts";
import type { Random } from "../../ports/random.ts";
import type {
  KeptStream,
  SessionRecord,
  SessionStore,
  StreamFacts,
} from "../../ports/session_store.ts";

export interface MemorySessionOptions {
  readonly clock: Clock;
  readonly random: Random;
  /**
   * Whether several gateways of one process use it; without that no record is kept, because a gateway has its
   * own sessions in memory anyway. Default: true.
   */
  readonly isShared?: boolean;
}

/** Streams that went on elsewhere are nobody's here: a gateway has its own in memory anyway. */
export class MemorySessionStore implements SessionStore {
  readonly kind = "memory";
  readonly #options: MemorySessionOptions;
  readonly #records = new Map<SessionId, { record: SessionRecord; until: number }>();
  readonly #secrets = new Map<string, string>();

  constructor(options: MemorySessionOptions) {
    this.#options = options;
  }

  get failure(): string | undefined {
    return undefined;
  }

  get(id: SessionId): Promise<SessionRecord | undefined> {
    const kept = this.#records.get(id);
    const isOver = kept === undefined || kept.until <= this.#options.clock.monotonic();
    return Promise.resolve(isOver ? undefined : kept.record);
  }

  put(record: SessionRecord, keepMs: number): Promise<void> {
    if (this.#options.isShared === false) return Promise.resolve();
    this.#records.set(record.id, { record, until: this.#options.clock.monotonic() + keepMs });
    return Promise.resolve();
  }

  touch(ids: readonly SessionId[], seenAt: number, keepMs: number): Promise<void> {
    for (const id of ids) {
      const kept = this.#records.get(id);
      if (kept === undefined) continue;
      kept.record = { ...kept.record, seenAt };
      kept.until = this.#options.clock.monotonic() + keepMs;
    }
    return Promise.resolve();
  }

  remove(id: SessionId): Promise<void> {
    this.#records.delete(id);
    return Promise.resolve();
  }

  keep(_stream: string, _facts: StreamFacts, _event: StoredEvent): void {}

  keepEnd(_stream: string): void {}

  kept(_stream: string, _after: number): Promise<KeptStream | undefined> {
    return Promise.resolve(undefined);
  }

  secret(name: string): Promise<string> {
    const known = this.#secrets.get(name) ?? hex(this.#options.random.bytes(32));
    this.#secrets.set(name, known);
    return Promise.resolve(known);
  }

  sweep(): void {
    const now = this.#options.clock.monotonic();
    for (const [id, { until }] of this.#records) if (until <= now) this.#records.delete(id);
  }

  flush(): Promise<void> {
    return Promise.resolve();
  }

  close(): void {}
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
