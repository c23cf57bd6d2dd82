import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { AuditRecord } from "../../src/contract/audit.ts";
import type { AuditQuery, DeliveredRow } from "../../src/ports/audit.ts";
import { startManagement, type TestManagement, TOKENS } from "../support/management.ts";
import { inFolder } from "../support/temporary_folder.ts";
import { callRow, chained, FIRST_RUN, SECOND_RUN, START, storeWith } from "./audit_store.ts";

interface Reading {
  readonly management: TestManagement;
  /** Everything that was asked of the store. */
  readonly queries: readonly AuditQuery[];
  readonly get: (path: string, query?: Readonly<Record<string, string>>) => Promise<Answer>;
  /** Numbers of the rows that a filter finds. */
  readonly find: (filter: string) => Promise<number[]>;
}

// deno-lint-ignore no-explicit-any -- tests look into answers of any shape
type Answer = { readonly status: number; readonly json: any };

/** Runs `work` with a gateway whose store has rows. */
const withRows = (
  runs: readonly (readonly DeliveredRow[])[],
  work: (reading: Reading) => Promise<void>,
) =>
  inFolder(async (folder) => {
    const stores = await storeWith(folder, ...runs);
    const config = { audit: { retention: "36500d" } };
    const management = await startManagement({ audit: stores, config });
    const queries: AuditQuery[] = [];
    const { reader } = stores.sink;
    assert.ok(reader !== undefined);
    const search = reader.search.bind(reader);
    reader.search = (query) => {
      queries.push(query);
      return search(query);
    };
    const get = async (path: string, query: Readonly<Record<string, string>> = {}) =>
      await management.ask("GET", `/manage/v1/${path}?${new URLSearchParams(query)}`, {
        token: TOKENS.read,
      });
    const find = async (filter: string) => {
      const { json, status } = await get("audit", { filter, order: "oldest", limit: "1000" });
      assert.equal(status, 200, JSON.stringify(json));
      return json.items.map(({ sequence }: AuditRecord) => sequence);
    };
    try {
      await work({ management, queries, get, find });
    } finally {
      await management.stop();
    }
  });

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);
const calls = (count: number) => chained(upTo(count).map((number) => callRow(number)));

const MIXED = chained([
  callRow(1),
  callRow(2, { principal: "https://login.test#Anna", outcome: "tool_error", durationMs: 900 }),
  callRow(3, { name: "gh__delete", outcome: "denied", error: "POLICY_DENIED", roles: ["dev"] }),
  callRow(4, { method: "prompts/get", name: "gh__merge", era: "legacy", protocol: "2025-06-18" }),
  callRow(5, { backend: "jira", name: "jira__issue", client: "cursor 1.0", address: "10.0.0.7" }),
  callRow(6, { kind: "operation", method: "kill", name: "tools/x", outcome: "applied" }),
  callRow(7, { outcome: "unknown", resultBytes: 5000, decisions: ["rule no-prod: warn"] }),
]);

describe("the audit over the management API", () => {
  test("gives rows newest first, with what the store has of them", () =>
    withRows([calls(3)], async ({ get }) => {
      const { status, json } = await get("audit", { filter: "kind:call" });
      assert.equal(status, 200);
      assert.deepEqual(json.items.map(({ sequence }: AuditRecord) => sequence), [3, 2, 1]);
      const [, , first] = json.items;
      assert.deepEqual(first, { ...callRow(1), hash: calls(1)[0]?.hash });
      assert.equal(json.next, undefined);
      assert.equal(typeof json.revision, "number");
    }));

  test("pages in both directions have each row once, however the filter thins them", () =>
    withRows([calls(450)], async ({ get }) => {
      const even = `request:${
        upTo(450).filter((n) => n % 9 === 0).slice(0, 15).map((n) => callRow(n).request).join(",")
      }`;
      for (const filter of ["kind:call", even, "user:*anna kind:call"]) {
        for (const order of ["newest", "oldest"]) {
          const seen: number[] = [];
          let after: string | undefined;
          do {
            const query = { filter, order, limit: "7", ...(after === undefined ? {} : { after }) };
            const { json } = await get("audit", query);
            seen.push(...json.items.map(({ sequence }: AuditRecord) => sequence));
            after = json.next;
          } while (after !== undefined);
          const expected = filter === even
            ? upTo(450).filter((n) => n % 9 === 0).slice(0, 15)
            : upTo(450);
          assert.deepEqual(seen, order === "oldest" ? expected : expected.toReversed(), filter);
        }
      }
    }));

  test("finds by every field of the filter", () =>
    withRows([MIXED], async ({ find }) => {
      const cases: readonly (readonly [string, readonly number[]])[] = [
        ["kind:operation", [6]],
        [`request:${callRow(3).request}`, [3]],
        ["user:https://login.test#Anna", [2]],
        ["principal:https://login.test#anna kind:call", [1, 3, 4, 5, 7]],
        ["user:*#anna kind:call", [1, 2, 3, 4, 5, 7]],
        ["role:dev", [3]],
        ["name:gh__merge", [1, 2, 4, 7]],
        ["tool:gh__merge", [1, 2, 7]],
        ["tool:gh__*", [1, 2, 3, 7]],
        ["tool:GH__MERGE", []],
        ["backend:jira,gh kind:call", [1, 2, 3, 4, 5, 7]],
        ["outcome:unknown", [7]],
        ["status:error", [2, 3, 7]],
        ["status:denied,unknown", [3, 7]],
        ["method:prompts/get", [4]],
        ["error:policy_denied", [3]],
        ["decision:rule*", [7]],
        ["session:0123456789ab -kind:call", [6]],
        ["client:cursor*", [5]],
        ["protocol:2025-06-18 era:legacy", [4]],
        ["address:10.0.0.7", [5]],
        [`run:${FIRST_RUN} bytes:>4kB`, [7]],
        ["duration:>500ms", [2]],
        ["latency:<1s kind:operation", [6]],
        [`since:${new Date(START + 3000).toISOString()} until:2026-01-01T00:00:06Z`, [3, 4, 5]],
        ["jira", [5]],
        ["-tool:gh__merge kind:call", [3, 4, 5]],
      ];
      for (const [filter, expected] of cases) {
        assert.deepEqual(await find(filter), expected, filter);
      }
    }));

  test("asks the store for what it can look up, and never for more", () =>
    withRows([MIXED], async ({ find, queries }) => {
      const asked = async (filter: string) => {
        await find(filter);
        const { from, to, equals } = queries.at(-1) ?? {};
        return { from, to, equals };
      };
      const nothing = { from: undefined, to: undefined, equals: undefined };
      assert.deepEqual(await asked("tool:a,b kind:call status:ok user:x"), {
        ...nothing,
        equals: { name: ["a", "b"], kind: ["call"], outcome: ["ok"], principal: ["x"] },
      });
      assert.deepEqual(
        await asked("since:2026-01-01 since:2026-01-02 until:2026-02-01,2026-03-01"),
        { ...nothing, from: Date.UTC(2026, 0, 2), to: Date.UTC(2026, 2, 1) },
      );
      for (const wide of ["tool:a*", "-tool:a", "status:error", "method:tools/call", "anna"]) {
        assert.deepEqual(await asked(wide), nothing, wide);
      }
      assert.deepEqual(await asked('name:"a*"'), { ...nothing, equals: { name: ["a*"] } });
    }));

  test("a filter that matches nothing goes on with another request, and ends", () =>
    withRows([calls(20_450)], async ({ get }) => {
      const filter = "kind:call client:nobody";
      const first = (await get("audit", { filter })).json;
      assert.deepEqual(first.items, []);
      assert.match(first.next, /^\d+-\d+-/);
      const second = (await get("audit", { filter, after: first.next })).json;
      assert.deepEqual(second.items, []);
      assert.equal(second.next, undefined);
    }));

  test("a cursor or a filter that is none is refused in words", () =>
    withRows([calls(1)], async ({ get }) => {
      for (const after of ["x", "1-2", `1-2-${FIRST_RUN}'`, "1-2-3-"]) {
        const { status, json } = await get("audit", { after });
        assert.equal(status, after === "1-2-3-" ? 200 : 400, after);
        if (status === 400) assert.match(json.error.message, /"after" cannot be used/);
      }
      const { json } = await get("audit", { filter: "stauts:error" });
      assert.match(json.error.message, /unknown field "stauts" — did you mean "status"\?/);
    }));

  test("lists the runs, and rows of one by number, for who follows or verifies it", () =>
    withRows([calls(5), chained([callRow(1, { instance: SECOND_RUN })])], async (reading) => {
      const { get, management } = reading;
      const runs = (await get("audit/runs")).json;
      assert.deepEqual(runs.items.slice(0, 2), [
        { instance: FIRST_RUN, first: 1, last: 5, rows: 5 },
        { instance: SECOND_RUN, first: 1, last: 1, rows: 1 },
      ]);
      const page = (await get(`audit/runs/${FIRST_RUN}`, { after: "1", limit: "2" })).json;
      assert.equal(page.instance, FIRST_RUN);
      assert.deepEqual(page.items.map(({ sequence }: AuditRecord) => sequence), [2, 3]);
      assert.deepEqual([page.next, page.last], ["3", 3]);
      const rest = (await get(`audit/runs/${FIRST_RUN}`, { after: "3", filter: "-kind:call" }))
        .json;
      assert.deepEqual([rest.items, rest.next, rest.last], [[], undefined, 5]);
      const current = (await get("audit/runs/current")).json;
      assert.equal(current.instance, runs.current);
      assert.notEqual(current.instance, FIRST_RUN);
      assert.equal(management.gateway.core.control.audit()?.run, current.instance);
    }));

  test("where nothing can be read back it says so", async () => {
    const management = await startManagement();
    try {
      for (const path of ["audit", "audit/runs", "audit/runs/current"]) {
        const answer = await management.ask("GET", `/manage/v1/${path}`, { token: TOKENS.read });
        assert.equal(answer.status, 403);
        assert.equal(answer.json.error.code, "OPERATION_DISABLED");
        assert.match(answer.json.error.reason, /audit\.store is off/);
      }
    } finally {
      await management.stop();
    }
  });

  test("a store that cannot be read is 503 with its reason", () =>
    withRows([calls(1)], async ({ get, management }) => {
      await management.gateway.core.stop();
      for (const path of ["audit", "audit/runs", "audit/runs/current"]) {
        const { status, json } = await get(path);
        assert.equal(status, 503, path);
        assert.equal(json.error.code, "AUDIT_UNAVAILABLE");
        assert.match(json.error.reason, /closed/);
      }
    }));
});
