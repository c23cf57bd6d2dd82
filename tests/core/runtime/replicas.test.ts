/** What operators see and do when a gateway has replicas. */
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { startCore, type TestCore } from "../../support/core.ts";
import { type RunningServer, startEchoServer } from "../../support/echo_server.ts";
import { HttpSession } from "../../support/http_session.ts";
import { type HubMember, ReplicaHub } from "./replica_hub.ts";

const ACT = { actor: { name: "oncall" } };
const TARGET = { scope: "tools", name: "a__echo" } as const;

describe("a gateway with replicas", () => {
  let echo: RunningServer;
  let member: HubMember;
  let gateway: TestCore;
  let session: HttpSession;

  before(async () => void (echo = await startEchoServer()));
  after(() => echo.close());
  beforeEach(async () => {
    member = new ReplicaHub().join();
    gateway = await startCore({ backends: { a: { url: echo.url } } }, { replicas: member });
    session = await HttpSession.open(gateway.core.fetch);
    await session.request("tools/list");
  });
  afterEach(() => gateway.stop());

  it("is degraded while they cannot be reached, and says why", () => {
    const { control } = gateway.core;
    const shared = () => control.status().stores.find(({ name }) => name === "shared");
    assert.deepEqual(shared(), { name: "shared", kind: "redis", ok: true });
    assert.equal(control.state, "ready");
    member.cut("ECONNREFUSED");
    assert.deepEqual(shared(), { name: "shared", kind: "redis", ok: false, error: "ECONNREFUSED" });
    assert.equal(control.state, "degraded");
    assert.ok(control.status().reasons.includes("shared store: ECONNREFUSED"));
    member.heal();
    assert.equal(control.state, "ready");
  });

  it("a switch that the others do not know holds here, and the answer says so", async () => {
    const { control } = gateway.core;
    member.cut("ECONNREFUSED");
    const setting = control.kill({ ...TARGET, reason: "INC-7" }, ACT);
    // In force before the answer is there.
    assert.equal(control.killSwitches().length, 1);
    const { outcome, problems } = await setting;
    assert.equal(outcome, "partial");
    assert.match(problems?.[0] ?? "", /holds here.*ECONNREFUSED/);
    assert.equal((await session.call("a__echo", { text: "x" }))["error"].code, -31011);
    const cleared = await control.clearKill(TARGET, ACT);
    assert.equal(cleared.outcome, "partial");
  });

  it("a switch that the others know is applied", async () => {
    const { control } = gateway.core;
    const { outcome, problems } = await control.kill({ ...TARGET, reason: "INC-7" }, ACT);
    assert.deepEqual([outcome, problems], ["applied", undefined]);
    const again = await control.kill({ ...TARGET, reason: "INC-8" }, ACT);
    assert.equal(again.outcome, "unchanged");
    assert.equal((await control.clearKill(TARGET, ACT)).outcome, "applied");
  });

  it("one key gives one answer, and one act", async () => {
    const act = { ...ACT, key: "k1" };
    const { control } = gateway.core;
    const set = () => control.kill({ ...TARGET, reason: "INC-7" }, act);
    const [first, second] = await Promise.all([set(), set()]);
    assert.equal(first.id, second.id);
    assert.equal((await set()).id, first.id);
    await assert.rejects(control.kill({ ...TARGET, reason: "other" }, act), { code: "CONFLICT" });
  });

  it("calls are counted together, and go on alone without the others", async () => {
    const asked: string[] = [];
    member.answer = (key) => {
      asked.push(key);
      const allowed = asked.length === 1;
      return Promise.resolve({ allowed, retryAfterMs: allowed ? 0 : 5000, remaining: 0, used: 1 });
    };
    assert.equal((await session.call("a__echo", { text: "x" }))["error"], undefined);
    const { error } = await session.call("a__echo", { text: "x" });
    assert.deepEqual([error.data.code, error.data.retryAfterMs], ["RATE_LIMITED", 5000]);
    member.answer = undefined;
    assert.equal((await session.call("a__echo", { text: "x" }))["error"], undefined);
    member.cut();
    assert.equal((await session.call("a__echo", { text: "x" }))["error"], undefined);
    const [shown] = [...gateway.core.control.limits(0)];
    assert.deepEqual([shown?.name, shown?.rejected], ["a__echo", 1]);
  });
});
