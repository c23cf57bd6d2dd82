import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import type { AuditRow } from "../../../src/contract/audit.ts";
import { chainHash, chainStart, rowText } from "../../../src/contract/audit_chain.ts";
import { systemDigest } from "../../../src/hosts/digest.ts";
import { TestJournal, TestSink } from "../../support/audit.ts";
import { type ConfigInput, fixtureBackend, startCore, type TestCore } from "../../support/core.ts";
import { eventually } from "../../support/http_fixture_wire.ts";
import { HttpSession } from "../../support/http_session.ts";
import { proves } from "../../support/proves.ts";

const UNAVAILABLE = -31040;
const ACT = { actor: { name: "oncall", scope: "admin", address: "127.0.0.1" } } as const;

describe("the audit of a gateway", () => {
  const journal = { current: new TestJournal() };
  const sink = { current: new TestSink() };
  let gateway: TestCore;
  let session: HttpSession;

  async function start(config: ConfigInput = {}): Promise<void> {
    journal.current = new TestJournal();
    sink.current = new TestSink();
    const audit = { journal: journal.current, sink: sink.current };
    gateway = await startCore({ backends: { fix: fixtureBackend() }, ...config }, { audit });
    await eventually("the backend", () => gateway.core.snapshot().state === "ready");
    session = await HttpSession.open(gateway.core.fetch);
  }

  function account() {
    return gateway.core.control.status().audit;
  }

  /** Rows of calls, once everything is delivered. */
  async function rows(kind: AuditRow["kind"] = "call"): Promise<AuditRow[]> {
    await eventually("the delivery", () => account().queued === 0);
    return sink.current.rows(kind);
  }

  async function lastRow(): Promise<AuditRow> {
    return (await rows()).at(-1) as AuditRow;
  }

  afterEach(() => gateway.stop());

  proves(
    ["G5.1", "G5.2"],
    "each call leaves a row with who, what, where, when and how it ended",
    async () => {
      await start();
      const before = Date.now();
      const given = { text: "hello", password: "hunter2hunter2" };
      const reply = await session.call("fix__echo", given);
      assert.equal(reply["error"], undefined);
      const row = await lastRow();

      assert.equal(row.kind, "call");
      assert.match(row.request, /^[0-9a-f]{8}-[0-9a-f]{4}-7/);
      assert.ok(Date.parse(row.at) >= before - 1 && Date.parse(row.at) <= Date.now());
      assert.deepEqual(
        [row.principal, row.client, row.transport, row.era, row.protocol, row.method, row.name],
        [
          "anonymous",
          "test 1",
          "streamable_http",
          "legacy",
          "2025-11-25",
          "tools/call",
          "fix__echo",
        ],
      );
      assert.deepEqual([row.backend, row.outcome, row.error], ["fix", "ok", undefined]);
      assert.deepEqual(row.arguments, { text: "hello", password: "«redacted»" });
      assert.match(String(row.result), /^sha256:[0-9a-f]{64}$/);
      assert.match(row.definition ?? "", /^[0-9a-f]{64}$/);
      assert.ok((row.durationMs ?? -1) >= (row.backendMs ?? 0));
      const params = { name: "fix__echo", arguments: given };
      assert.equal(row.requestBytes, JSON.stringify(params).length);
      assert.equal(row.resultBytes, JSON.stringify(reply["result"]).length);
    },
  );

  it("a row's request is the one the caller is told in an error", async () => {
    await start();
    const { error } = await session.call("fix__nothing");
    const row = await lastRow();
    assert.equal(row.request, error.data.request);
    assert.deepEqual(
      [row.outcome, row.error, row.name, row.backend],
      ["invalid", "INVALID_PARAMS", "fix__nothing", undefined],
    );
  });

  it("an intent is written before the backend is asked, the row before the answer leaves", async () => {
    await start();
    journal.current.acts.length = 0;
    await session.call("fix__echo", {});
    assert.deepEqual(journal.current.acts, ["intent", "append"]);
    await session.call("fix__nothing", {});
    assert.deepEqual(journal.current.acts, ["intent", "append", "append"], "no intent: not sent");
  });

  it("lists and pings leave no row", async () => {
    await start();
    await session.request("tools/list");
    await session.request("ping");
    assert.deepEqual(await rows(), []);
  });

  it("prompts, resources and completions leave one", async () => {
    await start();
    await session.request("prompts/get", { name: "fix__none" });
    await session.request("resources/read", { uri: "none://x" });
    await session.request("completion/complete", {
      ref: { type: "ref/prompt", name: "fix__none" },
      argument: { name: "a", value: "b" },
    });
    const found = (await rows()).map(({ method, name, outcome }) => [method, name, outcome]);
    assert.deepEqual(found, [
      ["prompts/get", "fix__none", "invalid"],
      ["resources/read", "none://x", "ok"],
      ["completion/complete", "fix__none", "invalid"],
    ]);
  });

  it("operations and refusals of the management API leave rows, with revisions and reasons", async () => {
    await start();
    const { control } = gateway.core;
    await control.kill({ scope: "backends", name: "fix", reason: "INC-7" }, ACT);
    control.refuse({
      request: "0190a0a0-0000-7000-8000-000000000000",
      code: "UNAUTHENTICATED",
      why: "no token",
      method: "GET",
      path: "/manage/v1/status",
      actor: { name: "nobody", address: "10.0.0.9" },
    });
    const [operation] = await rows("operation");
    assert.deepEqual(
      [operation?.method, operation?.name, operation?.reason, operation?.principal],
      ["kill", "backends/fix", "INC-7", "oncall"],
    );
    assert.equal(operation?.outcome, "applied");
    assert.equal(typeof operation?.details?.["before"], "number");
    const [refusal] = await rows("refusal");
    assert.deepEqual(
      [refusal?.error, refusal?.reason, refusal?.address, refusal?.name],
      ["UNAUTHENTICATED", "no token", "10.0.0.9", "/manage/v1/status"],
    );
    await session.call("fix__echo");
    assert.deepEqual([(await lastRow()).outcome, (await lastRow()).error], [
      "killed",
      "BACKEND_DISABLED",
    ]);
  });

  it("rows are numbered without a gap and chained", async () => {
    await start();
    for (let n = 0; n < 5; n++) await session.call("fix__echo", { n, text: 'a"\u0000\u2028b' });
    await rows();
    let hash = chainStart(journal.current.instance, systemDigest.sha256);
    for (const [at, delivered] of sink.current.delivered.entries()) {
      assert.equal(delivered.row.sequence, at + 1);
      assert.equal(rowText(delivered.row), delivered.text);
      hash = chainHash(hash, delivered.text, systemDigest.sha256);
      assert.equal(delivered.hash, hash);
    }
  });

  proves(
    "G5.3",
    "a store that is away delays nothing; every row comes once when it is back",
    async () => {
      await start();
      sink.current.failure = "connection refused";
      for (let n = 0; n < 20; n++) {
        const reply = await session.call("fix__echo", { n });
        assert.equal(reply["error"], undefined);
      }
      await eventually("a failed delivery", () => sink.current.attempts > 0 && !account().ok);
      assert.equal(gateway.core.control.state, "degraded");
      assert.match(gateway.core.control.status().reasons.join(), /audit.*connection refused/);
      const { written, committed, queued, dropped } = account();
      assert.equal(written, committed + queued + dropped);
      assert.ok(queued >= 20);

      sink.current.failure = undefined;
      const numbers = (await rows()).map((row) => (row.arguments as { n: number }).n);
      assert.deepEqual(numbers, Array.from({ length: 20 }, (_, n) => n));
      assert.equal(account().ok, true);
      assert.equal(gateway.core.control.state, "ready");
      const events = gateway.log.map(({ event }) => event).filter((name) =>
        name.startsWith("audit.")
      );
      assert.deepEqual(events, ["audit.store_failed", "audit.store_recovered"]);
    },
  );

  it("rows that memory has no place for come from the journal, in order", async () => {
    await start({ audit: { queue: 3 } });
    sink.current.failure = "away";
    for (let n = 0; n < 12; n++) await session.call("fix__echo", { n });
    sink.current.failure = undefined;
    await rows();
    for (let n = 12; n < 15; n++) await session.call("fix__echo", { n });
    const numbers = (await rows()).map((row) => (row.arguments as { n: number }).n);
    assert.deepEqual(numbers, Array.from({ length: 15 }, (_, n) => n));
  });

  describe("a full journal", () => {
    /** Calls until one is refused. */
    async function fill(): Promise<void> {
      sink.current.failure = "away";
      for (let n = 0; n < 100; n++) {
        const reply = await session.call("fix__echo", { text: "x".repeat(200) });
        if (reply["error"]?.code === UNAVAILABLE) return;
      }
      assert.fail("the journal never became full");
    }

    it("refuses calls, sends nothing, and says so", async () => {
      await start({ audit: { journal: "4KiB" } });
      await fill();
      const { error } = await session.call("fix__echo", {});
      assert.deepEqual(
        [error.code, error.data.code, error.data.executed],
        [UNAVAILABLE, "AUDIT_UNAVAILABLE", "no"],
      );
      assert.match(error.data.reason, /journal is full/);
      const { written, committed, queued, dropped } = account();
      assert.equal(written, committed + queued + dropped);
      assert.ok(gateway.log.some(({ event }) => event === "audit.filling"));

      sink.current.failure = undefined;
      await rows();
      assert.equal((await session.call("fix__echo", {}))["error"], undefined, "room again");
    });

    it("drops rows and counts them where that is asked for, and tells it by a row", async () => {
      await start({ audit: { journal: "4KiB", when_full: "drop-and-count" } });
      sink.current.failure = "away";
      for (let n = 0; n < 30; n++) {
        const reply = await session.call("fix__echo", { text: "x".repeat(200) });
        assert.equal(reply["error"], undefined);
      }
      const { dropped } = account();
      assert.ok(dropped > 0);
      sink.current.failure = undefined;
      await rows();
      await session.call("fix__echo", { last: true });
      const kept = await rows();
      const [gap] = await rows("gap");
      assert.equal(gap?.details?.["count"], dropped);
      assert.equal(kept.length + dropped, 31);
      const { written, committed, queued } = account();
      assert.equal(written, committed + queued + dropped);
    });

    it("is a matter of role and tool", async () => {
      const policy = { tools: { "fix__say": { when_full: "drop-and-count" as const } } };
      await start({ audit: { journal: "4KiB", policy } });
      await fill();
      const dropped = await session.call("fix__say", {
        line: '{"jsonrpc":"2.0","id":$ID,"result":{"content":[]}}',
      });
      assert.equal(dropped["error"], undefined);
      assert.equal((await session.call("fix__echo", {}))["error"]?.code, UNAVAILABLE);
    });
  });

  describe("a journal that cannot be written", () => {
    it("refuses a call before it is sent", async () => {
      await start();
      journal.current.broken.add("intent");
      const { error } = await session.call("fix__echo", {});
      assert.deepEqual([error.data.code, error.data.executed], ["AUDIT_UNAVAILABLE", "no"]);
    });

    it("keeps back an answer whose outcome it does not have", async () => {
      await start();
      journal.current.broken.add("append");
      const { error, result } = await session.call("fix__echo", { text: "secret answer" });
      assert.equal(result, undefined);
      assert.deepEqual([error.data.code, error.data.executed], ["AUDIT_UNAVAILABLE", "unknown"]);
    });

    it("does not keep operators from acting", async () => {
      await start();
      journal.current.broken.add("append");
      const target = { scope: "backends", name: "fix", reason: "now" } as const;
      assert.equal((await gateway.core.control.kill(target, ACT)).outcome, "applied");
    });
  });

  describe("durability power", () => {
    it("waits for the disk before a call is sent and before its answer leaves", async () => {
      await start({ audit: { durability: "power" } });
      journal.current.acts.length = 0;
      await session.call("fix__echo", {});
      assert.deepEqual(journal.current.acts, ["intent", "synced", "append", "synced"]);
    });

    it("is a matter of tool, and a failed sync sends nothing", async () => {
      const policy = { tools: { "fix__wait": { durability: "power" as const } } };
      await start({ audit: { policy } });
      journal.current.broken.add("synced");
      assert.equal((await session.call("fix__echo", {}))["error"], undefined);
      const { error } = await session.call("fix__wait", {});
      assert.deepEqual([error.data.code, error.data.executed], ["AUDIT_UNAVAILABLE", "no"]);
    });
  });

  it("what is recorded changes with a reload", async () => {
    await start({ audit: { arguments: "full", results: "none" } });
    await session.call("fix__echo", { token: "t" });
    assert.deepEqual((await lastRow()).arguments, { token: "t" });
    assert.equal((await lastRow()).result, undefined);
    gateway.source.write({
      backends: { fix: fixtureBackend() },
      audit: { arguments: "none", results: "full" },
    });
    await gateway.core.control.reload(ACT);
    await session.call("fix__echo", { token: "t" });
    assert.equal((await lastRow()).arguments, undefined);
    assert.deepEqual((await lastRow()).result, {
      content: [{ type: "text", text: '{"token":"t"}' }],
    });
  });

  it("a trace id of the caller is in the row", async () => {
    await start();
    const trace = "0af7651916cd43dd8448eb211c80319c";
    await session.request("tools/call", {
      name: "fix__echo",
      arguments: {},
      _meta: { traceparent: `00-${trace}-b7ad6b7169203331-01` },
    });
    assert.equal((await lastRow()).trace, trace);
  });

  proves("G7.5", "a stop delivers what is left and closes the store", async () => {
    await start();
    await session.call("fix__echo", { n: 1 });
    await gateway.stop();
    assert.equal(sink.current.rows().length, 1);
    assert.ok(sink.current.isClosed);
  });
});
