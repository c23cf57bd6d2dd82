/** What every store of the audit must do that can be read back, whatever it is made of. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { AUDIT_KINDS, type AuditRow } from "../../src/contract/audit.ts";
import { AUDIT_SEARCHED } from "../../src/contract/audit_columns.ts";
import { SentinelError } from "../../src/contract/errors.ts";
import type {
  AuditPosition,
  AuditQuery,
  AuditReader,
  AuditSink,
  StoredRow,
} from "../../src/ports/audit.ts";
import {
  delivered,
  deliveries,
  FIRST_RUN,
  hashOf,
  rowOf,
  SECOND_RUN,
  START,
  upTo,
} from "./audit_rows.ts";

/** A place of its own for one test: a file, a database. */
export interface SinkPlace {
  /** Another sink on this place, not opened yet. */
  connect(): AuditSink;
  /** Makes the tables, which are there, look like those of a version to come. */
  makeNewer(): void | Promise<void>;
  /** Called when all sinks of it are closed. */
  remove(): void | Promise<void>;
}

const LIMIT_MS = 60_000;

/** Values that break what is put together from text. */
export const HOSTILE: readonly string[] = [
  "'; DROP TABLE audit; --",
  `" OR 1 = 1 --`,
  `"quoted"`,
  "%_*?[a-z]\\",
  "$1 :name @x ?1 #{x} ${x}",
  "CR\r\nLF *1\r\n$-1\r\n",
  "nul \u0000 in the middle",
  "\u0000",
  "lone \ud800 high",
  "lone \udc00 low",
  "line \u2028 and paragraph \u2029",
  "🛰 Zürich 日本 👩‍👩‍👧",
  "",
  " ",
  "null",
  "x".repeat(65_536),
  `${"x".repeat(65_535)}y`,
  "🛰".repeat(16_384),
  "\u0000".repeat(1000),
];

export function reader(sink: AuditSink): AuditReader {
  assert.ok(sink.reader !== undefined, `${sink.kind} has no reader`);
  return sink.reader;
}

export function numbers(rows: readonly StoredRow[]): number[] {
  return rows.map(({ record }) => record.sequence);
}

/** Everything that matches, page by page. */
async function searchAll(
  from: AuditReader,
  query: Omit<AuditQuery, "limit" | "after">,
  limit: number,
): Promise<StoredRow[]> {
  const all: StoredRow[] = [];
  for (let page = await from.search({ ...query, limit }); page.length > 0;) {
    assert.ok(page.length <= limit, `a page of ${page.length} rows, ${limit} were asked for`);
    all.push(...page);
    page = await from.search({ ...query, limit, after: positionOf(all.at(-1)) });
  }
  return all;
}

function positionOf(row: StoredRow | undefined): AuditPosition {
  assert.ok(row !== undefined);
  const { at, instance, sequence } = row.record;
  return { at: Date.parse(at), instance, sequence };
}

/** @param makePlace Gives an empty place. */
export function auditSinkSuite(makePlace: () => SinkPlace | Promise<SinkPlace>): void {
  /** Runs a test on a place of its own, with an opened sink and a way to open more. */
  const on = (
    name: string,
    run: (sink: AuditSink, place: SinkPlace, open: () => Promise<AuditSink>) => Promise<void>,
  ) =>
    void test(name, { timeout: LIMIT_MS }, async () => {
      const place = await makePlace();
      const sinks: AuditSink[] = [];
      const open = async () => {
        const sink = place.connect();
        sinks.push(sink);
        await sink.open();
        return sink;
      };
      try {
        await run(await open(), place, open);
      } finally {
        for (const sink of sinks) await sink.close();
        await place.remove();
      }
    });

  on("an empty store finds nothing", async (sink) => {
    assert.deepEqual(await reader(sink).search({ order: "newest", limit: 10 }), []);
    assert.deepEqual(await reader(sink).runs(), []);
    assert.deepEqual(await reader(sink).run(FIRST_RUN, 0, 10), []);
    assert.equal(await sink.trim(Date.UTC(2100, 0, 1)), 0);
    await sink.write([]);
  });

  on("a row comes back with its very text, its members and its hash", async (sink) => {
    const row = delivered(1, { details: { deep: [1, { a: null }], "__proto__": 1 } });
    await sink.write([row]);
    const [found, ...more] = await reader(sink).search({ order: "newest", limit: 10 });
    assert.deepEqual(more, []);
    assert.equal(found?.text, row.text);
    const expected = { ...(JSON.parse(row.text) as object), hash: row.hash };
    assert.deepEqual(found?.record, expected);
  });

  on("a row without a chain has no hash", async (sink) => {
    await sink.write([{ ...delivered(1), hash: "" }]);
    const [found] = await reader(sink).run(FIRST_RUN, 0, 10);
    assert.ok(found !== undefined && !("hash" in found.record));
  });

  on("what was written is there for the next one that opens the store", async (sink, _, open) => {
    await sink.write(deliveries(1, 3));
    await sink.close();
    assert.deepEqual(numbers(await reader(await open()).run(FIRST_RUN, 0, 10)), [1, 2, 3]);
  });

  on("rows that come again are left as they are", async (sink) => {
    await sink.write(deliveries(1, 3));
    await sink.write(deliveries(1, 5, { outcome: "changed" }));
    const found = await reader(sink).run(FIRST_RUN, 0, 10);
    assert.deepEqual(
      found.map(({ record }) => [record.sequence, record.outcome]),
      [[1, "ok"], [2, "ok"], [3, "ok"], [4, "changed"], [5, "changed"]],
    );
  });

  on("a row twice in one batch is stored once", async (sink) => {
    await sink.write([delivered(1), delivered(1), delivered(2)]);
    assert.deepEqual(numbers(await reader(sink).run(FIRST_RUN, 0, 10)), [1, 2]);
  });

  on(
    "a batch with a row that cannot be stored leaves nothing, and the next goes on",
    async (sink) => {
      await assert.rejects(sink.write([...deliveries(1, 20), delivered(21, { at: "no time" })]));
      assert.deepEqual(await reader(sink).run(FIRST_RUN, 0, 100), []);
      await sink.write(deliveries(1, 20));
      assert.deepEqual(numbers(await reader(sink).run(FIRST_RUN, 0, 100)), upTo(20));
    },
  );

  on("a large batch is stored as a whole", async (sink) => {
    await sink.write(deliveries(1, 5000));
    const [run] = await reader(sink).runs();
    assert.deepEqual(run, { instance: FIRST_RUN, first: 1, last: 5000, rows: 5000 });
  });

  on("pages in both directions have each row once, by time, run and number", async (sink) => {
    const moment = rowOf(5).at;
    const rows = [
      ...deliveries(1, 10),
      // The same millisecond in two runs, and times that do not follow the numbers.
      ...deliveries(11, 14, { at: moment }),
      ...deliveries(1, 7, { instance: SECOND_RUN, at: moment }),
      delivered(8, { instance: SECOND_RUN, at: rowOf(2).at }),
    ];
    await sink.write(rows);
    const key = ({ at, instance, sequence }: AuditRow) =>
      `${at} ${instance} ${String(sequence).padStart(4, "0")}`;
    const expected = rows.map(({ row }) => key(row)).sort();
    for (const limit of [1, 2, 3, 7, 100]) {
      const oldest = await searchAll(reader(sink), { order: "oldest" }, limit);
      assert.deepEqual(oldest.map(({ record }) => key(record)), expected);
      const newest = await searchAll(reader(sink), { order: "newest" }, limit);
      assert.deepEqual(newest.map(({ record }) => key(record)), expected.toReversed());
    }
  });

  on("a page goes on beyond a position at which there is no row any more", async (sink) => {
    await sink.write(deliveries(1, 6));
    const after = { at: START + 3500, instance: FIRST_RUN, sequence: 3 };
    const newest = await reader(sink).search({ order: "newest", limit: 10, after });
    assert.deepEqual(numbers(newest), [3, 2, 1]);
    const oldest = await reader(sink).search({ order: "oldest", limit: 10, after });
    assert.deepEqual(numbers(oldest), [4, 5, 6]);
  });

  on("`from` is included, `to` is not", async (sink) => {
    await sink.write(deliveries(1, 9));
    const found = async (query: Partial<AuditQuery>) =>
      numbers(await reader(sink).search({ order: "oldest", limit: 100, ...query }));
    const at = (sequence: number) => START + sequence * 1000;
    assert.deepEqual(await found({ from: at(3), to: at(6) }), [3, 4, 5]);
    assert.deepEqual(await found({ from: at(8) }), [8, 9]);
    assert.deepEqual(await found({ to: at(3) }), [1, 2]);
    assert.deepEqual(await found({ from: at(3) + 1, to: at(4) }), []);
    const after = { at: at(7), instance: FIRST_RUN, sequence: 7 };
    assert.deepEqual(await found({ from: at(4), to: at(8), after, order: "newest" }), [6, 5, 4]);
  });

  for (const member of AUDIT_SEARCHED) {
    on(`rows are found by ${member}: one value, several, none`, async (sink) => {
      const value = (sequence: number) =>
        member === "kind" ? Object.keys(AUDIT_KINDS)[sequence % 3] ?? "" : `v${sequence % 3}`;
      await sink.write(
        upTo(9).map((sequence) => delivered(sequence, { [member]: value(sequence) })),
      );
      const found = async (...values: string[]) => {
        const equals = { [member]: values };
        return numbers(await searchAll(reader(sink), { order: "oldest", equals }, 2));
      };
      assert.deepEqual(await found(value(1)), [1, 4, 7]);
      assert.deepEqual(await found(value(1), value(2)), [1, 2, 4, 5, 7, 8]);
      assert.deepEqual(await found(value(1), "other"), [1, 4, 7]);
      assert.deepEqual(await found("other"), []);
      assert.deepEqual(await found(), []);
    });
  }

  on("several conditions hold together; a missing member equals nothing", async (sink) => {
    const { backend: _, ...bare } = rowOf(4, { outcome: "error" });
    await sink.write([
      delivered(1, { outcome: "error" }),
      delivered(2, { outcome: "error", name: "other" }),
      delivered(3),
      { row: bare, text: JSON.stringify(bare), hash: "" },
    ]);
    const found = async (equals: NonNullable<AuditQuery["equals"]>) =>
      numbers(await reader(sink).search({ order: "oldest", limit: 10, equals }));
    assert.deepEqual(await found({ outcome: ["error"], name: ["files__read"] }), [1, 4]);
    assert.deepEqual(await found({ outcome: ["error"], backend: ["files"] }), [1, 2]);
    assert.deepEqual(await found({ backend: [""] }), []);
    assert.deepEqual(await found({ backend: ["null"] }), []);
  });

  on("few matches among many rows are all found, in order", async (sink) => {
    const rows = upTo(9000).map((sequence) =>
      delivered(sequence, sequence % 2999 === 0 ? { outcome: "rare" } : {})
    );
    await sink.write(rows);
    const rare = { equals: { outcome: ["rare"] } };
    const newest = { ...rare, order: "newest", limit: 2 } as const;
    assert.deepEqual(numbers(await reader(sink).search(newest)), [8997, 5998]);
    const oldest = await searchAll(reader(sink), { ...rare, order: "oldest" }, 1);
    assert.deepEqual(numbers(oldest), [2999, 5998, 8997]);
  });

  on("hostile values are stored, found and read back exactly", async (sink) => {
    const rows = HOSTILE.map((value, index) =>
      delivered(index + 1, {
        request: value,
        principal: value,
        name: value,
        backend: value,
        method: value,
        outcome: value,
        session: value,
        arguments: { [value]: value },
        details: { value },
      })
    );
    await sink.write(rows);
    const stored = await reader(sink).run(FIRST_RUN, 0, 100);
    assert.deepEqual(stored.map(({ text }) => text), rows.map(({ text }) => text));
    assert.deepEqual(stored.map(({ record }) => record.name), [...HOSTILE]);
    for (const member of ["request", "name", "session", "outcome"] as const) {
      for (const [index, value] of HOSTILE.entries()) {
        const query = { order: "oldest", limit: 100, equals: { [member]: [value] } } as const;
        const found = numbers(await reader(sink).search(query));
        assert.deepEqual(found, [index + 1], `${member} ${JSON.stringify(value.slice(0, 40))}`);
      }
    }
  });

  on("runs come oldest first, each with what the store has of it", async (sink) => {
    await sink.write(deliveries(3, 5, { instance: SECOND_RUN }));
    await sink.write([...deliveries(1, 2), ...deliveries(5, 6)]);
    assert.deepEqual(await reader(sink).runs(), [
      { instance: FIRST_RUN, first: 1, last: 6, rows: 4 },
      { instance: SECOND_RUN, first: 3, last: 5, rows: 3 },
    ]);
  });

  on("a run is read by number, page by page, without those of another", async (sink) => {
    await sink.write([...deliveries(1, 7), ...deliveries(1, 3, { instance: SECOND_RUN })]);
    const page = async (after: number, limit: number) =>
      numbers(await reader(sink).run(FIRST_RUN, after, limit));
    assert.deepEqual(await page(0, 3), [1, 2, 3]);
    assert.deepEqual(await page(3, 3), [4, 5, 6]);
    assert.deepEqual(await page(6, 3), [7]);
    assert.deepEqual(await page(7, 3), []);
    assert.deepEqual(numbers(await reader(sink).run("unknown", 0, 3)), []);
  });

  on("old rows are removed, and the mark of each run says where", async (sink) => {
    await sink.write([...deliveries(1, 2500), ...deliveries(1, 4, { instance: SECOND_RUN })]);
    assert.equal(await sink.trim(START + 2001 * 1000), 2004);
    assert.deepEqual(await reader(sink).runs(), [
      {
        instance: FIRST_RUN,
        first: 2001,
        last: 2500,
        rows: 500,
        trimmed: { sequence: 2000, hash: hashOf(FIRST_RUN, 2000) },
      },
      {
        instance: SECOND_RUN,
        first: 5,
        last: 4,
        rows: 0,
        trimmed: { sequence: 4, hash: hashOf(SECOND_RUN, 4) },
      },
    ]);
    assert.equal(await sink.trim(START + 2001 * 1000), 0);
    assert.equal(await sink.trim(START + 2003 * 1000), 2);
    const [run] = await reader(sink).runs();
    assert.deepEqual(run?.trimmed, { sequence: 2002, hash: hashOf(FIRST_RUN, 2002) });
    assert.deepEqual(numbers(await reader(sink).run(FIRST_RUN, 0, 2)), [2003, 2004]);
  });

  on("an old row behind a younger one of its run stays until that one goes", async (sink) => {
    await sink.write([
      delivered(1),
      delivered(2, { at: rowOf(100).at }),
      delivered(3),
      ...deliveries(1, 2, { instance: SECOND_RUN }),
    ]);
    assert.equal(await sink.trim(START + 50_000), 3);
    assert.deepEqual(numbers(await reader(sink).run(FIRST_RUN, 0, 10)), [2, 3]);
    assert.equal(await sink.trim(START + 101_000), 2);
    const [run] = await reader(sink).runs();
    assert.deepEqual(run?.trimmed, { sequence: 3, hash: hashOf(FIRST_RUN, 3) });
  });

  on("tables of a newer version are refused with what to do", async (sink, place) => {
    await sink.write([delivered(1)]);
    await sink.close();
    await place.makeNewer();
    const next = place.connect();
    await assert.rejects(next.open(), (error) => {
      assert.ok(error instanceof SentinelError, String(error));
      assert.equal(error.code, "CONFIG_INVALID", error.message);
      assert.match(error.message, /version \d+/);
      assert.match(error.message, /newer version of MCP Sentinel/);
      return true;
    });
    await next.close();
  });

  on("two that open an empty store at once both can", async (_, __, open) => {
    const [one, two] = await Promise.all([open(), open()]);
    await one.write([delivered(1)]);
    await two.write([delivered(2)]);
    assert.deepEqual(numbers(await reader(one).run(FIRST_RUN, 0, 10)), [1, 2]);
  });

  on("a reader pages while another writes: whole batches, nothing twice, nothing missed", async (
    sink,
    _,
    open,
  ) => {
    const other = await open();
    const batch = 50;
    let writing = true;
    const written = (async () => {
      for (let done = 0; done < 40 * batch; done += batch) {
        await sink.write(deliveries(done + 1, done + batch));
        await setImmediate();
      }
    })().finally(() => writing = false);
    const seen: number[] = [];
    for (let last = false; !last;) {
      last = !writing;
      const page = numbers(await reader(other).run(FIRST_RUN, seen.at(-1) ?? 0, 1000));
      assert.equal(page.length % batch, 0);
      seen.push(...page);
      await setImmediate();
    }
    await written;
    seen.push(...numbers(await reader(other).run(FIRST_RUN, seen.at(-1) ?? 0, 5000)));
    assert.deepEqual(seen, upTo(40 * batch));
  });

  on("a closed one rejects what it is given, and closes twice", async (sink) => {
    await sink.close();
    await sink.close();
    await assert.rejects(sink.write([delivered(1)]));
    await assert.rejects(reader(sink).search({ order: "newest", limit: 1 }));
  });
}
