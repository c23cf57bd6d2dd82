/** The audit's journal and its SQLite file when gateways are killed, or share a folder. */
import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import process from "node:process";
import { describe, test } from "node:test";
import type { AuditJournal, JournaledRow, Leftover } from "../../src/ports/audit.ts";
import { openAuditJournal } from "../../src/stores/file/audit_journal.ts";
import { RunningProgram } from "../support/running_program.ts";
import { type Command, commandOf, type Runtime } from "../support/runtime.ts";
import { inFolder } from "../support/temporary_folder.ts";
import { upTo } from "./audit_rows.ts";

const bounded = { timeout: 120_000 };
const WRITER = "tests/fixtures/stores/audit_writer.ts";

/** Name of the nth run of a test. */
function run(number: number): string {
  return `01960000-0000-7000-8000-${String(number).padStart(12, "0")}`;
}

function writer(folder: string, number: number, more: readonly string[] = []): Command {
  return commandOf(WRITER, [folder, run(number), "300000", ...more]);
}

/** Numbers behind a letter; a line that was cut off is none. */
function said({ stdout }: RunningProgram, letter: "a" | "i"): number[] {
  return [...stdout.matchAll(new RegExp(`^${letter}(\\d+)\n`, "gm"))].map(([, n]) => Number(n));
}

async function allRows(source: Pick<AuditJournal, "rows">): Promise<JournaledRow[]> {
  const all: JournaledRow[] = [];
  for (let page = await source.rows(0, 250); page.length > 0;) {
    all.push(...page);
    page = await source.rows(all.at(-1)?.row.sequence ?? 0, 250);
  }
  return all;
}

const numberIn = (request: string) => Number(request.replace("request-", ""));

/** What was acknowledged of the numbers in the last lines is there, and nothing is there that cannot be. */
async function holdsAll(left: Leftover, program: RunningProgram): Promise<void> {
  const rows = await allRows(left);
  assert.deepEqual(rows.map(({ row }) => row.sequence), upTo(rows.length));
  assert.equal(left.last, rows.length);
  const there = new Set(rows.map(({ row }) => numberIn(row.request)));
  const open = new Set(left.open.map(({ request }) => numberIn(request)));
  assert.deepEqual(said(program, "a").filter((number) => !there.has(number)), []);
  const lost = said(program, "i").filter((number) => !there.has(number) && !open.has(number));
  assert.deepEqual(lost, []);
  const newest = Math.max(...there, ...open);
  for (const number of open) {
    const isMeant = number % 7 === 0 || number === newest;
    assert.ok(isMeant && !there.has(number), `${number} is open`);
  }
}

describe("the audit's journal of a gateway that is killed", () => {
  for (const round of [1, 2, 3]) {
    test(`has all that was acknowledged (${round})`, bounded, () =>
      inFolder(async (folder) => {
        const program = new RunningProgram(writer(folder, 1));
        await program.printed(new RegExp(`^a${round * 400}$`, "m"));
        await program.kill();
        const journal = await openAuditJournal(folder, { instance: run(2) });
        assert.deepEqual(journal.problems, []);
        const [left, ...more] = journal.leftovers;
        assert.ok(left !== undefined && more.length === 0);
        await holdsAll(left, program);
        journal.close();
      }));
  }

  test(
    "is not taken over before, by whatever runtime; then by one of two at once",
    bounded,
    () =>
      inFolder(async (folder) => {
        const first = new RunningProgram(writer(folder, 1, ["50"]));
        await first.printed(/^done$/m);
        for (const [index, runtime] of (["node", "deno", "bun"] as Runtime[]).entries()) {
          const args = [folder, run(10 + index), "300000", "0"];
          const other = new RunningProgram(commandOf(WRITER, args, runtime));
          await other.printed(/^opened$/m);
          assert.ok(!other.stdout.includes("left"), `${runtime}: ${other.stdout}`);
          await other.kill();
        }
        await first.kill();
        const both = [2, 3].map((number) => new RunningProgram(writer(folder, number, ["0"])));
        await Promise.all(both.map((program) => program.printed(/^done$/m)));
        const told = both.map(({ stdout }) => stdout).join("");
        assert.deepEqual(told.match(/^left .*$/gm), [`left ${run(1)} 43 7`], told);
        await Promise.all(both.map((program) => program.kill()));
        const last = await openAuditJournal(folder, { instance: run(4) });
        assert.deepEqual(last.leftovers.map(({ instance }) => instance), [run(1)]);
        last.close();
      }),
  );

  test(
    "in the middle of taking over is taken over itself, with what it had",
    bounded,
    () =>
      inFolder(async (folder) => {
        const first = new RunningProgram(writer(folder, 1, ["50"]));
        await first.printed(/^done$/m);
        await first.kill();
        const second = new RunningProgram(writer(folder, 2, ["20"]));
        await second.printed(/^done$/m);
        await second.kill();
        const journal = await openAuditJournal(folder, { instance: run(3) });
        const left = journal.leftovers.map((
          { instance, last, open },
        ) => [instance, last, open.length]);
        assert.deepEqual(left, [[run(1), 43, 7], [run(2), 18, 2]]);
        journal.close();
      }),
  );
});

describe("the audit's journal on a disk that takes no more", () => {
  test("says so; what was acknowledged is there, what failed is not", {
    ...bounded,
    skip: process.platform === "win32",
  }, () =>
    inFolder(async (folder) => {
      const { command, args } = commandOf(WRITER, [folder, run(1), "100000000", "600"]);
      // In blocks of 512 or 1024 bytes; the signal that goes with the limit would end the program.
      const limited = `trap "" XFSZ; ulimit -f 500; exec "$0" "$@"`;
      const program = new RunningProgram({
        command: "/bin/sh",
        args: ["-c", limited, command, ...args],
      });
      await program.printed(/^done$/m);
      await program.kill();
      assert.match(program.stdout, /^failed \d+ SentinelError: Cannot write the audit's journal/m);
      const written = said(program, "a");
      const failed = [...program.stdout.matchAll(/^failed (\d+) /gm)].map(([, n]) => Number(n));
      assert.ok(written.length > 20 && failed.length > 20, program.stderr);
      // After a large line that did not fit, smaller ones still do.
      assert.ok(Math.max(...written) > Math.min(...failed));
      const journal = await openAuditJournal(folder, { instance: run(2) });
      const [left] = journal.leftovers;
      assert.ok(left !== undefined);
      assert.deepEqual((await allRows(left)).map(({ row }) => numberIn(row.request)), written);
      const intended = said(program, "i").filter((number) => !written.includes(number));
      assert.deepEqual(left.open.map(({ request }) => numberIn(request)), intended);
      left.delivered({ sequence: left.last, hash: "" });
      left.remove();
      journal.close();
      const names = existsSync(folder) ? readdirSync(folder) : [];
      assert.deepEqual(names.filter((name) => name !== "ended.json"), []);
    }));
});
