import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { setImmediate } from "node:timers/promises";
import { SystemClock } from "../../../src/hosts/clock.ts";
import { fixtureBackend, startCore, type TestCore } from "../../support/core.ts";
import { BASE, HttpSession, messagesOf, post, type Rpc } from "../../support/http_session.ts";
import { PipeClient } from "../../support/pipe_client.ts";
import { proves } from "../../support/proves.ts";

/** The machine's clock, with hands that a test can turn. */
class TurnedClock extends SystemClock {
  wallMs = 0;
  monotonicMs = 0;

  override now(): number {
    return super.now() + this.wallMs;
  }

  override monotonic(): number {
    return super.monotonic() + this.monotonicMs;
  }
}

const HOUR = 3_600_000;

describe("limits on the wire", () => {
  let gateway: TestCore;
  let clock: TurnedClock;
  afterEach(() => gateway.stop());

  async function start(limits: Record<string, unknown>): Promise<void> {
    clock = new TurnedClock();
    gateway = await startCore(
      {
        backends: { fix: fixtureBackend() },
        limits,
      } as Parameters<typeof startCore>[0],
      { clock },
    );
  }

  const open = (revision?: string) =>
    HttpSession.open(gateway.core.fetch, revision === undefined ? {} : { revision });

  /** The error of the answer to a call that was refused in band. */
  async function errorOf(response: Response): Promise<Rpc> {
    assert.equal(response.status, 200);
    return (await messagesOf(response)).at(-1)?.["error"] as Rpc;
  }

  const echo = { name: "fix__echo", arguments: {} };

  /** Resolves when so many calls are under way. */
  async function underWay(count: number): Promise<void> {
    while (gateway.core.inFlight() !== count) await setImmediate();
  }

  proves("G6.1", "a call above the limit is answered with the time to come back", async () => {
    await start({ tools: { fix__echo: { rate: "2/h" } } });
    const session = await open();
    for (const _ of [1, 2]) assert.equal((await session.call("fix__echo"))["error"], undefined);
    const { code, message, data } = await errorOf(await session.send("tools/call", echo));
    assert.deepEqual([code, message], [-31010, 'Cannot call "fix__echo": too many calls']);
    const { request, retryAfterMs, ...rest } = data;
    assert.match(request, /^[0-9a-f-]{36}$/);
    assert.ok(retryAfterMs > 0 && retryAfterMs <= HOUR / 2, String(retryAfterMs));
    assert.deepEqual(rest, {
      code: "RATE_LIMITED",
      backend: "fix",
      reason: 'limits.tools."fix__echo" = 2/h, burst 2, for each session',
      executed: "no",
    });
    clock.monotonicMs += retryAfterMs;
    assert.equal((await session.call("fix__echo"))["error"], undefined);
  });

  proves("G6.2", "what is not named has the default; lists and pings have no limit", async () => {
    await start({ tools: { fix__echo: { rate: "1/h" } } });
    const session = await open();
    const until = async (name: string) => {
      let calls = 0;
      while ((await session.call(name, { delta: 1 }))["error"]?.code !== -31010) calls++;
      return calls;
    };
    assert.equal(await until("fix__echo"), 1);
    const { code } = await errorOf(await session.send("tools/call", echo));
    assert.equal(code, -31010);
    for (let round = 0; round < 30; round++) {
      assert.equal((await session.request("ping"))["error"], undefined);
      assert.equal((await session.request("tools/list"))["error"], undefined);
    }
    // Sixty a minute come back while they are made.
    const calls = await until("fix__progress");
    assert.ok(calls >= 20 && calls < 100, String(calls));
    // What the caller cannot see has no limit to tell it by.
    for (let round = 0; round < 30; round++) {
      assert.equal((await session.call("fix__unknown"))["error"]?.code, -32602);
    }
  });

  it("a wall clock that jumps changes no decision", async () => {
    await start({ default: { rate: "1/h" } });
    const session = await open();
    await session.call("fix__echo");
    for (const jump of [-2 * HOUR, 2 * HOUR]) {
      clock.wallMs = jump;
      const { code, data } = await errorOf(await session.send("tools/call", echo));
      assert.equal(code, -31010);
      assert.ok(data.retryAfterMs <= HOUR, String(data.retryAfterMs));
    }
  });

  it("counts refusals as limited, by tool", async () => {
    await start({ default: { rate: "1/h" } });
    const session = await open();
    for (const _ of [1, 2, 3]) await session.call("fix__echo");
    await setImmediate();
    const refused = gateway.telemetry.read("sentinel_denials_total")
      .filter(({ value }) => value > 0).map(({ labels, value }) => ({ ...labels, value }));
    assert.deepEqual(refused, [{
      reason: "rate_limit",
      sentinel_backend: "fix",
      gen_ai_tool_name: "fix__echo",
      value: 2,
    }]);
    const outcomes = gateway.log.filter(({ event }) => event === "call.finished")
      .map(({ fields }) => fields["outcome"]);
    assert.deepEqual(outcomes, ["ok", "limited", "limited"]);
  });

  it("a reload changes limits of open sessions, and buckets are kept", async () => {
    const backends = { fix: fixtureBackend() };
    await start({ default: { rate: "1/h", burst: 1 } });
    const session = await open();
    await session.call("fix__echo");
    assert.equal((await session.call("fix__echo"))["error"]?.code, -31010);
    gateway.source.write({ backends, limits: { default: { rate: "1/h", burst: 2 } } });
    const { outcome } = await gateway.core.control.reload({ actor: { name: "test" } });
    assert.equal(outcome, "applied");
    assert.equal((await session.call("fix__echo"))["error"], undefined);
    assert.equal((await session.call("fix__echo"))["error"]?.code, -31010);
    const [bucket, ...others] = gateway.core.control.limits(0);
    assert.deepEqual(others, []);
    const { caller, nextMs, ...rest } = bucket ?? { caller: "", nextMs: 0 };
    assert.match(caller, /^session [0-9a-f]{12}$/);
    assert.ok(nextMs > 0 && nextMs <= HOUR);
    const row = { name: "fix__echo", limit: "1/h", burst: 2, used: 2, rejected: 2, number: 1 };
    assert.deepEqual(rest, row);
  });

  it("a full gateway refuses calls with 503 and newcomers with 429, nothing else", async () => {
    await start({ concurrency: 1 });
    const [one, two] = [await open(), await open()];
    const waiting = one.send("tools/call", { name: "fix__wait" }, 1);
    await underWay(1);
    const refused = await two.send("tools/call", echo);
    assert.equal(refused.status, 503);
    assert.equal(refused.headers.get("retry-after"), "1");
    const [{ error } = {} as Rpc] = await messagesOf(refused);
    assert.deepEqual([error.code, error.data.code], [-31013, "OVERLOADED"]);
    assert.deepEqual([error.data.retryAfterMs, error.data.executed], [1000, "no"]);
    assert.equal((await two.request("ping"))["error"], undefined);
    assert.equal((await two.request("tools/list"))["error"], undefined);
    // Not even read: what it says cannot matter.
    for (const body of ["{", { jsonrpc: "2.0", id: 1, method: "initialize" }]) {
      const newcomer = await post(gateway.core.fetch, body);
      assert.deepEqual([newcomer.status, newcomer.headers.get("retry-after")], [429, "1"]);
      const { id, error: { code } } = await newcomer.json() as Rpc;
      assert.deepEqual([id, code], [null, -31010]);
    }
    const stream = await gateway.core.fetch(new Request(`${BASE}/sse`));
    assert.equal(stream.status, 429);
    await one.notify("notifications/cancelled", { requestId: 1 });
    await waiting;
    assert.equal((await two.call("fix__echo"))["error"], undefined);
    assert.equal((await (await open()).call("fix__echo"))["error"], undefined);
  });

  it("a session at its bound hurts itself alone; calls that last hold their slots", async () => {
    await start({ per_session: 2 });
    const [one, two] = [await open(), await open()];
    const waiting = ["a", "b"].map((id) => one.send("tools/call", { name: "fix__wait" }, id));
    await underWay(2);
    const { code, data } = await errorOf(await one.send("tools/call", echo));
    assert.deepEqual([code, data.reason], [-31013, "limits.per_session = 2"]);
    assert.equal((await one.request("tools/list"))["error"], undefined);
    assert.equal((await two.call("fix__echo"))["error"], undefined);
    await one.notify("notifications/cancelled", { requestId: "a" });
    await waiting[0];
    assert.equal((await one.call("fix__echo"))["error"], undefined);
    await one.delete();
    await waiting[1];
    assert.equal(gateway.core.inFlight(), 0);
  });

  it("each call of a batch is judged for itself, on a pipe as well", async () => {
    await start({ default: { rate: "2/h" }, per_session: 3 });
    const call = (id: number, name: string) => ({
      jsonrpc: "2.0",
      id,
      method: "tools/call",
      params: { name },
    });
    const names = ["fix__echo", "fix__echo", "fix__echo", "fix__echo", "fix__log"];
    const codes = (answers: readonly Rpc[]) =>
      answers.filter(({ id }) => Number(id) < 10)
        .toSorted((a, b) => Number(a.id) - Number(b.id)).map((answer) => answer["error"]?.code);
    const expected = [undefined, undefined, -31010, -31010, undefined];
    const session = await open("2025-03-26");
    const batch = await session.post(names.map((name, index) => call(index, name)));
    assert.deepEqual(codes(await messagesOf(batch)), expected);
    const pipe = new PipeClient();
    const attached = gateway.core.attach(pipe);
    await pipe.initialize();
    for (const [index, name] of names.entries()) pipe.write(call(index, name));
    await Promise.all(names.map((_, index) => pipe.when(({ id }) => id === index)));
    assert.deepEqual(codes(pipe.received), expected);
    pipe.close();
    await attached;
  });
});
