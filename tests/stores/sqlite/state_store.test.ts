import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { DatabaseSync } from "node:sqlite";
import { after, describe, test } from "node:test";
import { SentinelError } from "../../../src/contract/errors.ts";
import { migrate, STATE_FILE } from "../../../src/stores/sqlite/schema.ts";
import { openSqliteState } from "../../../src/stores/sqlite/state_store.ts";
import { RunningProgram } from "../../support/running_program.ts";
import { commandOf, RUNTIME } from "../../support/runtime.ts";
import { numbered, numbersAfter, stateStoreSuite } from "../state_store_suite.ts";
import { inFolder } from "../../support/temporary_folder.ts";

const onPosix = { skip: process.platform === "win32" };

/** Passes for a refusal that names the file and matches the text. */
function says(path: string, text: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof SentinelError, String(error));
    assert.equal(error.code, "AUDIT_UNAVAILABLE");
    assert.ok(error.message.includes(`"${path}"`), error.message);
    assert.match(error.message, text);
    assert.equal(error.details.reason, error.message);
    return true;
  };
}

describe("state on SQLite", () => {
  const folder = mkdtempSync(join(tmpdir(), "sentinel-sqlite-"));
  let files = 0;
  after(() => rmSync(folder, { recursive: true }));
  stateStoreSuite((bounds) => openSqliteState(join(folder, `${++files}.db`), bounds));
});

describe("the state file", () => {
  const inFile = (work: (path: string) => void) => () =>
    inFolder((folder) => work(join(folder, "state.db")));

  test(
    "what was kept is there after a restart, and cursors go on",
    inFile((path) => {
      const first = openSqliteState(path, { maxEvents: 100 });
      for (let number = 1; number <= 250; number++) first.append(numbered(number));
      first.put("kill_switch", "tools/a", { reason: "x" });
      first.close();
      const second = openSqliteState(path, { maxEvents: 100 });
      assert.deepEqual(second.entries("kill_switch"), new Map([["tools/a", { reason: "x" }]]));
      assert.deepEqual(numbersAfter(second, 248), [249, 250]);
      assert.equal(second.append(numbered(251)), 251);
      second.close();
    }),
  );

  test(
    "no cursor is given twice, even when every event is gone",
    inFile((path) => {
      const first = openSqliteState(path);
      const cursor = first.append(numbered(1));
      first.close();
      const other = new DatabaseSync(path);
      other.exec("DELETE FROM event");
      other.close();
      const second = openSqliteState(path);
      assert.deepEqual(second.bounds(), { oldest: 0, last: cursor });
      assert.equal(second.append(numbered(2)), cursor + 1);
      second.close();
    }),
  );

  test(
    "two openings of one file see each other's writes at once",
    inFile((path) => {
      const one = openSqliteState(path);
      const two = openSqliteState(path);
      const cursors = [one, two, one, two].map((store, index) => store.append(numbered(index)));
      assert.deepEqual(cursors, [1, 2, 3, 4]);
      assert.deepEqual(numbersAfter(one, 0), [0, 1, 2, 3]);
      one.put("kill_switch", "tools/a", 1);
      assert.equal(two.entries("kill_switch").get("tools/a"), 1);
      one.close();
      assert.equal(two.append(numbered(4)), 5);
      two.close();
    }),
  );

  test(
    "it and its side files are for their owner only, also when it was not",
    onPosix,
    inFile((path) => {
      const modes = () =>
        [path, `${path}-wal`, `${path}-shm`].map((file) => statSync(file).mode & 0o777);
      const first = openSqliteState(path);
      first.append(numbered(1));
      assert.deepEqual(modes(), [0o600, 0o600, 0o600]);
      first.close();
      chmodSync(path, 0o644);
      const second = openSqliteState(path);
      second.append(numbered(2));
      assert.deepEqual(modes(), [0o600, 0o600, 0o600]);
      second.close();
    }),
  );

  test(
    "a newer one is refused and stays as it is",
    inFile((path) => {
      openSqliteState(path).close();
      const other = new DatabaseSync(path);
      other.exec("PRAGMA user_version = 99");
      other.close();
      const before = readFileSync(path);
      assert.throws(() => openSqliteState(path), says(path, /version 99.*newer version of MCP/));
      assert.deepEqual(readFileSync(path), before);
    }),
  );

  test(
    "a database of another program is refused and stays as it is",
    inFile((path) => {
      const other = new DatabaseSync(path);
      other.exec("CREATE TABLE notes (text TEXT); PRAGMA user_version = 1");
      other.close();
      const before = readFileSync(path);
      assert.throws(() => openSqliteState(path), says(path, /another program; move it away/));
      assert.deepEqual(readFileSync(path), before);
    }),
  );

  test(
    "one that is no database is refused and stays as it is",
    inFile((path) => {
      writeFileSync(path, "not a database, but long enough to be one ".repeat(100));
      const before = readFileSync(path);
      assert.throws(() => openSqliteState(path), says(path, /not a database; it is damaged; rest/));
      assert.deepEqual(readFileSync(path), before);
    }),
  );

  test(
    "one with a damaged page is refused at the start, not when the page is needed",
    inFile((path) => {
      const store = openSqliteState(path);
      for (let number = 0; number < 500; number++) store.append(numbered(number));
      store.close();
      const bytes = readFileSync(path);
      bytes.fill(0xff, 10 * 4096, 11 * 4096);
      writeFileSync(path, bytes);
      assert.throws(() => openSqliteState(path), says(path, /it is damaged; restore a backup/));
    }),
  );

  test(
    "a folder that is missing is refused in words",
    inFile((path) => {
      const lost = join(path, "state.db");
      assert.throws(() => openSqliteState(lost), says(lost, /Cannot open the state file/));
    }),
  );

  test(
    "a writer that holds it too long is named; afterwards all is well",
    inFile((path) => {
      const store = openSqliteState(path, { busyMs: 1 });
      const other = new DatabaseSync(path);
      other.exec("BEGIN IMMEDIATE");
      const locked = says(path, /Cannot write .* locked; another process holds it/);
      assert.throws(() => store.append(numbered(1)), locked);
      assert.throws(() => store.put("kill_switch", "tools/a", 1), locked);
      assert.throws(() => store.remove("kill_switch", "tools/a"), locked);
      assert.deepEqual(numbersAfter(store, 0), []);
      other.exec("ROLLBACK");
      other.close();
      assert.equal(store.append(numbered(1)), 1);
      store.close();
    }),
  );

  test(
    "a closed one says so instead of losing what it is given",
    inFile((path) => {
      const store = openSqliteState(path);
      store.close();
      assert.throws(() => store.append(numbered(1)), says(path, /Cannot write/));
      assert.throws(() => store.eventsAfter(0, 1), says(path, /Cannot read/));
    }),
  );

  test("a disk that takes no more is told; what was acknowledged stays", {
    skip: process.platform === "win32",
    timeout: 60_000,
  }, () =>
    inFolder(async (folder) => {
      openSqliteState(join(folder, "state.db")).close();
      const { command, args } = commandOf("tests/fixtures/stores/writer.ts", [folder, "w", "300"]);
      // In blocks of 512 or 1024 bytes; the signal that goes with the limit would end the program.
      const limited = `trap "" XFSZ; ulimit -f 1000; exec "$0" "$@"`;
      const writer = new RunningProgram({
        command: "/bin/sh",
        args: ["-c", limited, command, ...args],
      });
      await writer.exited;
      assert.match(
        writer.stdout,
        /failed SentinelError: Cannot write the state file ".*state\.db"/,
      );
      const cursors = [...writer.stdout.matchAll(/^\d+ (\d+)\n/gm)].map(([, cursor]) => cursor);
      assert.ok(cursors.length > 10, `${RUNTIME}: ${writer.stdout.slice(-1000)}${writer.stderr}`);
      const store = openSqliteState(join(folder, "state.db"));
      const kept = new Set(store.eventsAfter(0, 5000).map(({ cursor }) => cursor));
      assert.deepEqual(cursors.filter((cursor) => !kept.has(cursor ?? "")), []);
      store.close();
    }));
});

describe("migrations", () => {
  const next = "CREATE TABLE next (x TEXT) STRICT";
  const withSteps = (...steps: string[]) => ({
    ...STATE_FILE,
    migrations: [...STATE_FILE.migrations, ...steps],
  });

  test("lead from every earlier version to the newest, once", () =>
    inFolder((folder) => {
      const path = join(folder, "state.db");
      const store = openSqliteState(path);
      store.append(numbered(1));
      const database = new DatabaseSync(path);
      migrate(database, path, withSteps(next));
      migrate(database, path, withSteps(next));
      assert.equal(database.prepare("SELECT count(*) AS n FROM next").get()?.["n"], 0);
      // The version before, which still runs.
      assert.equal(store.append(numbered(2)), 2);
      assert.deepEqual(numbersAfter(store, 0), [1, 2]);
      database.close();
      store.close();
      assert.throws(() => openSqliteState(path), says(path, /versions up to/));
    }));

  test("a step that fails leaves the file as it was", () =>
    inFolder((folder) => {
      const path = join(folder, "state.db");
      openSqliteState(path).close();
      const database = new DatabaseSync(path);
      assert.throws(() => migrate(database, path, withSteps(next, "CREATE NONSENSE")));
      database.close();
      const store = openSqliteState(path);
      assert.equal(store.append(numbered(1)), 1);
      store.close();
      assert.ok(existsSync(path));
    }));
});
