import type { DatabaseSync, SQLOutputValue, StatementSync } from "node:sqlite";
import { SentinelError } from "../../contract/errors.ts";
import type { GatewayEvent, Severity } from "../../contract/events.ts";
import type { NewEvent, StateArea, StateStore } from "../../ports/state_store.ts";
import { failure } from "./failure.ts";
import { openDatabase } from "./open.ts";

export interface SqliteStateOptions {
  /** Events kept; 100,000 by default. */
  readonly maxEvents?: number;
  /** Keys one area may hold; 10,000 by default. */
  readonly maxKeys?: number;
  /**
   * Milliseconds to wait for another process that writes; 1000 by default. Nothing else runs meanwhile: a
   * write of another gateway takes less than one.
   */
  readonly busyMs?: number;
}

/**
 * The state in a SQLite file, which two gateways may share during a rolling restart.
 * @throws SentinelError that says what is wrong with the file and what to do
 */
export function openSqliteState(path: string, options: SqliteStateOptions = {}): StateStore {
  const { maxEvents = 100_000, maxKeys = 10_000, busyMs = 1000 } = options;
  const database = openDatabase(path, busyMs);
  try {
    bound(database, maxEvents);
    return new SqliteStateStore(path, database, maxKeys);
  } catch (error) {
    database.close();
    throw failure(path, "open", error);
  }
}

class SqliteStateStore implements StateStore {
  readonly kind = "sqlite";
  readonly #path: string;
  readonly #database: DatabaseSync;
  readonly #maxKeys: number;
  readonly #statements: ReturnType<typeof prepare>;
  #isOpen = true;

  constructor(path: string, database: DatabaseSync, maxKeys: number) {
    this.#path = path;
    this.#database = database;
    this.#maxKeys = maxKeys;
    this.#statements = prepare(database);
  }

  append({ at, event, severity, fields }: NewEvent): number {
    return this.#try("write", () => {
      const text = JSON.stringify(fields);
      return Number(this.#statements.append.run(at, event, severity, text).lastInsertRowid);
    });
  }

  eventsAfter(cursor: number, limit: number): readonly GatewayEvent[] {
    return this.#try("read", () => this.#statements.after.all(cursor, limit).map(eventOf));
  }

  bounds(): { readonly oldest: number; readonly last: number } {
    return this.#try("read", () => {
      const row = this.#statements.bounds.get();
      return { oldest: Number(row?.["oldest"] ?? 0), last: Number(row?.["last"] ?? 0) };
    });
  }

  entries(area: StateArea): ReadonlyMap<string, unknown> {
    return this.#try("read", () =>
      new Map(
        this.#statements.entries.all(area).map((row) => [
          String(row["key"]),
          JSON.parse(String(row["value"])) as unknown,
        ]),
      ));
  }

  put(area: StateArea, key: string, value: unknown): void {
    const { changes } = this.#try("write", () => {
      const { put } = this.#statements;
      return put.run({ area, key, value: JSON.stringify(value), max: this.#maxKeys });
    });
    if (Number(changes) > 0) return;
    const reason = `${this.#maxKeys} entries of "${area}" are in "${this.#path}" already`;
    throw new SentinelError("OVERLOADED", `Cannot keep "${key}": ${reason}; remove some`, {
      reason,
    });
  }

  remove(area: StateArea, key: string): void {
    this.#try("write", () => this.#statements.remove.run(area, key));
  }

  close(): void {
    if (this.#isOpen) this.#database.close();
    this.#isOpen = false;
  }

  #try<Result>(act: string, work: () => Result): Result {
    try {
      return work();
    } catch (error) {
      throw failure(this.#path, act, error);
    }
  }
}

/**
 * The oldest go in the transaction of the newest. Counted by the cursor, which all processes share, and in
 * steps, because one large deletion is cheaper than many.
 */
function bound(database: DatabaseSync, maxEvents: number): void {
  const step = Math.ceil(maxEvents / 100);
  database.exec(
    `PRAGMA temp_store = MEMORY;
    CREATE TEMP TRIGGER bound AFTER INSERT ON main.event WHEN new.cursor % ${step} = 0 BEGIN
      DELETE FROM event WHERE cursor <= new.cursor - ${maxEvents - step};
    END`,
  );
}

function prepare(database: DatabaseSync): Readonly<
  Record<"append" | "after" | "bounds" | "entries" | "put" | "remove", StatementSync>
> {
  return {
    append: database.prepare("INSERT INTO event (at, event, severity, fields) VALUES (?, ?, ?, ?)"),
    after: database.prepare("SELECT * FROM event WHERE cursor > ? ORDER BY cursor LIMIT ?"),
    // The newest cursor outlives its event.
    bounds: database.prepare(
      `SELECT (SELECT min(cursor) FROM event) AS oldest,
        (SELECT seq FROM sqlite_sequence WHERE name = 'event') AS last`,
    ),
    entries: database.prepare("SELECT key, value FROM entry WHERE area = ?"),
    put: database.prepare(
      `INSERT INTO entry (area, key, value) SELECT :area, :key, :value
        WHERE (SELECT count(*) FROM entry WHERE area = :area AND key <> :key) < :max
        ON CONFLICT DO UPDATE SET value = excluded.value`,
    ),
    remove: database.prepare("DELETE FROM entry WHERE area = ? AND key = ?"),
  };
}

function eventOf(row: Record<string, SQLOutputValue>): GatewayEvent {
  return {
    cursor: String(row["cursor"]),
    at: String(row["at"]),
    event: String(row["event"]),
    severity: row["severity"] as Severity,
    fields: JSON.parse(String(row["fields"])) as GatewayEvent["fields"],
  };
}
