/**
 * The audit of a configuration, read beside its gateway, whether that runs or not: what its store has, and what is
 * still in its journal. Nothing is written.
 */
import { join } from "node:path";
import type { AuditRecord } from "../contract/audit.ts";
import { type Filter, parseFilter } from "../contract/filter.ts";
import { FILTERS } from "../contract/manage/filters.ts";
import { type Config, SentinelError } from "../contract/mod.ts";
import { searchAudit } from "../manage/audit/search.ts";
import type { AuditQuery, AuditReader, StoredRow, StoredRun } from "../ports/audit.ts";
import { type JournalRun, readAuditJournals } from "../stores/file/audit_journals_reader.ts";
import { SystemClock } from "./clock.ts";
import { findGatewayFolder } from "./state_folder.ts";
import { type Ends, rowsBeyond } from "./undelivered.ts";

/** Rows of one page, and of one reading. */
const PAGE = 1000;

export interface LocalAuditOptions {
  readonly audit: Config["audit"];
  readonly stateDir: string;
  /** Absolute path of the configuration file. */
  readonly source: string;
}

interface Search {
  readonly filter: string;
  readonly order: AuditQuery["order"];
  readonly limit: number;
}

/** All of it: @throws SentinelError AUDIT_UNAVAILABLE, INVALID_PARAMS for a filter. */
export interface LocalAudit {
  /** The first rows that match, by time. */
  search(
    asked: Search,
  ): Promise<{ readonly items: readonly AuditRecord[]; readonly isMore: boolean }>;
  /** All rows that match: those of the store by time, then those of the journal by number. */
  each(filter: string): AsyncIterable<readonly StoredRow[]>;
  /** Of the store. */
  runs(): Promise<readonly StoredRun[]>;
  /** Rows of a run that the store has. */
  run(instance: string, after: number): Promise<readonly StoredRow[]>;
  /** Gives a function for rows that match and came since its last call; its first call gives none. */
  follow(filter: string): () => Promise<readonly AuditRecord[]>;
  /** Rows that only the journal has. */
  waiting(): Promise<number>;
  close(): Promise<void>;
}

/**
 * @throws SentinelError OPERATION_DISABLED when nothing can be read back, CONFIG_INVALID for tables of another
 *   version, AUDIT_UNAVAILABLE when the store cannot be read
 */
export async function openLocalAudit(
  { audit, stateDir, source }: LocalAuditOptions,
): Promise<LocalAudit> {
  const folder = findGatewayFolder(stateDir, source);
  const store = await openStore(audit, folder);
  const journals = () => folder === undefined ? [] : readAuditJournals(join(folder, "audit"));
  return new StoreAndJournal(store.reader, async () => await journals(), store.close);
}

interface OpenStore {
  readonly reader: AuditReader;
  readonly close: () => Promise<void>;
}

async function openStore(
  { store, url }: Config["audit"],
  folder: string | undefined,
): Promise<OpenStore> {
  if (store === "postgres") return await openPostgres(url ?? "");
  if (store === "sqlite") return await openSqlite(folder);
  const reason = store === "off" ? "audit.store is off" : "its rows went to stdout";
  throw new SentinelError("OPERATION_DISABLED", `Cannot read the audit: ${reason}`, { reason });
}

async function openPostgres(url: string): Promise<OpenStore> {
  const { openPostgresAudit } = await import("../stores/postgres/audit.ts");
  const sink = openPostgresAudit({ url, migrate: false });
  try {
    await sink.open();
  } catch (thrown) {
    await sink.close();
    throw thrown;
  }
  return { reader: sink.reader ?? EMPTY, close: () => sink.close() };
}

async function openSqlite(folder: string | undefined): Promise<OpenStore> {
  if (folder === undefined) {
    const reason = "no gateway has been started with this configuration by this user";
    throw new SentinelError("AUDIT_UNAVAILABLE", `Cannot read the audit: ${reason}`, { reason });
  }
  const { openSqliteAuditReader } = await import("../stores/sqlite/audit_reader.ts");
  const reader = openSqliteAuditReader(join(folder, "audit.sqlite"));
  return { reader: reader ?? EMPTY, close: () => Promise.resolve(reader?.close()) };
}

/** Of a gateway that has not delivered a row yet. */
const EMPTY: AuditReader = {
  search: () => Promise.resolve([]),
  runs: () => Promise.resolve([]),
  run: () => Promise.resolve([]),
};

class StoreAndJournal implements LocalAudit {
  readonly close: () => Promise<void>;
  readonly #reader: AuditReader;
  readonly #journals: () => Promise<readonly JournalRun[]>;
  readonly #clock = new SystemClock();

  constructor(
    reader: AuditReader,
    journals: () => Promise<readonly JournalRun[]>,
    close: () => Promise<void>,
  ) {
    this.#reader = reader;
    this.#journals = journals;
    this.close = close;
  }

  async search({ filter: text, order, limit }: Search) {
    const filter = this.#filter(text);
    const { ends, journals } = await this.#ends();
    const best = new Best(order, limit + 1);
    for await (const page of this.#stored(text, order, ends)) {
      for (const row of page) best.add(row);
      if (best.isFull) break;
    }
    for await (const { rows } of this.#beyond(journals, ends)) {
      for (const row of rows) if (filter.matches(row.record)) best.add(row);
    }
    const found = best.rows.map(({ record }) => record);
    return { items: found.slice(0, limit), isMore: found.length > limit };
  }

  async *each(text: string): AsyncGenerator<readonly StoredRow[], void> {
    const filter = this.#filter(text);
    const { ends, journals } = await this.#ends();
    yield* this.#stored(text, "oldest", ends);
    for await (const { rows } of this.#beyond(journals, ends)) {
      yield rows.filter(({ record }) => filter.matches(record));
    }
  }

  runs(): Promise<readonly StoredRun[]> {
    return this.#reader.runs();
  }

  run(instance: string, after: number): Promise<readonly StoredRow[]> {
    return this.#reader.run(instance, after, PAGE);
  }

  follow(text: string): () => Promise<readonly AuditRecord[]> {
    const filter = this.#filter(text);
    let known: Ends | undefined;
    return async () => {
      const isFirst = known === undefined;
      const { ends, journals } = known === undefined
        ? await this.#ends()
        : { ends: known, journals: await this.#journals() };
      known = ends;
      const found: AuditRecord[] = [];
      for await (const { rows } of rowsBeyond(this.#reader, journals, ends)) {
        if (isFirst) continue;
        for (const { record } of rows) if (filter.matches(record)) found.push(record);
      }
      return found;
    };
  }

  async waiting(): Promise<number> {
    const { ends, journals } = await this.#ends();
    let count = 0;
    for await (const { rows, isStored } of this.#beyond(journals, ends)) {
      if (!isStored) count += rows.length;
    }
    return count;
  }

  #filter(text: string): Filter<AuditRecord> {
    return parseFilter(text, FILTERS.audit, this.#clock.now());
  }

  /** Where the store ends for each run with a journal. In this order: what is delivered later is found beyond. */
  async #ends(): Promise<{ readonly ends: Ends; readonly journals: readonly JournalRun[] }> {
    const journals = await this.#journals();
    const ends: Ends = new Map(journals.map(({ instance }) => [instance, 0]));
    for (const { instance, last } of await this.#reader.runs()) {
      if (ends.has(instance)) ends.set(instance, last);
    }
    return { ends, journals };
  }

  /** Rows of the store that match; those that come in meanwhile are left to what follows. */
  async *#stored(filter: string, order: AuditQuery["order"], ends: Ends) {
    const limits = new Map(ends);
    let after: string | undefined;
    do {
      const asked = { filter, order, after, limit: PAGE };
      const { items, next } = await searchAudit(this.#reader, this.#clock, asked);
      yield items.filter(({ record: { instance, sequence } }) =>
        sequence <= (limits.get(instance) ?? Infinity)
      );
      after = next;
    } while (after !== undefined);
  }

  #beyond(journals: readonly JournalRun[], ends: Ends) {
    return rowsBeyond(this.#reader, journals, ends, { withOpen: true });
  }
}

/** The first rows of an order among many, in bounded memory. */
class Best {
  readonly #order: AuditQuery["order"];
  readonly #limit: number;
  #rows: StoredRow[] = [];

  constructor(order: AuditQuery["order"], limit: number) {
    this.#order = order;
    this.#limit = limit;
  }

  get isFull(): boolean {
    return this.rows.length === this.#limit;
  }

  get rows(): readonly StoredRow[] {
    this.#cut();
    return this.#rows;
  }

  add(row: StoredRow): void {
    this.#rows.push(row);
    if (this.#rows.length >= 2 * this.#limit + PAGE) this.#cut();
  }

  #cut(): void {
    const sign = this.#order === "newest" ? -1 : 1;
    this.#rows.sort((one, other) => sign * compare(one.record, other.record));
    this.#rows = this.#rows.slice(0, this.#limit);
  }
}

function compare(one: AuditRecord, other: AuditRecord): number {
  return Date.parse(one.at) - Date.parse(other.at) ||
    Number(one.instance > other.instance) - Number(one.instance < other.instance) ||
    one.sequence - other.sequence;
}
