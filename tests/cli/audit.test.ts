import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, describe, it } from "node:test";
import * as v from "valibot";
import { type AuditRecord, AuditRecordSchema } from "../../src/contract/audit.ts";
import { gatewayFolder } from "../../src/hosts/state_folder.ts";
import type { AuditSink, DeliveredRow } from "../../src/ports/audit.ts";
import { openAuditJournal } from "../../src/stores/file/audit_journal.ts";
import {
  auditPath,
  callRow,
  chained,
  FIRST_RUN,
  SECOND_RUN,
  storeWith,
} from "../manage/audit_store.ts";
import { RunningProgram } from "../support/running_program.ts";
import { commandOf } from "../support/runtime.ts";
import { inFolder } from "../support/temporary_folder.ts";
import { type FakeIoOptions, type Ran, runCli } from "./fake_io.ts";
import { type Operator, withOperator } from "./operator.ts";

/** Retention would take rows of the past. */
const CONFIG = { audit: { retention: "36500d" } };
const THIRD_RUN = "01980000-0000-7000-8000-000000000003";

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);
const calls = (count: number) => chained(upTo(count).map((number) => callRow(number)));
const rowsIn = ({ out, err }: Ran): AuditRecord[] => {
  assert.doesNotMatch(err, /error/);
  return out.trimEnd().split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
};
const placesIn = (ran: Ran) =>
  rowsIn(ran).map(({ instance, sequence }) => `${instance.slice(0, 4)}#${sequence}`);

/** Runs `work` with a gateway whose store has rows, and the path of that store. */
const withStore = (
  runs: readonly (readonly DeliveredRow[])[],
  work: (operator: Operator, path: string, sink: AuditSink) => Promise<void>,
) =>
  inFolder(async (folder) => {
    const audit = await storeWith(folder, ...runs);
    await withOperator(
      { audit, config: CONFIG },
      (operator) => work(operator, auditPath(folder), audit.sink),
    );
  });

/** Changes a store behind the gateway's back. */
function tamper(path: string, sql: string): void {
  const database = new DatabaseSync(path, { timeout: 5000 });
  database.exec(sql);
  database.close();
}

describe("audit search", () => {
  const rows = chained([
    callRow(1),
    callRow(2, { outcome: "denied", error: "POLICY_DENIED", name: "gh__delete", durationMs: 0.4 }),
    callRow(3, {
      kind: "operation",
      method: "kill",
      name: "tools/x\u001b[2J",
      principal: "oncall",
    }),
  ]);

  it("prints who did what, newest first", () =>
    withStore([rows], async ({ run }) => {
      const { code, out, err } = await run(["audit", "search", "until:2026-06-01"]);
      assert.equal(code, 0, err);
      const [heading = "", ...lines] = out.trimEnd().split("\n");
      assert.match(heading, /^TIME +WHO +TOOL +BACKEND +OUTCOME +MS +REQUEST$/);
      assert.match(
        lines[0] ?? "",
        /^2026-01-01 00:00:03Z {2}oncall +kill tools\/x\\x1b\[2J +gh +ok /,
      );
      assert.match(lines[1] ?? "", /anna +gh__delete +gh +denied +0\.4 {2}0196a000-/);
      assert.match(lines[2] ?? "", /anna +gh__merge +gh +ok +13 {2}0196a000-/);
      assert.equal(lines.length, 3);
    }));

  it("takes terms, times, an order and a limit, and says when there is more", () =>
    withStore([calls(30)], async ({ run }) => {
      const options = ["--since", "2026-01-01T00:00:10Z", "--until", "2026-01-01T00:00:20Z"];
      const { out, err } = await run([
        ...["audit", "search", "tool:gh__*", "--order", "oldest", "-n", "3", "--json"],
        ...options,
      ]);
      const { schema, items } = JSON.parse(out);
      assert.equal(schema, "mcp-sentinel/v1/audit-list");
      assert.deepEqual(items.map(({ sequence }: AuditRecord) => sequence), [10, 11, 12]);
      assert.match(err, /there is more; --limit 30/);
      const all = JSON.parse((await run(["audit", "search", "--json", ...options])).out);
      assert.equal(all.items.length, 10);
    }));

  it("a wrong filter is wrong usage", () =>
    withStore([], async ({ run }) => {
      const { code, err } = await run(["audit", "search", "stauts:error"]);
      assert.equal(code, 2);
      assert.match(err, /did you mean "status"\?/);
    }));

  it("a gateway that records nothing says so", () =>
    withOperator({}, async ({ run }) => {
      const { code, err } = await run(["audit", "search"]);
      assert.equal(code, 1);
      assert.match(err, /audit\.store is off/);
    }));
});

describe("audit export", () => {
  it("prints each call once, oldest first, as the row that was hashed", () =>
    withStore([calls(1200)], async ({ run }) => {
      const rows = rowsIn(await run(["audit", "export"]));
      assert.deepEqual(rows.map(({ sequence }) => sequence), upTo(1200));
      const [first] = rows;
      assert.deepEqual(first, { ...callRow(1), hash: calls(1)[0]?.hash });
      v.parse(AuditRecordSchema, first);
    }));

  it("leaves out what is no call, unless --all", () =>
    withStore([chained([callRow(1, { kind: "start" }), callRow(2)])], async ({ run }) => {
      assert.deepEqual(placesIn(await run(["audit", "export"])), ["0196#2"]);
      const options = ["--all", "--until", "2026-06-01"];
      assert.deepEqual(placesIn(await run(["audit", "export", ...options])), ["0196#1", "0196#2"]);
      const filtered = await run(["audit", "export", "--filter=-tool:gh__merge"]);
      assert.deepEqual(placesIn(filtered), []);
    }));
});

describe("audit tail", () => {
  it("prints rows of the gateway as they come, until Ctrl-C", () =>
    withStore([calls(3)], async ({ run, management }) => {
      const stop = new AbortController();
      const seen: string[] = [];
      const tail = run(["audit", "tail", "kind:refusal", "--json"], {
        interrupt: stop.signal,
        onOut: (text) => {
          seen.push(text);
          stop.abort();
        },
        onErr: (text) => {
          if (text.startsWith("following")) void management.ask("GET", "/manage/v1/status");
        },
      });
      const { code, out } = await tail;
      assert.equal(code, 130);
      const [{ schema, ...row } = { schema: "" }] = out.trimEnd().split("\n").map((line) =>
        JSON.parse(line)
      );
      assert.equal(schema, "mcp-sentinel/v1/audit");
      assert.equal(v.parse(AuditRecordSchema, row).error, "UNAUTHENTICATED");
    }));
});

describe("audit verify", () => {
  const named = (sequence: number) =>
    chained([callRow(1, {
      instance: SECOND_RUN,
      kind: "start",
      details: { previous: [{ instance: FIRST_RUN, sequence }] },
    })]);

  it("recomputes the chain of every run", () =>
    withStore([calls(2500), named(2500)], async ({ run }) => {
      const { code, out, err } = await run(["audit", "verify"]);
      assert.equal(code, 0, out + err);
      assert.match(out, /^ok {2}250\d rows of \d runs\n$/);
      assert.match(err, /last: run .*, row \d+, hash [0-9a-f]{64}/);
    }));

  it("rows without a chain are checked for their numbers", () =>
    withStore([calls(3).map((row) => ({ ...row, hash: "" }))], async ({ run }) => {
      const { code, err } = await run(["audit", "verify"]);
      assert.equal(code, 0);
      assert.match(err, /1 run without a chain: only the numbers were checked/);
    }));

  it("what retention took is no break", () =>
    withStore([calls(10), named(10)], async ({ run }, _path, sink) => {
      assert.equal(await sink.trim(Date.parse("2026-01-01T00:00:05Z")), 5);
      const { code, out } = await run(["audit", "verify"]);
      assert.equal(code, 0, out);
    }));

  const BREAKS: readonly (readonly [string, string, RegExp])[] = [
    [
      "a row that was changed",
      `UPDATE audit SET row = replace(row, 'gh__merge', 'gh__other') WHERE sequence = 4`,
      /row 4: its hash is not that of its content/,
    ],
    ["a row that was removed", "DELETE FROM audit WHERE sequence = 4", /row 4: it is missing$/m],
    [
      "several rows that were removed",
      "DELETE FROM audit WHERE sequence BETWEEN 2 AND 5",
      /row 2: it is missing, and all up to 5$/m,
    ],
    [
      "the first row that was removed",
      `DELETE FROM audit WHERE sequence = 1 AND instance = '${FIRST_RUN}'`,
      /row 1: it is missing$/m,
    ],
    [
      "a tail that was cut off",
      "DELETE FROM audit WHERE sequence > 6",
      /row 7: it is missing, and all up to 10; run 01970000-.* says that it ended with 10/,
    ],
    [
      "a run that was removed",
      `DELETE FROM audit WHERE instance = '${FIRST_RUN}'`,
      /row 1: it is missing, and all up to 10; run 01970000-/,
    ],
    [
      "two rows that changed places",
      `UPDATE audit SET sequence = 99 WHERE sequence = 4; UPDATE audit SET sequence = 4 WHERE sequence = 5;
        UPDATE audit SET sequence = 5 WHERE sequence = 99`,
      /row 4: it is missing$/m,
    ],
    [
      "a hash that was taken away",
      "UPDATE audit SET hash = '' WHERE sequence = 10",
      /row 10: it has no hash, the row before it has one/,
    ],
  ];
  for (const [what, sql, expected] of BREAKS) {
    it(`finds ${what}`, () =>
      withStore([calls(10), named(10)], async ({ run }, path) => {
        tamper(path, sql);
        const { code, out } = await run(["audit", "verify"]);
        assert.equal(code, 1);
        assert.match(out, /^broken {2}run 01960000-0000-7000-8000-000000000001, /);
        assert.match(out, expected);
        const json = JSON.parse((await run(["audit", "verify", "--json"])).out);
        assert.equal(json.ok, false);
        assert.equal(json.breaks[0].instance, FIRST_RUN);
      }));
  }

  it("finds a row that was added to a run that had ended, with a chain that fits", () =>
    withStore([calls(11), named(10)], async ({ run }) => {
      const { code, out } = await run(["audit", "verify"]);
      assert.equal(code, 1);
      assert.match(out, /row 11: it was added later; run 01970000-.* says that it ended with 10/);
    }));
});

describe("the audit of a configuration", () => {
  let home: string;
  let file: string;
  let folder: string;
  before(() => {
    home = mkdtempSync(join(tmpdir(), "sentinel-audit-"));
    file = join(home, "sentinel.toml");
    writeFileSync(file, '[server]\nname = "team"\n');
    chmodSync(file, 0o600);
    folder = gatewayFolder(join(home, "mcp-sentinel"), { source: file, name: "team" });
  });
  after(() => rmSync(home, { recursive: true }));

  const run = (argv: readonly string[], options: FakeIoOptions = {}) =>
    runCli(argv, { cwd: home, ...options, env: { XDG_STATE_HOME: home } });

  it("is empty before the first row, and another one is not there", async () => {
    assert.equal((await run(["audit", "export", "-c", file])).out, "");
    writeFileSync(join(home, "other.toml"), "");
    const { code, err } = await run(["audit", "export", "-c", "other.toml"]);
    assert.equal(code, 1);
    assert.match(err, /no gateway has been started with this configuration by this user/);
    writeFileSync(join(home, "off.toml"), '[audit]\nstore = "off"\n');
    assert.match((await run(["audit", "search", "-c", "off.toml"])).err, /audit\.store is "?off/);
  });

  it("does not go with the name of a gateway", async () => {
    const { code, err } = await run(["audit", "export", "-c", file, "--management-port", "1"]);
    assert.equal(code, 2);
    assert.match(err, /exclude each other/);
  });

  it("has what the store has and what only the journal has, with calls that a kill cut off", async () => {
    const { sink } = await storeWith(folder, calls(3));
    const writer = new RunningProgram(
      commandOf("tests/fixtures/cli/journal_writer.ts", [join(folder, "audit"), SECOND_RUN]),
    );
    await writer.printed(/written/);
    const expected = ["0196#1", "0196#2", "0196#3", "0197#1", "0197#2", "0197#3"];
    assert.deepEqual(placesIn(await run(["audit", "export", "-c", file])), expected, "alive");

    await writer.kill();
    const rows = rowsIn(await run(["audit", "export", "-c", file]));
    assert.deepEqual(rows.map(({ sequence }) => sequence), [1, 2, 3, 1, 2, 3, 4]);
    const { request, outcome, executed, instance } = rows.at(-1) ?? {};
    assert.deepEqual(
      [request, outcome, executed, instance],
      ["request cut", "unknown", "unknown", SECOND_RUN],
    );
    const search = JSON.parse(
      (await run(["audit", "search", "-c", file, "--json", "tool:t*", "-n", "1"])).out,
    );
    assert.deepEqual(search.items.map(({ name }: AuditRecord) => name), ["three"]);
    const verify = await run(["audit", "verify", "-c", file]);
    assert.equal(verify.code, 0, verify.err);
    assert.match(verify.err, /4 rows not in the store yet/);

    // Delivered in part, and the mark not moved yet: still each row once.
    const rest = rows.slice(3).map(({ hash: _hash, ...row }) => row);
    // By time now, as the store gives them: those of both runs began at the same moments.
    await sink.write(chained(rest.slice(0, 2)));
    const places = async () => placesIn(await run(["audit", "export", "-c", file])).sort();
    assert.deepEqual(await places(), [...expected, "0197#4"]);
    await sink.write(chained(rest));
    assert.deepEqual(await places(), [...expected, "0197#4"]);
    await sink.close();
  });

  it("is followed, row after row, from the journal of a gateway that runs", async () => {
    const journal = await openAuditJournal(join(folder, "audit"), { instance: THIRD_RUN });
    const stop = new AbortController();
    const append = (sequence: number) => {
      const row = callRow(sequence, { instance: THIRD_RUN, name: "followed" });
      journal.append({ row, text: JSON.stringify(row) });
    };
    append(1);
    const tail = run(["audit", "tail", "-c", file, "tool:followed"], {
      interrupt: stop.signal,
      onErr: (text) => text.startsWith("following") && append(2),
      onOut: () => stop.abort(),
    });
    const { code, out } = await tail;
    journal.close();
    assert.equal(code, 130);
    assert.match(out, /^2026-01-01 00:00:02Z call +ok +anna → followed \(gh\) 13ms 0196a000-.*\n$/);
  });
});
