import assert from "node:assert/strict";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { describe, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import type { AuditRow } from "../../../src/contract/audit.ts";
import { rowText } from "../../../src/contract/audit_chain.ts";
import { SentinelError } from "../../../src/contract/errors.ts";
import type { AuditJournal, JournaledRow, Leftover } from "../../../src/ports/audit.ts";
import { openAuditJournal } from "../../../src/stores/file/audit_journal.ts";
import { inFolder } from "../../support/temporary_folder.ts";
import { FIRST_RUN, rowOf, SECOND_RUN, upTo } from "../audit_rows.ts";

const onPosix = { skip: process.platform === "win32" };
const THIRD_RUN = "01980000-0000-7000-8000-000000000003";

const inJournals = (work: (folder: string) => Promise<void>) => () =>
  inFolder((folder) => work(join(folder, "audit")));

const open = (folder: string, instance = FIRST_RUN, segmentBytes = 2000) =>
  openAuditJournal(folder, { instance, segmentBytes });

function journaled(sequence: number, more: Partial<AuditRow> = {}): JournaledRow {
  const row = rowOf(sequence, more);
  return { row, text: rowText(row) };
}

function intend(journal: AuditJournal, number: number, more: Partial<AuditRow> = {}): void {
  const row = rowOf(0, { request: `request ${number}`, at: rowOf(number).at, ...more });
  journal.intent(row.request, rowText(row));
}

function append(journal: Pick<AuditJournal, "append">, from: number, to: number): void {
  for (let sequence = from; sequence <= to; sequence++) journal.append(journaled(sequence));
}

async function numbersOf(
  source: Pick<AuditJournal, "rows">,
  after = 0,
  limit = 1000,
): Promise<number[]> {
  return (await source.rows(after, limit)).map(({ row }) => row.sequence);
}

const mark = (sequence: number) => ({ sequence, hash: `hash ${sequence}` });

function segments(folder: string, instance = FIRST_RUN): string[] {
  const run = join(folder, instance);
  return existsSync(run) ? readdirSync(run).filter((name) => name.endsWith(".ndjson")).sort() : [];
}

/** Files are removed beside the event loop. */
async function until(holds: () => boolean): Promise<void> {
  for (let left = 2000; !holds(); left--) {
    assert.ok(left > 0, `never: ${holds.toString()}`);
    await setTimeout(5);
  }
}

/** The only run that was left. */
function leftIn(journal: AuditJournal): Leftover {
  assert.deepEqual(journal.problems, []);
  const [only, ...more] = journal.leftovers;
  assert.ok(only !== undefined && more.length === 0, `${journal.leftovers.length} were left`);
  return only;
}

const requests = ({ open: rows }: Leftover) => rows.map(({ request }) => request);

function unavailable(pattern: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof SentinelError, String(error));
    assert.equal(error.code, "AUDIT_UNAVAILABLE");
    assert.match(error.message, pattern);
    return true;
  };
}

/** Folders of runs; beside them stands a note of the last one that ended. */
function runsIn(folder: string): string[] {
  return readdirSync(folder).filter((name) => name !== "ended.json");
}

describe("rows in the audit's journal", () => {
  test(
    "are lines of their own text, in the file when append returns",
    inJournals(async (folder) => {
      const journal = await open(folder);
      intend(journal, 1);
      journal.append(journaled(1));
      journal.forget('a "request"');
      const [segment = ""] = segments(folder);
      const text = readFileSync(join(folder, FIRST_RUN, segment), "utf8");
      const intent = rowText(rowOf(0, { request: "request 1", at: rowOf(1).at }));
      const expected = [`{"intent":${intent}}`, journaled(1).text, '{"forget":"a \\"request\\""}'];
      assert.equal(text, expected.map((line) => `${line}\n`).join(""));
      assert.equal(journal.bytes, new TextEncoder().encode(text).length);
      journal.close();
    }),
  );

  test(
    "come back in order, page by page, over many files, with their very text",
    inJournals(async (folder) => {
      const journal = await open(folder);
      for (const number of upTo(100)) {
        intend(journal, number);
        append(journal, number, number);
      }
      assert.ok(segments(folder).length > 10);
      const all = await journal.rows(0, 1000);
      assert.deepEqual(all, upTo(100).map((sequence) => journaled(sequence)));
      for (const limit of [1, 3, 99]) {
        const seen: number[] = [];
        for (let page = await numbersOf(journal, 0, limit); page.length > 0;) {
          assert.ok(page.length <= limit);
          seen.push(...page);
          page = await numbersOf(journal, seen.at(-1), limit);
        }
        assert.deepEqual(seen, upTo(100));
      }
      assert.deepEqual(await numbersOf(journal, 50, 2), [51, 52]);
      append(journal, 101, 102);
      assert.deepEqual(await numbersOf(journal, 100), [101, 102]);
      journal.close();
    }),
  );

  test(
    "may be larger than what is read at once, and hold what breaks lines",
    inJournals(async (folder) => {
      const journal = await open(folder, FIRST_RUN, 16 * 1024 * 1024);
      const hostile = 'a\n{"intent":{"request":"forged"}}\r\n\u2028\u0000\ud800~';
      const rows = [
        journaled(1, { name: hostile, request: hostile }),
        journaled(2, { details: { large: "ü🛰".repeat(500_000) } }),
        journaled(3, { request: "~", outcome: "~" }),
        journaled(4),
      ];
      intend(journal, 1, { request: hostile });
      for (const row of rows) journal.append(row);
      assert.deepEqual(await journal.rows(0, 10), rows);
      journal.close();
      const next = await open(folder, SECOND_RUN);
      assert.deepEqual(requests(leftIn(next)), []);
      assert.deepEqual(await leftIn(next).rows(0, 10), rows);
      next.close();
    }),
  );

  test(
    "many large ones come in several answers",
    inJournals(async (folder) => {
      const journal = await open(folder, FIRST_RUN, 16 * 1024 * 1024);
      const filler = "x".repeat(1_000_000);
      for (const number of upTo(9)) journal.append(journaled(number, { details: { filler } }));
      const first = await numbersOf(journal);
      assert.ok(first.length > 0 && first.length < 9, String(first.length));
      assert.deepEqual(await numbersOf(journal, first.length, 1), [first.length + 1]);
      journal.close();
    }),
  );

  test(
    "are for their owner only",
    onPosix,
    inJournals(async (folder) => {
      const journal = await open(folder);
      append(journal, 1, 1);
      journal.delivered(mark(1));
      const run = join(folder, FIRST_RUN);
      assert.equal(statSync(run).mode & 0o777, 0o700);
      const modes = readdirSync(run).map((name) => statSync(join(run, name)).mode & 0o777);
      assert.deepEqual(modes, [0o600, 0o600, 0o600]);
      journal.close();
    }),
  );

  test(
    "are refused by a closed one, and by a folder that is none",
    inJournals(async (folder) => {
      const journal = await open(folder);
      journal.close();
      journal.close();
      assert.throws(() => append(journal, 1, 1), unavailable(/Cannot write .*closed/));
      assert.throws(() => intend(journal, 1), unavailable(/Cannot write/));
      writeFileSync(`${folder}-file`, "");
      await assert.rejects(open(`${folder}-file`), unavailable(/Cannot open .*audit-file/));
      await assert.rejects(open(folder, "../elsewhere"), unavailable(/no UUID/));
    }),
  );
});

describe("a run that was left", () => {
  test(
    "has its rows, how far they are delivered, and its open intents, oldest first",
    inJournals(async (folder) => {
      const first = await open(folder);
      for (const number of [4, 1, 2, 3, 5]) intend(first, number);
      first.append(journaled(1, { request: "request 2" }));
      first.forget("request 5");
      first.append(journaled(2, { request: "not intended" }));
      first.delivered(mark(1));
      first.close();
      const second = await open(folder, SECOND_RUN);
      const left = leftIn(second);
      assert.equal(left.instance, FIRST_RUN);
      assert.equal(left.last, 2);
      assert.deepEqual(left.mark, mark(1));
      assert.deepEqual(requests(left), ["request 1", "request 3", "request 4"]);
      assert.deepEqual(left.open[0], rowOf(0, { request: "request 1", at: rowOf(1).at }));
      assert.deepEqual(await numbersOf(left, 1), [2]);
      assert.equal(second.bytes, left.bytes);
      second.close();
    }),
  );

  test(
    "takes the rows that close it, also when that is interrupted, and is gone when all is delivered",
    inJournals(async (folder) => {
      const first = await open(folder);
      for (const number of [1, 2, 3]) intend(first, number);
      append(first, 1, 1);
      first.close();
      const second = await open(folder, SECOND_RUN);
      append(leftIn(second), 2, 2);
      second.close();
      const third = await open(folder, THIRD_RUN);
      const left = leftIn(third);
      assert.equal(left.last, 2);
      assert.deepEqual(requests(left), ["request 3"]);
      append(left, 3, 3);
      assert.deepEqual(await numbersOf(left), [1, 2, 3]);
      left.delivered(mark(3));
      left.remove();
      assert.deepEqual(runsIn(folder), [THIRD_RUN]);
      assert.equal(third.bytes, 0);
      third.close();
      assert.deepEqual(runsIn(folder), []);
    }),
  );

  test(
    "several come oldest first, and are freed while they are delivered",
    inJournals(async (folder) => {
      for (const instance of [SECOND_RUN, FIRST_RUN]) {
        const journal = await open(folder, instance);
        for (const number of upTo(40)) journal.append(journaled(number, { instance }));
        journal.close();
        renameSync(join(folder, instance), join(folder, `${instance}.away`));
      }
      for (const name of readdirSync(folder)) {
        renameSync(join(folder, name), join(folder, name.replace(".away", "")));
      }
      const next = await open(folder, THIRD_RUN);
      assert.deepEqual(next.leftovers.map(({ instance }) => instance), [FIRST_RUN, SECOND_RUN]);
      const [left] = next.leftovers;
      const before = next.bytes;
      left?.delivered(mark(30));
      await until(() => next.bytes < before / 1.4);
      assert.deepEqual(await numbersOf(left as Leftover, 30), upTo(40).slice(30));
      next.close();
    }),
  );

  test(
    "half a line at its end was never acknowledged; a line closed off is no damage",
    inJournals(async (folder) => {
      const first = await open(folder, FIRST_RUN, 1_000_000);
      intend(first, 1);
      append(first, 1, 1);
      first.close();
      const segment = join(folder, FIRST_RUN, segments(folder)[0] ?? "");
      appendFileSync(segment, `${journaled(2).text}~\n${journaled(2).text.slice(0, 40)}~\n`);
      // All of it but the newline: whoever wrote it was told that it failed, or nothing.
      appendFileSync(segment, journaled(2).text);
      const second = await open(folder, SECOND_RUN);
      const left = leftIn(second);
      assert.equal(left.last, 1);
      left.append(journaled(2, { outcome: "after" }));
      const rows = await left.rows(0, 10);
      assert.deepEqual(rows.map(({ row }) => row.outcome), ["ok", "after"]);
      left.delivered(mark(2));
      left.remove();
      assert.deepEqual(runsIn(folder), [SECOND_RUN]);
      second.close();
    }),
  );

  test(
    "with a line that cannot be read is kept aside, and is told of at each start",
    inJournals(async (folder) => {
      const first = await open(folder, FIRST_RUN, 1_000_000);
      append(first, 1, 3);
      first.close();
      const segment = join(folder, FIRST_RUN, segments(folder)[0] ?? "");
      const bytes = readFileSync(segment);
      const inSecond = journaled(1).text.length + 100;
      bytes.fill(0, inSecond, inSecond + 5);
      writeFileSync(segment, bytes);
      const second = await open(folder, SECOND_RUN);
      const left = leftIn(second);
      assert.deepEqual(await numbersOf(left), [1, 3]);
      left.delivered(mark(3));
      left.remove();
      second.close();
      assert.deepEqual(readFileSync(segment.replace(FIRST_RUN, `${FIRST_RUN}.damaged`)), bytes);
      const third = await open(folder, THIRD_RUN);
      assert.deepEqual(third.leftovers, []);
      assert.match(third.problems.join(), /\.damaged" has lines that cannot be read/);
      third.close();
      assert.deepEqual(runsIn(folder), [`${FIRST_RUN}.damaged`]);
    }),
  );

  test(
    "a mark that was half written leaves the one before",
    inJournals(async (folder) => {
      const first = await open(folder);
      append(first, 1, 9);
      for (const sequence of [3, 4, 5]) first.delivered(mark(sequence));
      first.close();
      const path = join(folder, FIRST_RUN, "mark");
      const bytes = readFileSync(path);
      bytes.fill(0x20, bytes.indexOf('"hash 5"') + 4, bytes.indexOf('"hash 5"') + 20);
      writeFileSync(path, bytes);
      const second = await open(folder, SECOND_RUN);
      assert.deepEqual(leftIn(second).mark, mark(4));
      second.close();
    }),
  );

  test(
    "is looked for among our own names only, and through no link",
    onPosix,
    inJournals(async (folder) => {
      const elsewhere = join(folder, "..", "elsewhere");
      const other = await open(elsewhere);
      append(other, 1, 2);
      other.close();
      const before = readFileSync(join(elsewhere, FIRST_RUN, "000001.ndjson"));
      mkdirSync(folder);
      symlinkSync(join(elsewhere, FIRST_RUN), join(folder, FIRST_RUN));
      mkdirSync(join(folder, "notes"));
      writeFileSync(join(folder, "notes", "000001.ndjson"), "mine\n");
      writeFileSync(join(folder, SECOND_RUN), "no folder");
      const journal = await open(folder, THIRD_RUN);
      assert.deepEqual([journal.leftovers, journal.problems], [[], []]);
      journal.close();
      // A run whose files lead elsewhere.
      const run = await open(folder, THIRD_RUN);
      append(run, 1, 1);
      run.close();
      symlinkSync(
        join(elsewhere, FIRST_RUN, "000001.ndjson"),
        join(folder, THIRD_RUN, "000002.ndjson"),
      );
      writeFileSync(join(folder, THIRD_RUN, "1.ndjson"), journaled(7).text);
      const next = await open(folder, THIRD_RUN.replace("3", "4"));
      assert.deepEqual(await numbersOf(leftIn(next)), [1]);
      leftIn(next).remove();
      next.close();
      assert.deepEqual(readFileSync(join(elsewhere, FIRST_RUN, "000001.ndjson")), before);
      assert.ok(existsSync(join(folder, "notes", "000001.ndjson")));
    }),
  );
});

describe("the size of the audit's journal", () => {
  test(
    "what is delivered is removed; what is not stays",
    inJournals(async (folder) => {
      const journal = await open(folder);
      for (const number of upTo(60)) {
        intend(journal, number);
        append(journal, number, number);
      }
      const before = segments(folder);
      journal.delivered(mark(40));
      await until(() => segments(folder).length < before.length / 2);
      assert.deepEqual(segments(folder), before.slice(-segments(folder).length));
      const sizes = segments(folder).map((name) => statSync(join(folder, FIRST_RUN, name)).size);
      assert.equal(journal.bytes, sizes.reduce((sum, size) => sum + size, 0));
      assert.deepEqual(await numbersOf(journal, 40), upTo(60).slice(40));
      journal.delivered(mark(60));
      await until(() => segments(folder).length === 1);
      journal.close();
      assert.deepEqual(runsIn(folder), []);
    }),
  );

  test(
    "an intent that stays open for long does not keep what was written since",
    inJournals(async (folder) => {
      const journal = await open(folder);
      intend(journal, 7);
      intend(journal, 9, { details: { text: "ü🛰 \u0000" } });
      for (const sequence of upTo(300)) {
        journal.append(journaled(sequence, { request: `other ${sequence}` }));
        if (sequence % 10 !== 0) continue;
        journal.delivered(mark(sequence));
        await setTimeout(1);
      }
      await until(() => segments(folder).length <= 6);
      journal.close();
      const next = await open(folder, SECOND_RUN);
      const left = leftIn(next);
      assert.deepEqual(requests(left), ["request 7", "request 9"]);
      assert.deepEqual(left.open[1]?.details, { text: "ü🛰 \u0000" });
      assert.equal(left.last, 300);
      next.close();
    }),
  );

  test(
    "rows that are not delivered are never removed, whatever was closed",
    inJournals(async (folder) => {
      const journal = await open(folder);
      for (const number of upTo(50)) intend(journal, number);
      append(journal, 1, 50);
      const before = segments(folder);
      journal.delivered(mark(1));
      await setTimeout(50);
      // Intents in them are closed, but by rows of later segments that are not delivered: only the first may go.
      assert.deepEqual(await numbersOf(journal, 1), upTo(50).slice(1));
      journal.close();
      assert.ok(segments(folder).length > before.length / 3);
      const next = await open(folder, SECOND_RUN);
      assert.deepEqual(requests(leftIn(next)), []);
      assert.deepEqual(await numbersOf(leftIn(next), 1), upTo(50).slice(1));
      next.close();
    }),
  );
});

describe("a journal that has to survive a power cut", () => {
  test(
    "is synced for all that wait",
    inJournals(async (folder) => {
      const journal = await open(folder);
      await journal.synced();
      const waits = upTo(100).map((number) => {
        append(journal, number, number);
        return journal.synced();
      });
      await Promise.all(waits);
      journal.delivered(mark(100));
      await journal.synced();
      journal.close();
    }),
  );

  test(
    "says when it cannot be synced, and goes on in a new file",
    inJournals(async (folder) => {
      const journal = await open(folder, FIRST_RUN, 1_000_000);
      append(journal, 1, 1);
      rmSync(join(folder, FIRST_RUN, segments(folder)[0] ?? ""));
      await assert.rejects(journal.synced(), unavailable(/Cannot write .*ENOENT/));
      append(journal, 2, 2);
      await journal.synced();
      assert.deepEqual(segments(folder), ["000002.ndjson"]);
      journal.close();
    }),
  );
});

describe("any order of acts on the audit's journal", () => {
  for (const seed of upTo(6)) {
    const name = `leaves exactly what is open and not delivered (seed ${seed})`;
    test(
      name,
      { timeout: 60_000 },
      inJournals(async (folder) => {
        const acts = await Acts.on(folder, random(seed));
        for (let step = 1; step <= 800; step++) await acts.next(step);
        acts.close();
      }),
    );
  }
});

/** Acts on a journal beside a model of what must be in it. */
class Acts {
  readonly #folder: string;
  readonly #random: (below: number) => number;
  readonly #open = new Set<string>();
  #journal: AuditJournal;
  /** The run that is looked at, once it was left. */
  #left: Leftover | undefined;
  #last = 0;
  #delivered = 0;
  #intents = 0;

  private constructor(folder: string, journal: AuditJournal, next: (below: number) => number) {
    this.#folder = folder;
    this.#journal = journal;
    this.#random = next;
  }

  static async on(folder: string, next: (below: number) => number): Promise<Acts> {
    return new Acts(folder, await open(folder, runName(0), 1500), next);
  }

  close(): void {
    this.#journal.close();
  }

  async next(step: number): Promise<void> {
    const act = this.#random(100);
    if (act < 40) this.#intend();
    else if (act < 70) this.#append();
    else if (act < 75) this.#forget();
    else if (act < 85) await this.#deliver();
    else if (act < 98 || step < 400) await this.#read();
    else await this.#leave(step);
  }

  get #source(): AuditJournal | Leftover {
    return this.#left ?? this.#journal;
  }

  #anyOpen(): string | undefined {
    return [...this.#open][this.#random(Math.max(1, this.#open.size))];
  }

  #intend(): void {
    if (this.#left !== undefined) return;
    const request = `request ${++this.#intents}`;
    const filler = "x".repeat(this.#random(300));
    this.#journal.intent(request, rowText(rowOf(0, { request, details: { filler } })));
    this.#open.add(request);
  }

  #append(): void {
    const request = this.#anyOpen();
    if (request === undefined) return;
    this.#source.append(journaled(++this.#last, { request }));
    this.#open.delete(request);
  }

  #forget(): void {
    const request = this.#anyOpen();
    if (this.#left !== undefined || request === undefined) return;
    this.#journal.forget(request);
    this.#open.delete(request);
  }

  async #deliver(): Promise<void> {
    if (this.#delivered === this.#last) return;
    this.#delivered += 1 + this.#random(this.#last - this.#delivered);
    this.#source.delivered(mark(this.#delivered));
    if (this.#random(2) === 0) await setTimeout(1);
  }

  async #read(): Promise<void> {
    const limit = 1 + this.#random(9);
    const expected = upTo(this.#last).slice(this.#delivered, this.#delivered + limit);
    assert.deepEqual(await numbersOf(this.#source, this.#delivered, limit), expected);
  }

  async #leave(step: number): Promise<void> {
    if (this.#open.size === 0 && this.#delivered === this.#last) return;
    this.#journal.close();
    this.#journal = await open(this.#folder, runName(step), 1500);
    const left = leftIn(this.#journal);
    assert.equal(left.last, this.#last);
    assert.equal(left.mark.sequence, this.#delivered);
    assert.deepEqual(requests(left).toSorted(), [...this.#open].sort());
    this.#left = left;
  }
}

function runName(step: number): string {
  return `0196${String(step).padStart(4, "0")}-0000-7000-8000-000000000000`;
}

/** Whole numbers below a bound, the same for the same seed. */
function random(seed: number): (below: number) => number {
  let state = seed * 2_654_435_761 >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor(state / 2 ** 32 * below);
  };
}
