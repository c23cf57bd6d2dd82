/** Rows of the audit that are not in its store yet, while its gateway may be delivering them. */
import { UNKNOWN_OUTCOME } from "../contract/audit.ts";
import type { AuditReader, JournaledRow, StoredRow } from "../ports/audit.ts";
import type { JournalRun } from "../stores/file/audit_journals_reader.ts";

const PAGE = 500;

/** Run = number of the last row that was read of it. */
export type Ends = Map<string, number>;

interface Beyond {
  readonly rows: readonly StoredRow[];
  /** They have come into the store meanwhile. */
  readonly isStored: boolean;
}

interface Options {
  /** Also calls that a crash cut off, as the next start of the gateway will record them. */
  readonly withOpen?: boolean;
}

/** Each row behind the ends once, run after run; moves the ends. */
export async function* rowsBeyond(
  reader: AuditReader,
  journals: readonly JournalRun[],
  ends: Ends,
  { withOpen = false }: Options = {},
): AsyncGenerator<Beyond, void> {
  const byInstance = new Map(journals.map((run) => [run.instance, run]));
  const instances = [...new Set([...ends.keys(), ...byInstance.keys()])].sort();
  for (const instance of instances) {
    const journal = byInstance.get(instance);
    yield* rowsOfRun(reader, { instance, journal, ends });
    if (!withOpen || journal === undefined || journal.isAlive) continue;
    const open = await openRows(reader, journal, ends.get(instance) ?? 0);
    // Adopted meanwhile: the rows in the store are the true ones.
    const recovered = await reader.run(instance, ends.get(instance) ?? 0, 1);
    if (recovered.length > 0) yield* rowsOfRun(reader, { instance, journal: undefined, ends });
    else if (open.length > 0) yield { rows: open, isStored: false };
  }
}

interface Run {
  readonly instance: string;
  readonly journal: JournalRun | undefined;
  readonly ends: Ends;
}

async function* rowsOfRun(
  reader: AuditReader,
  { instance, journal, ends }: Run,
): AsyncGenerator<Beyond, void> {
  for (let isGapSeen = false;;) {
    const end = ends.get(instance) ?? 0;
    const stored = await reader.run(instance, end, PAGE);
    if (stored.length > 0) {
      ends.set(instance, stored.at(-1)?.record.sequence ?? end);
      yield { rows: stored, isStored: true };
      continue;
    }
    const waiting = await journal?.rows(end, PAGE) ?? [];
    const [first] = waiting;
    if (first === undefined) return;
    // Delivered and removed from the journal between the two looks: the store has them now.
    const isGap = first.row.sequence > end + 1;
    if (isGap && !isGapSeen) {
      isGapSeen = true;
      continue;
    }
    isGapSeen = false;
    ends.set(instance, waiting.at(-1)?.row.sequence ?? end);
    yield { rows: waiting.map(rowOf), isStored: false };
  }
}

async function openRows(
  reader: AuditReader,
  journal: JournalRun,
  end: number,
): Promise<readonly StoredRow[]> {
  const rows: StoredRow[] = [];
  for (const intent of await journal.open()) {
    const { request } = intent;
    const query = { equals: { request: [request] }, order: "newest", limit: 1 } as const;
    if ((await reader.search(query)).length > 0) continue;
    const sequence = end + rows.length + 1;
    const row = { ...intent, sequence, outcome: UNKNOWN_OUTCOME, executed: "unknown" } as const;
    rows.push({ record: row, text: JSON.stringify(row) });
  }
  return rows;
}

function rowOf({ row, text }: JournaledRow): StoredRow {
  return { record: row, text };
}
