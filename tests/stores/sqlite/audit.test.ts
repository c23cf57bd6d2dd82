import assert from "node:assert/strict";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { DatabaseSync } from "node:sqlite";
import { describe, test } from "node:test";
import { type ErrorName, SentinelError } from "../../../src/contract/errors.ts";
import type { AuditSink } from "../../../src/ports/audit.ts";
import { openSqliteAudit } from "../../../src/stores/sqlite/audit.ts";
import { AUDIT_FILE } from "../../../src/stores/sqlite/audit_schema.ts";
import { openDatabase } from "../../../src/stores/sqlite/open.ts";
import { RunningProgram } from "../../support/running_program.ts";
import { commandOf } from "../../support/runtime.ts";
import { inFolder } from "../../support/temporary_folder.ts";
import { delivered, deliveries, FIRST_RUN, upTo } from "../audit_rows.ts";
import { auditSinkSuite, numbers, reader } from "../audit_sink_suite.ts";

const onPosix = { skip: process.platform === "win32" };
const bounded = { timeout: 60_000 };
const NOBODY = 65534;

describe("the audit on SQLite", () => {
  auditSinkSuite(() => {
    const folder = mkdtempSync(join(tmpdir(), "sentinel-audit-"));
    const path = join(folder, "audit.sqlite");
    return {
      connect: () => openSqliteAudit(path),
      makeNewer() {
        const database = new DatabaseSync(path);
        database.exec("PRAGMA user_version = 99");
        database.close();
      },
      remove: () => rmSync(folder, { recursive: true }),
    };
  });
});

const inFile = (work: (path: string) => Promise<void>) => () =>
  inFolder((folder) => work(join(folder, "audit.sqlite")));

/** A refusal that names the file and matches the text. */
function says(path: string, code: ErrorName, text: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof SentinelError, String(error));
    assert.equal(error.code, code, error.message);
    assert.ok(error.message.includes(`"${path}"`), error.message);
    assert.match(error.message, text);
    return true;
  };
}

async function opened(path: string): Promise<AuditSink> {
  const sink = openSqliteAudit(path);
  await sink.open();
  return sink;
}

const stored = async (sink: AuditSink) => numbers(await reader(sink).run(FIRST_RUN, 0, 10_000));

describe("the audit's file", () => {
  test(
    "and its side files are for their owner only, also when it was not",
    onPosix,
    inFile(async (path) => {
      const first = await opened(path);
      await first.close();
      chmodSync(path, 0o644);
      const second = await opened(path);
      await second.write(deliveries(1, 1));
      const files = [path, `${path}-wal`, `${path}-shm`];
      assert.deepEqual(files.map((file) => statSync(file).mode & 0o777), [0o600, 0o600, 0o600]);
      await second.close();
    }),
  );

  test(
    "held by another writer: rejected at once, read all the same, written when it comes again",
    inFile(async (path) => {
      const sink = await opened(path);
      await sink.write(deliveries(1, 2));
      const other = new DatabaseSync(path);
      other.exec("BEGIN IMMEDIATE");
      const locked = says(path, "AUDIT_UNAVAILABLE", /Cannot write .* locked; another process/);
      await assert.rejects(sink.write(deliveries(3, 4)), locked);
      await assert.rejects(sink.trim(Date.UTC(2100, 0, 1)), locked);
      assert.deepEqual(await stored(sink), [1, 2]);
      other.exec("ROLLBACK");
      other.close();
      await sink.write(deliveries(3, 4));
      assert.deepEqual(await stored(sink), upTo(4));
      await sink.close();
    }),
  );

  test(
    "held when it is opened: rejected, and opened by the next act",
    inFile(async (path) => {
      const other = new DatabaseSync(path);
      other.exec("BEGIN EXCLUSIVE");
      const sink = openSqliteAudit(path);
      await assert.rejects(sink.open(), says(path, "AUDIT_UNAVAILABLE", /locked/));
      other.exec("ROLLBACK");
      other.close();
      await sink.write(deliveries(1, 2));
      assert.deepEqual(await stored(sink), [1, 2]);
      await sink.close();
    }),
  );

  test(
    "of another program, or of a newer version, is refused and stays as it is",
    inFile(async (path) => {
      for (const sql of ["CREATE TABLE notes (x TEXT)", "PRAGMA user_version = 7"]) {
        const other = new DatabaseSync(path);
        other.exec(sql);
        other.close();
        const before = readFileSync(path);
        const sink = openSqliteAudit(path);
        await assert.rejects(sink.open(), says(path, "CONFIG_INVALID", /another program/));
        await sink.close();
        assert.deepEqual(readFileSync(path), before);
        rmSync(path);
      }
    }),
  );

  test(
    "of an older version is changed only when that is allowed",
    inFile(async (path) => {
      await (await opened(path)).close();
      const step = "CREATE TABLE next (x TEXT) STRICT";
      const next = { ...AUDIT_FILE, migrations: [...AUDIT_FILE.migrations, step] };
      const refused = says(path, "CONFIG_INVALID", /older version 1; .*migrate = true/);
      assert.throws(() => openDatabase(path, 50, next, false), refused);
      const database = openDatabase(path, 50, next, true);
      assert.equal(database.prepare("SELECT count(*) AS n FROM next").get()?.["n"], 0);
      database.close();
      // A new file is no older one.
      const fresh = openSqliteAudit(`${path}.new`, { migrate: false });
      await fresh.write(deliveries(1, 1));
      await fresh.close();
    }),
  );

  test(
    "that is damaged is refused at the start, and no new one takes its place",
    inFile(async (path) => {
      const sink = await opened(path);
      await sink.write(deliveries(1, 2000));
      await sink.close();
      const bytes = readFileSync(path);
      bytes.fill(0xff, 10 * PAGE, 11 * PAGE);
      writeFileSync(path, bytes);
      const damaged = openSqliteAudit(path);
      const refusal = says(path, "AUDIT_UNAVAILABLE", /damaged; restore a backup, or move it away/);
      await assert.rejects(damaged.open(), refusal);
      await assert.rejects(damaged.write(deliveries(1, 1)), refusal);
      await damaged.close();
      assert.deepEqual(readFileSync(path), bytes);
      writeFileSync(path, "no database at all ".repeat(500));
      await assert.rejects(openSqliteAudit(path).open(), refusal);
    }),
  );

  test(
    "that is damaged while it is used is told of with every batch",
    inFile(async (path) => {
      const sink = await opened(path);
      await sink.write(deliveries(1, 5000));
      await sink.close();
      const next = await opened(path);
      const bytes = readFileSync(path);
      bytes.fill(0xff, PAGE);
      writeFileSync(path, bytes);
      const refusal = says(path, "AUDIT_UNAVAILABLE", /damaged; restore/);
      await assert.rejects(next.write(deliveries(5001, 5250)), refusal);
      await assert.rejects(next.write(deliveries(5001, 5250)), refusal);
      await next.close();
    }),
  );

  test(
    "that may not be written is told of; the rows in it can still be counted on",
    { ...bounded, ...onPosix },
    inFile(async (path) => {
      const sink = await opened(path);
      await sink.write(deliveries(1, 3));
      await sink.close();
      const database = new DatabaseSync(path);
      database.exec("PRAGMA journal_mode = DELETE"); // a log would have to be made to read it
      database.close();
      chmodSync(path, 0o400);
      chmodSync(dirname(path), 0o755);
      const { command, args } = commandOf("tests/fixtures/stores/audit_sqlite.ts", [path, "1"]);
      // Nothing is read-only for root.
      const isRoot = process.getuid?.() === 0;
      if (isRoot) chownSync(path, NOBODY, NOBODY);
      const user = [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups", command];
      const program = new RunningProgram(
        isRoot ? { command: "setpriv", args: [...user, ...args] } : { command, args },
      );
      await program.exited;
      const output = program.stdout + program.stderr;
      assert.match(output, /failed SentinelError: Cannot open the audit file .*readonly/, output);
      assert.match(output, /let this user write the file and its folder/, output);
      const again = await opened(path);
      assert.deepEqual(await stored(again), [1, 2, 3]);
      await again.close();
    }),
  );

  test("on a disk that takes no more: told, whole batches only, nothing acknowledged is lost", {
    ...bounded,
    ...onPosix,
  }, () =>
    inFolder(async (folder) => {
      const path = join(folder, "audit.sqlite");
      const { command, args } = commandOf("tests/fixtures/stores/audit_sqlite.ts", [path, "100"]);
      const limited = `trap "" XFSZ; ulimit -f 1000; exec "$0" "$@"`;
      const program = new RunningProgram({
        command: "/bin/sh",
        args: ["-c", limited, command, ...args],
      });
      await program.exited;
      assert.match(program.stdout, /failed SentinelError: Cannot write the audit file/);
      await holdsBatches(path, program);
    }));

  test(
    "of a gateway that is killed has all batches that were acknowledged",
    bounded,
    () =>
      inFolder(async (folder) => {
        const path = join(folder, "audit.sqlite");
        const args = [path, "1000000"];
        const program = new RunningProgram(
          commandOf("tests/fixtures/stores/audit_sqlite.ts", args),
        );
        await program.printed(/^20$/m);
        await program.kill();
        await holdsBatches(path, program);
      }),
  );
});

const PAGE = 16_384;

/** All batches of 50 rows that were acknowledged, perhaps one more, and none in part. */
async function holdsBatches(path: string, { stdout }: RunningProgram): Promise<void> {
  assert.ok(existsSync(path));
  const acknowledged = [...stdout.matchAll(/^(\d+)\n/gm)].map(([, batch]) => Number(batch));
  const sink = await opened(path);
  const [run] = await reader(sink).runs();
  const rows = await reader(sink).run(FIRST_RUN, 0, 100_000);
  const there = new Set(rows.map(({ record }) => record.sequence));
  assert.equal(there.size % 50, 0);
  assert.equal(run?.rows, there.size);
  for (const batch of acknowledged) {
    const missing = deliveries((batch - 1) * 50 + 1, batch * 50)
      .filter(({ row }) => !there.has(row.sequence));
    assert.deepEqual(missing, []);
  }
  assert.ok(acknowledged.length > 1 && there.size <= (acknowledged.length + 1) * 50);
  await sink.write([delivered(999_999)]);
  await sink.close();
}
