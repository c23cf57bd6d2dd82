import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import type { RouteAnswer } from "../../../src/contract/manage/mod.ts";
import { MemoryStateStore } from "../../../src/stores/memory/state_store.ts";
import { type RunningServer, startEchoServer } from "../../support/echo_server.ts";
import { type ConfigInput, fixtureBackend, startCore, type TestCore } from "../../support/core.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { HttpSession } from "../../support/http_session.ts";
import { proves } from "../../support/proves.ts";

const ACT = { actor: { name: "oncall", scope: "admin" } } as const;

describe("the operators' door", () => {
  let echo: RunningServer;
  let gateway: TestCore;
  before(async () => {
    echo = await startEchoServer();
  });
  after(() => echo.close());
  afterEach(() => gateway.stop());

  async function start(input: ConfigInput, parts: Parameters<typeof startCore>[1] = {}) {
    gateway = await startCore(input, parts);
    const session = await HttpSession.open(gateway.core.fetch);
    await session.request("tools/list");
    return session;
  }

  const two = () => ({ backends: { a: { url: echo.url }, b: { url: echo.url } } });

  proves(["G6.3"], "a disabled tool answers an error", async () => {
    const session = await start(two());
    const { control } = gateway.core;
    const set = await control.kill({ scope: "tools", name: "a__*", reason: "INC-7" }, ACT);
    assert.equal(set.matches, 1);
    const { error } = await session.call("a__echo", { text: "x" });
    assert.equal(error.code, -31011);
    assert.equal(error.data.code, "TOOL_DISABLED");
    assert.equal(error.data.reason, "INC-7");
    assert.equal(error.data.executed, "no");
    assert.equal((await session.call("b__echo", { text: "x" }))["error"], undefined);
    await control.clearKill({ scope: "tools", name: "a__*" }, ACT);
    assert.equal((await session.call("a__echo", { text: "x" }))["error"], undefined);
  });

  proves(["G6.4"], "a disabled backend's tools answer errors", async () => {
    const session = await start(two());
    const { control } = gateway.core;
    await control.kill({ scope: "backends", name: "b", reason: "moved" }, ACT);
    const { error } = await session.call("b__echo", { text: "x" });
    assert.equal(error.code, -31012);
    assert.equal(error.data.reason, "moved");
    assert.equal(control.backend("b", 0).killed, "moved");
    assert.equal((await session.call("a__echo", { text: "x" }))["error"], undefined);
  });

  it("an operator's switches are kept over a restart, the file's are the file's", async () => {
    const state = new MemoryStateStore();
    await start(two(), { state });
    await gateway.core.control.kill({ scope: "tools", name: "a__echo", reason: "INC-7" }, ACT);
    await gateway.stop();
    const session = await start({ ...two(), kill: { backends: ["b"], reason: "by file" } }, {
      state,
    });
    const switches = gateway.core.control.killSwitches();
    assert.deepEqual(
      switches.map(({ scope, name, from, by, matches }) => [scope, name, from, by, matches]),
      [
        ["backends", "b", "config", "file", 1],
        ["tools", "a__echo", "operator", "oncall", 1],
      ],
    );
    assert.equal((await session.call("a__echo", {}))["error"].code, -31011);
    await assert.rejects(gateway.core.control.clearKill({ scope: "backends", name: "b" }, ACT), {
      code: "CONFLICT",
    });
  });

  it("a misspelled backend is not switched off silently", async () => {
    await start(two());
    const { control } = gateway.core;
    const act = () => control.kill({ scope: "backends", name: "bb", reason: "x" }, ACT);
    await assert.rejects(act, { code: "NOT_FOUND" });
    await assert.rejects(control.clearKill({ scope: "tools", name: "none" }, ACT), {
      code: "NOT_FOUND",
    });
  });

  it("reconnect makes a new connection and waits for it", async () => {
    await start({ backends: { fix: fixtureBackend() } });
    const { control } = gateway.core;
    const { pid } = control.backend("fix", 0);
    const answer = await control.reconnect("fix", ACT);
    assert.equal(answer.outcome, "applied");
    assert.notEqual(control.backend("fix", 0).pid, pid);
    await assert.rejects(control.reconnect("fxi", ACT), { code: "NOT_FOUND" });
  });

  it("a reconnect that fails says why", async () => {
    await start({ backends: { bad: { command: "no-such-program-here" } } });
    const answer = await gateway.core.control.reconnect("bad", ACT);
    assert.equal(answer.outcome, "partial");
    assert.match(answer.problems?.[0] ?? "", /(backoff|starting): .*not found/i);
  });

  it("shows sessions without the id that could be used to speak in them, and closes them", async () => {
    const session = await start(two());
    await session.call("a__echo", { text: "x" });
    const { control } = gateway.core;
    const [shown] = [...control.sessions(0)];
    assert.equal(shown?.client, "test 1");
    assert.equal(shown?.calls, 2);
    assert.equal(shown?.protocol, "2025-11-25");
    assert.ok(!JSON.stringify(shown).includes(session.headers["mcp-session-id"] as string));
    control.closeSession(shown?.id ?? "", ACT);
    assert.equal((await session.send("ping")).status, 404);
    assert.throws(() => control.closeSession(shown?.id ?? "", ACT), { code: "NOT_FOUND" });
  });

  it("lists capabilities with their owner, toolsets and switches", async () => {
    await start({ ...two(), toolsets: { small: { tools: ["a__*"] } } });
    const { control } = gateway.core;
    await control.kill({ scope: "tools", name: "b__*", reason: "no" }, ACT);
    const shown = control.capabilities().map((
      { kind, name, backend, original, toolsets, killed },
    ) => [
      kind,
      name,
      backend,
      original,
      toolsets,
      killed,
    ]);
    assert.deepEqual(shown, [
      ["tool", "a__echo", "a", "echo", ["small"], undefined],
      ["tool", "b__echo", "b", "echo", [], "no"],
    ]);
    assert.equal(control.capabilities(), control.capabilities());
    assert.equal(control.definition("tool", "a__echo")["name"], "a__echo");
    assert.throws(() => control.definition("tool", "zzz"), { code: "NOT_FOUND" });
  });

  it("is starting, not failed, while first handshakes are under way", async () => {
    gateway = await startCore(two());
    assert.equal(gateway.core.control.state, "starting");
    await HttpSession.open(gateway.core.fetch);
    assert.equal(gateway.core.control.state, "ready");
  });

  it("the status says what is wrong", async () => {
    await start({ backends: { a: { url: echo.url }, bad: { command: "no-such-program-here" } } });
    const status = gateway.core.control.status();
    assert.equal(status.state, "degraded");
    assert.match(status.reasons.join(), /backend "bad" is (backoff|starting)/);
    assert.equal(status.backends.total, 2);
    assert.equal(status.backends.states["ready"], 1);
    assert.equal(status.config.loadedBy, "start");
    assert.match(status.config.hash, /^[0-9a-f]{12}$/);
    assert.ok(Number(status.events.last) > 0);
  });

  it("another log level holds for its time", async () => {
    const clock = new FakeClock();
    gateway = await startCore({}, { clock });
    const { control } = gateway.core;
    control.setLogLevel({ level: "debug", minutes: 5 }, ACT);
    assert.equal(gateway.logLevels.level, "debug");
    assert.equal(control.status().log.until, new Date(clock.now() + 300_000).toISOString());
    await clock.advance(300_000);
    assert.equal(gateway.logLevels.level, "info");
    assert.equal(control.status().log.until, undefined);
  });

  it("shutdown is off unless allowed, and then asks the host once", async () => {
    await start(two());
    await assert.rejects(gateway.core.control.shutdown(ACT), { code: "OPERATION_DISABLED" });
    assert.equal(gateway.stopWanted, false);
    await gateway.stop();
    await start({ ...two(), management: { allow_shutdown: true } });
    const { control } = gateway.core;
    const answers = await Promise.all([control.shutdown(ACT), control.shutdown(ACT)]);
    assert.deepEqual(answers.map(({ outcome }) => outcome), ["applied", "unchanged"]);
    assert.equal(gateway.stopWanted, true);
    assert.equal(control.state, "stopping");
    await assert.rejects(control.reload(ACT), { code: "STOPPING" });
    await assert.rejects(control.kill({ scope: "tools", name: "x", reason: "y" }, ACT), {
      code: "STOPPING",
    });
  });

  it("events are kept with cursors that grow; calls are not among them", async () => {
    const session = await start(two());
    await session.call("a__echo", { text: "x" });
    const { events } = gateway.core.control;
    const kept = events.after(0, 1000);
    const cursors = kept.map(({ cursor }) => Number(cursor));
    assert.deepEqual(cursors, cursors.toSorted((a, b) => a - b));
    assert.equal(new Set(cursors).size, cursors.length);
    assert.equal(cursors.at(-1), events.last);
    assert.ok(kept.some(({ event }) => event === "backend.ready"));
    assert.ok(!kept.some(({ event }) => event === "call.finished"));
    assert.ok(gateway.log.some(({ event }) => event === "call.finished"));
  });

  proves(["S5"], "reload and reconnect at once: one after another, one record each", async () => {
    await start({ ...two(), management: { allow_shutdown: true } });
    const { control } = gateway.core;
    const acts: Promise<RouteAnswer<"reload"> | RouteAnswer<"reconnect">>[] = [];
    for (let round = 0; round < 20; round++) {
      acts.push(control.reload(ACT), control.reconnect("a", ACT), control.reconnect("b", ACT));
    }
    const answers = await Promise.all(acts);
    const recorded = gateway.journal.entries.flatMap((entry) =>
      entry.kind === "operation.outcome" ? [entry.operation.id] : []
    );
    assert.deepEqual(recorded.toSorted(), answers.map(({ id }) => id).toSorted());
    for (const [index, { before, revision }] of answers.entries()) {
      assert.ok(revision >= before);
      const next = answers[index + 1];
      if (next !== undefined) assert.ok(next.before >= revision, "one after another");
    }
  });
});
