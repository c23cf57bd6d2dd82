import type { DatabaseSync } from "node:sqlite";
import type { SessionId } from "../../contract/ids.ts";
import { requestIdsOf, sessionRecordOf } from "../../contract/session_record.ts";
import type { Clock } from "../../ports/clock.ts";
import type { StoredEvent } from "../../ports/event_store.ts";
import type { Random } from "../../ports/random.ts";
import type {
  KeptStream,
  SessionRecord,
  SessionStore,
  StreamFacts,
} from "../../ports/session_store.ts";
import { openDatabase } from "./open.ts";
import { SESSION_FILE } from "./session_schema.ts";
import { prepareSessions, type SessionStatements } from "./session_statements.ts";

/** How long a write of another gateway is waited for; nothing else runs meanwhile. */
const BUSY_MS = 200;
/** Characters one stream may hold. */
const MAX_STREAM = 8 * 1024 * 1024;
/** Characters all streams may hold. */
const MAX_STREAMS = 64 * 1024 * 1024;

export interface SqliteSessionOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Events kept for one stream. */
  readonly events: number;
  /** Milliseconds a stream is kept after its last event. */
  readonly keepMs: number;
  /** Sessions kept; those seen longest ago go first. 100,000 by default. */
  readonly maxSessions?: number;
  /** Characters all streams may hold; 64 Mi by default. */
  readonly maxCharacters?: number;
}

/**
 * Sessions in a SQLite file, which two gateways may share during a rolling restart.
 * @throws SentinelError that says what is wrong with the file and what to do
 */
export function openSqliteSessions(path: string, options: SqliteSessionOptions): SessionStore {
  return new SqliteSessionStore(openDatabase(path, BUSY_MS, SESSION_FILE), options);
}

/** Keys are written as JSON, because SQLite's own texts end at a NUL. */
const keyOf = JSON.stringify as (text: string) => string;

class SqliteSessionStore implements SessionStore {
  readonly kind = "sqlite";
  readonly #database: DatabaseSync;
  readonly #options: SqliteSessionOptions;
  readonly #statements: SessionStatements;
  #failure: string | undefined;
  /** Characters of all streams, as far as this process knows; counted anew at each sweep. */
  #characters = 0;
  #isOpen = true;

  constructor(database: DatabaseSync, options: SqliteSessionOptions) {
    this.#database = database;
    this.#options = options;
    this.#statements = prepareSessions(database);
    this.sweep();
  }

  get failure(): string | undefined {
    return this.#failure;
  }

  async get(id: SessionId): Promise<SessionRecord | undefined> {
    const row = await this.#try(() => this.#statements.get.get(keyOf(id), this.#now()));
    const record = sessionRecordOf(row?.["record"]);
    if (record?.id !== id) return undefined;
    return { ...record, seenAt: Math.max(record.seenAt, Number(row?.["seen"])) };
  }

  async put(record: SessionRecord, keepMs: number): Promise<void> {
    const { id, seenAt } = record;
    const until = this.#now() + Math.round(keepMs);
    await this.#try(() =>
      this.#statements.put.run(keyOf(id), JSON.stringify(record), Math.round(seenAt), until)
    );
  }

  async touch(ids: readonly SessionId[], seenAt: number, keepMs: number): Promise<void> {
    const until = this.#now() + Math.round(keepMs);
    await this.#try(() =>
      this.#together(() => {
        for (const id of ids) this.#statements.touch.run(Math.round(seenAt), until, keyOf(id));
      })
    );
  }

  async remove(id: SessionId): Promise<void> {
    const key = keyOf(id);
    const { removeSession, removeSent, removeStreams } = this.#statements;
    await this.#try(() =>
      this.#together(() => {
        removeSent.run(key);
        removeStreams.run(key);
        removeSession.run(key);
      })
    );
  }

  keep(stream: string, facts: StreamFacts, { sequence, data }: StoredEvent): void {
    const text = JSON.stringify(data);
    const until = this.#now() + this.#options.keepMs;
    const { session, requests, owner } = facts;
    const { note, add } = this.#statements;
    void this.#try(() =>
      this.#together(() => {
        const key = keyOf(stream);
        note.run(key, keyOf(session), JSON.stringify(requests), keyOf(owner), text.length, until);
        add.run(key, sequence, text);
        this.#characters += text.length;
        this.#trim(key, sequence);
      })
    ).catch(() => {});
    if (this.#characters > this.#most) this.#makeRoom();
  }

  keepEnd(stream: string): void {
    const until = this.#now() + this.#options.keepMs;
    void this.#try(() => this.#statements.end.run(until, keyOf(stream))).catch(() => {});
  }

  async kept(stream: string, after: number): Promise<KeptStream | undefined> {
    const key = keyOf(stream);
    const { stream: find, sent } = this.#statements;
    const [row, rows] = await this.#try(() =>
      [find.get(key, this.#now()), sent.all(key, after)] as const
    );
    const session = textOf(row?.["session"]);
    const owner = textOf(row?.["owner"]);
    const requests = requestIdsOf(row?.["requests"]);
    if (session === undefined || owner === undefined || requests === undefined) return undefined;
    const events = eventsAfter(rows, after);
    return { session: session as SessionId, requests, owner, events, ended: row?.["ended"] === 1 };
  }

  async secret(name: string): Promise<string> {
    const { addSecret, secret } = this.#statements;
    const made = hex(this.#options.random.bytes(32));
    const row = await this.#try(() => {
      addSecret.run(keyOf(name), made);
      return secret.get(keyOf(name));
    });
    const value = row?.["value"];
    if (typeof value !== "string" || !/^[0-9a-f]{64}$/.test(value)) {
      throw new Error("the secret in the session file is not one of ours");
    }
    return value;
  }

  sweep(): void {
    const { oldSent, oldStreams, oldSessions, overSessions, characters } = this.#statements;
    const now = this.#now();
    void this.#try(() =>
      this.#together(() => {
        oldSent.run(now);
        oldStreams.run(now);
        oldSessions.run(now);
        overSessions.run(this.#options.maxSessions ?? 100_000);
        this.#characters = Number(characters.get()?.["characters"] ?? 0);
      })
    ).catch(() => {});
  }

  flush(): Promise<void> {
    return Promise.resolve();
  }

  close(): void {
    if (this.#isOpen) this.#database.close();
    this.#isOpen = false;
  }

  get #most(): number {
    return this.#options.maxCharacters ?? MAX_STREAMS;
  }

  /** What one stream may not hold any more: its oldest events. */
  #trim(key: string, newest: number): void {
    const { dropSent, stream, shrink, oldest } = this.#statements;
    const before = newest - this.#options.events;
    let freed = Number(dropSent.get(key, before)?.["freed"] ?? 0);
    if (freed > 0) this.#statements.drop.run(key, before);
    let size = Number(stream.get(key, 0)?.["characters"] ?? 0) - freed;
    while (size > MAX_STREAM) {
      const row = oldest.get(key);
      if (row === undefined) break;
      this.#statements.drop.run(key, Number(row["sequence"]));
      freed += Number(row["size"]);
      size -= Number(row["size"]);
    }
    if (freed > 0) shrink.run(freed, key);
    this.#characters -= freed;
  }

  /** Streams nobody has written to for longest go first. */
  #makeRoom(): void {
    const { oldestStream, dropStream, dropAll } = this.#statements;
    void this.#try(() =>
      this.#together(() => {
        while (this.#characters > this.#most) {
          const row = oldestStream.get();
          if (row === undefined) break;
          const key = String(row["key"]);
          dropAll.run(key);
          dropStream.run(key);
          this.#characters -= Number(row["characters"]);
        }
      })
    ).catch(() => {});
  }

  #now(): number {
    return Math.round(this.#options.clock.now());
  }

  #together(work: () => void): void {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      work();
      this.#database.exec("COMMIT");
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw error;
    }
  }

  /** A rejection instead of an exception, and what it tells of the file. */
  #try<Result>(work: () => Result): Promise<Result> {
    try {
      if (!this.#isOpen) throw new Error("it is closed");
      const result = work();
      this.#failure = undefined;
      return Promise.resolve(result);
    } catch (error) {
      this.#failure = error instanceof Error ? error.message : String(error);
      return Promise.reject(error as Error);
    }
  }
}

/** Undefined when some are gone: numbers without a gap, from the one asked for to the newest. */
function eventsAfter(
  rows: readonly Readonly<Record<string, unknown>>[],
  after: number,
): readonly StoredEvent[] | undefined {
  const events: StoredEvent[] = [];
  for (const row of rows) {
    const data = textOf(row["data"]);
    const sequence = Number(row["sequence"]);
    if (data === undefined) return undefined;
    events.push({ sequence, data });
  }
  // The one that was asked for shows that none between is missing.
  const [first] = events;
  if (after > 0 && first?.sequence === after) events.shift();
  else if (first?.sequence !== after + 1) return undefined;
  return events.every(({ sequence }, index) => sequence === after + 1 + index) ? events : undefined;
}

/** A text written as JSON; undefined for what is none. */
function textOf(value: unknown): string | undefined {
  try {
    const text: unknown = JSON.parse(String(value));
    return typeof text === "string" ? text : undefined;
  } catch {
    return undefined;
  }
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
