import type { SessionId } from "../../contract/ids.ts";
import { sessionRecordOf } from "../../contract/session_record.ts";
import type { Clock } from "../../ports/clock.ts";
import type { StoredEvent } from "../../ports/event_store.ts";
import type { Random } from "../../ports/random.ts";
import type {
  KeptStream,
  SessionRecord,
  SessionStore,
  StreamFacts,
} from "../../ports/session_store.ts";
import type { Commands, Server } from "./commands.ts";
import { isOfAnotherKind } from "./harmless.ts";
import type { Keys } from "./keys.ts";
import { END, KEEP, PUT, TOUCH } from "./session_scripts.ts";
import { keptStreamOf, textOrUndefined, writtenFacts } from "./session_forms.ts";

/** Of one stream. */
const MAX_STREAM_BYTES = 8 * 1024 * 1024;
/** Characters that all streams of this replica may hold there. */
const MAX_CHARACTERS = 64 * 1024 * 1024;
/** Characters on their way; what comes on top is not kept. */
const MAX_UNSENT = 16 * 1024 * 1024;
/** Sessions seen again in one go. */
const BATCH = 200;
/** Nobody asks for a secret for that long only when the gateway is not used any more. */
const SECRET_MS = 400 * 24 * 3_600_000;

export interface RedisSessionOptions {
  readonly server: Server;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly random: Random;
  /** Events kept for one stream. */
  readonly events: number;
  /** Milliseconds a stream is kept after its last event. */
  readonly keepMs: number;
}

export class RedisSessionStore implements SessionStore {
  readonly kind = "redis";
  readonly #options: RedisSessionOptions;
  readonly #keys: Keys;
  readonly #connection: Server;
  /** What this replica has there, by stream; the one written to longest ago stands first. */
  readonly #streams = new Map<string, { characters: number; at: number }>();
  readonly #unsent = new Set<Promise<unknown>>();
  #unsentCharacters = 0;
  #characters = 0;

  constructor(options: RedisSessionOptions) {
    this.#options = options;
    this.#keys = options.keys;
    this.#connection = options.server;
  }

  get failure(): string | undefined {
    return this.#connection.failure;
  }

  get outages(): number {
    return this.#connection.outages;
  }

  async get(id: SessionId): Promise<SessionRecord | undefined> {
    const answer = await this.#read(["HMGET", this.#keys.session(id), "record", "seen"]);
    const [text, seen] = Array.isArray(answer) ? answer as readonly unknown[] : [];
    const record = sessionRecordOf(textOrUndefined(text));
    if (record?.id !== id) return undefined;
    const seenAt = Number(textOrUndefined(seen));
    return { ...record, seenAt: Math.max(record.seenAt, Number.isFinite(seenAt) ? seenAt : 0) };
  }

  async put(record: SessionRecord, keepMs: number): Promise<void> {
    const key = this.#keys.session(record.id);
    const seen = String(Math.round(record.seenAt));
    const args = [JSON.stringify(record), seen, milliseconds(keepMs)];
    await this.#connection.use((connection) => connection.script(PUT, key, args));
  }

  async touch(ids: readonly SessionId[], seenAt: number, keepMs: number): Promise<void> {
    const args = [String(Math.round(seenAt)), milliseconds(keepMs)];
    for (let from = 0; from < ids.length; from += BATCH) {
      const keys = ids.slice(from, from + BATCH).map((id) => this.#keys.session(id));
      await this.#connection.use((connection) =>
        Promise.all(keys.map((key) => connection.script(TOUCH, key, args)))
      );
    }
  }

  async remove(id: SessionId): Promise<void> {
    const streams = this.#keys.streamsOf(id);
    await this.#connection.use(async (connection) => {
      const found = await connection.run(["SMEMBERS", streams]);
      const prefix = this.#keys.stream("");
      // Only what is a stream: the set may hold what nobody here wrote.
      const keys = [...(Array.isArray(found) || found instanceof Set ? found : [])]
        .map(String).filter((key) => key.startsWith(prefix));
      await connection.run(["UNLINK", this.#keys.session(id), streams, ...keys]);
    });
  }

  keep(stream: string, facts: StreamFacts, { sequence, data }: StoredEvent): void {
    if (this.failure !== undefined) return;
    if (this.#unsentCharacters + data.length > MAX_UNSENT) return;
    this.#count(stream, data.length);
    const { events, keepMs } = this.#options;
    const args = [
      String(sequence),
      JSON.stringify(data),
      writtenFacts(facts),
      String(events),
      String(MAX_STREAM_BYTES),
      milliseconds(keepMs),
      this.#keys.streamsOf(facts.session),
      milliseconds(keepMs + 60_000),
    ];
    this.#send(
      data.length,
      (connection) => connection.script(KEEP, this.#keys.stream(stream), args),
    );
  }

  keepEnd(stream: string): void {
    const args = [milliseconds(this.#options.keepMs)];
    this.#send(0, (connection) => connection.script(END, this.#keys.stream(stream), args));
  }

  async kept(stream: string, after: number): Promise<KeptStream | undefined> {
    const key = this.#keys.stream(stream);
    return keptStreamOf(await this.#read(["HGETALL", key]), after);
  }

  async secret(name: string): Promise<string> {
    const made = hex(this.#options.random.bytes(32));
    const key = this.#keys.secret(name);
    const ms = milliseconds(SECRET_MS);
    const [, , value] = await this.#connection.use((connection) =>
      Promise.all([
        connection.run(["SET", key, made, "NX", "PX", ms]),
        connection.run(["PEXPIRE", key, ms]),
        connection.run(["GET", key]),
      ])
    );
    if (typeof value === "string" && /^[0-9a-f]{64}$/.test(value)) return value;
    throw new Error("the secret there is not one of ours");
  }

  sweep(): void {
    const limit = this.#options.clock.monotonic() - this.#options.keepMs;
    for (const [stream, { characters, at }] of this.#streams) {
      if (at >= limit) break;
      this.#streams.delete(stream);
      this.#characters -= characters;
    }
  }

  async flush(): Promise<void> {
    await Promise.allSettled([...this.#unsent]);
  }

  close(): void {
    this.#connection.close();
  }

  /** What is of another kind than it should be is not there. */
  async #read(args: readonly string[]): Promise<unknown> {
    try {
      return await this.#connection.use((connection) => connection.run(args));
    } catch (cause) {
      if (isOfAnotherKind(cause)) return undefined;
      throw cause;
    }
  }

  /** Nobody waits; what cannot be written is missed by whoever reads. */
  #send(characters: number, work: (connection: Commands) => Promise<unknown>): void {
    this.#unsentCharacters += characters;
    const sent = this.#connection.use(work).catch(() => {}).finally(() => {
      this.#unsent.delete(sent);
      this.#unsentCharacters -= characters;
    });
    this.#unsent.add(sent);
  }

  /** Streams nobody has written to for longest make room. */
  #count(stream: string, characters: number): void {
    const before = this.#streams.get(stream)?.characters ?? 0;
    const held = Math.min(before + characters, MAX_STREAM_BYTES);
    this.#streams.delete(stream);
    this.#streams.set(stream, { characters: held, at: this.#options.clock.monotonic() });
    this.#characters += held - before;
    for (const [oldest, own] of this.#streams) {
      if (this.#characters <= MAX_CHARACTERS || oldest === stream) break;
      this.#streams.delete(oldest);
      this.#characters -= own.characters;
      this.#send(0, (connection) => connection.run(["UNLINK", this.#keys.stream(oldest)]));
    }
  }
}

function milliseconds(ms: number): string {
  return String(Math.max(1, Math.round(ms)));
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
