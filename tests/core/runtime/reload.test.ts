import assert from "node:assert/strict";
import { kill } from "node:process";
import { after, afterEach, before, describe, it } from "node:test";
import { setImmediate } from "node:timers";
import { type RunningServer, startEchoServer } from "../../support/echo_server.ts";
import { type ConfigInput, fixtureBackend, startCore, type TestCore } from "../../support/core.ts";
import { HttpSession, type Rpc } from "../../support/http_session.ts";
import { proves } from "../../support/proves.ts";

const ACT = { actor: { name: "oncall", scope: "admin" } } as const;

describe("reload", () => {
  let echo: RunningServer;
  let gateway: TestCore;
  before(async () => {
    echo = await startEchoServer();
  });
  after(() => echo.close());
  afterEach(() => gateway.stop());

  async function start(input: ConfigInput): Promise<HttpSession> {
    gateway = await startCore(input);
    return await HttpSession.open(gateway.core.fetch);
  }

  async function toolNames(session: HttpSession): Promise<string[]> {
    const { result } = await session.request("tools/list");
    return (result.tools as Rpc[]).map(({ name }) => name as string);
  }

  async function reload(input: unknown) {
    gateway.source.write(input);
    return await gateway.core.control.reload(ACT);
  }

  function isAlive(process: number): boolean {
    try {
      return kill(process, 0);
    } catch {
      return false;
    }
  }

  function pid(name: string): number | undefined {
    return gateway.core.snapshot().backends.find((backend) => backend.name === name)?.pid;
  }

  it("adds and removes backends; what did not change keeps its process and its session", async () => {
    const fix = fixtureBackend();
    const session = await start({ backends: { fix, a: { url: echo.url } } });
    assert.deepEqual((await toolNames(session)).filter((name) => name.startsWith("a__")), [
      "a__echo",
    ]);
    const process = pid("fix");
    const answer = await reload({ backends: { fix, b: { url: echo.url } } });
    assert.equal(answer.outcome, "applied");
    assert.deepEqual(answer.changes.map(({ path, change }) => [path, change]), [
      ["backends.a", "removed"],
      ["backends.b", "added"],
    ]);
    const names = await toolNames(session);
    assert.ok(names.includes("b__echo") && !names.includes("a__echo"));
    assert.equal(pid("fix"), process);
    assert.ok(process !== undefined);
    const { result } = await session.call("b__echo", { text: "hello" });
    assert.equal(result.content[0].text, "hello");
  });

  it("a change that needs no connection is taken in place", async () => {
    const session = await start({ backends: { fix: fixtureBackend() } });
    await toolNames(session);
    const process = pid("fix");
    const answer = await reload({ backends: { fix: fixtureBackend({ alias: "f" }) } });
    assert.deepEqual(answer.changes.map(({ path, effect }) => [path, effect]), [[
      "backends.fix.alias",
      "live",
    ]]);
    assert.ok((await toolNames(session)).every((name) => name.startsWith("f__")));
    assert.equal(pid("fix"), process);
  });

  it("a change of the command replaces the process; a call under way is answered by the old one", async () => {
    const session = await start({ backends: { fix: fixtureBackend() } });
    await toolNames(session);
    const old = pid("fix") as number;
    const waiting = session.send("tools/call", { name: "fix__wait", arguments: {} }, "w");
    const answer = await reload({
      backends: { fix: fixtureBackend({ env: { CHANGED: "1" } }) },
      reload: { grace: "0s" },
    });
    assert.equal(answer.outcome, "applied");
    assert.notEqual(pid("fix"), old);
    assert.equal((await session.call("fix__echo", { a: 1 }))["error"], undefined);
    assert.ok(isAlive(old), "it answers a call");
    await session.notify("notifications/cancelled", { requestId: "w" });
    await waiting;
    while (isAlive(old)) await new Promise((resolve) => setImmediate(resolve));
  });

  it("a refused configuration changes nothing and is recorded", async () => {
    const session = await start({ backends: { a: { url: echo.url } } });
    await toolNames(session);
    const { revision } = gateway.core.control;
    gateway.source.write({ backends: { a: { url: 17 } } });
    await assert.rejects(gateway.core.control.reload(ACT), { code: "CONFIG_INVALID" });
    assert.equal(gateway.core.control.revision, revision);
    assert.deepEqual(await toolNames(session), ["a__echo"]);
    assert.ok(gateway.log.some(({ event }) => event === "config.rejected"));
    const [last] = gateway.journal.entries.slice(-1);
    assert.equal(last?.kind === "operation.outcome" && last.operation.outcome, "rejected");
  });

  it("an unchanged file is no change", async () => {
    await start({ backends: { a: { url: echo.url } } });
    const answer = await gateway.core.control.reload(ACT);
    assert.equal(answer.outcome, "unchanged");
    assert.deepEqual(answer.changes, []);
  });

  it("a new backend that does not start is named; the others serve on", async () => {
    const session = await start({ backends: { a: { url: echo.url } } });
    await toolNames(session);
    const answer = await reload({
      backends: { a: { url: echo.url }, bad: { command: "no-such-program-here" } },
    });
    assert.equal(answer.outcome, "partial");
    assert.match(answer.problems?.join() ?? "", /backend "bad" is backoff: .*not found/i);
    assert.equal((await session.call("a__echo", { text: "x" }))["result"].content[0].text, "x");
  });

  it("what needs a restart is said and ignored until then", async () => {
    await start({ backends: { a: { url: echo.url } } });
    const changed = { backends: { a: { url: echo.url } }, server: { listen: "127.0.0.1:9999" } };
    const answer = await reload(changed);
    assert.equal(answer.outcome, "unchanged");
    assert.deepEqual(answer.changes.map(({ path, effect }) => [path, effect]), [[
      "server.listen",
      "restart",
    ]]);
    assert.deepEqual(gateway.core.control.status().config.restartPending, ["server.listen"]);
    assert.equal(gateway.core.config().server.listen, "127.0.0.1:8808");
    assert.ok(gateway.log.some(({ event }) => event === "config.needs_restart"));
  });

  it("diff says what a reload would do, and does nothing", async () => {
    await start({ backends: { a: { url: echo.url }, gone: { url: echo.url } } });
    gateway.source.write({
      backends: { a: { url: echo.url, headers: { "x-team": "1" } }, b: { url: echo.url } },
    });
    const diff = await gateway.core.control.diff();
    assert.deepEqual(
      [diff.starts, diff.stops, diff.reconnects],
      [["b"], ["gone"], ["a"]],
    );
    assert.equal(gateway.core.control.status().backends.total, 2);
  });

  it("closes the sessions whose toolset goes, and says so", async () => {
    gateway = await startCore({
      backends: { a: { url: echo.url } },
      toolsets: { small: { tools: ["a__*"] } },
    });
    const inside = await HttpSession.open(gateway.core.fetch, { path: "/mcp/small" });
    const outside = await HttpSession.open(gateway.core.fetch);
    assert.equal((await inside.request("tools/list"))["error"], undefined);
    await reload({ backends: { a: { url: echo.url } } });
    assert.equal((await outside.request("tools/list"))["error"], undefined);
    assert.equal(gateway.core.control.status().sessions, 1);
    assert.ok(gateway.log.some(({ event }) => event === "session.ended"));
  });

  proves(["G9.5"], "kill switches by reload hold for the next request", async () => {
    const session = await start({ backends: { a: { url: echo.url } } });
    assert.equal((await session.call("a__echo", { text: "x" }))["error"], undefined);
    await reload({
      backends: { a: { url: echo.url } },
      kill: { tools: ["a__*"], reason: "INC-1" },
    });
    const { error } = await session.call("a__echo", { text: "x" });
    assert.equal(error.code, -31011);
    assert.equal(error.data.reason, "INC-1");
  });

  it("the size of requests and the origins follow the file", async () => {
    const session = await start({ backends: { a: { url: echo.url } } });
    const text = "x".repeat(5000);
    assert.equal((await session.call("a__echo", { text }))["error"], undefined);
    await reload({ backends: { a: { url: echo.url } }, server: { max_request_size: "4kB" } });
    assert.equal((await session.call("a__echo", { text }))["error"].data.code, "TOO_LARGE");
  });
});
