/** State and journal of gateways that are killed, or that share a folder during a rolling restart. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { openSqliteState } from "../../src/stores/sqlite/state_store.ts";
import type { GatewayEvent } from "../../src/contract/events.ts";
import { RunningProgram } from "../support/running_program.ts";
import { commandOf } from "../support/runtime.ts";
import { inFolder } from "../support/temporary_folder.ts";

const bounded = { timeout: 120_000 };
const WRITER = "tests/fixtures/stores/writer.ts";

/** Numbers and cursors that a writer acknowledged; a line cut off by its end is none. */
function acknowledged({ stdout }: RunningProgram): { number: number; cursor: number }[] {
  return [...stdout.matchAll(/^(\d+) (\d+)\n/gm)].map(([, number, cursor]) => ({
    number: Number(number),
    cursor: Number(cursor),
  }));
}

/** Lines of all files of a journal that are an entry, by the name of their writer. */
function journalled(folder: string, name: string): number[] {
  const files = readdirSync(folder).filter((file) => file.startsWith("journal.ndjson"));
  const lines = files.flatMap((file) => readFileSync(join(folder, file), "utf8").split("\n"));
  return lines.filter((line) => line.endsWith("}"))
    .map((line) => (JSON.parse(line) as { request: string }).request.split(" "))
    .filter(([writer]) => writer === name)
    .map(([, number]) => Number(number))
    .sort((a, b) => a - b);
}

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

function all(path: string): readonly GatewayEvent[] {
  const store = openSqliteState(path);
  try {
    return store.eventsAfter(0, 100_000);
  } finally {
    store.close();
  }
}

describe("state and journal on disk", () => {
  test(
    "kill -9 loses nothing that was acknowledged, time after time",
    bounded,
    () =>
      inFolder(async (folder) => {
        let before = 0;
        for (const name of ["first", "second", "third"]) {
          const writer = new RunningProgram(commandOf(WRITER, [folder, name]));
          await writer.printed(/^150 /m);
          await writer.kill();
          const acks = acknowledged(writer);
          const events = new Map(
            all(join(folder, "state.db")).map((event) => [event.cursor, event]),
          );
          for (const { number, cursor } of acks) {
            assert.deepEqual(events.get(String(cursor))?.fields, { name, number });
          }
          const last = acks.at(-1) ?? { number: 0, cursor: 0 };
          const store = openSqliteState(join(folder, "state.db"));
          assert.ok(Number(store.entries("kill_switch").get(name)) >= last.number);
          assert.ok(store.bounds().last >= last.cursor && (acks[0]?.cursor ?? 0) > before);
          before = store.bounds().last;
          store.close();
          assert.deepEqual(journalled(folder, name).slice(0, last.number), upTo(last.number));
        }
      }),
  );

  test(
    "two gateways share a folder: no gap, no cursor twice, no line lost",
    bounded,
    () =>
      inFolder(async (folder) => {
        // All of them find an empty folder.
        const writers = ["one", "two"].map((name) =>
          new RunningProgram(commandOf(WRITER, [folder, name, "1000"]))
        );
        const store = openSqliteState(join(folder, "state.db"));
        const seen: GatewayEvent[] = [];
        let running = true;
        const ended = Promise.all(writers.map(({ exited }) => exited)).finally(() =>
          running = false
        );
        // A follower that reads while they write: what it passes over once it never sees.
        for (let last = false; !last; last = !running) {
          seen.push(...store.eventsAfter(Number(seen.at(-1)?.cursor ?? 0), 7));
          await setImmediate();
        }
        const exits = await ended;
        for (let page = seen; page.length > 0;) {
          page = [...store.eventsAfter(Number(seen.at(-1)?.cursor ?? 0), 500)];
          seen.push(...page);
        }
        const told = writers.map(({ stdout, stderr }) => stdout.slice(-500) + stderr);
        assert.deepEqual(exits, [{ code: 0 }, { code: 0 }], told.join("\n"));
        assert.deepEqual(seen.map(({ cursor }) => Number(cursor)), upTo(2000));
        for (const name of ["one", "two"]) {
          const own = seen.filter(({ fields }) => fields["name"] === name);
          assert.deepEqual(own.map(({ fields }) => fields["number"]), upTo(1000));
          assert.deepEqual(journalled(folder, name), upTo(1000));
        }
        store.close();
      }),
  );
});
