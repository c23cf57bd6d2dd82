import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import type { Pressure } from "../../../src/ports/pressure.ts";
import { fixtureBackend, startCore, type TestCore } from "../../support/core.ts";
import { NO_LIMITS } from "../../support/editable_source.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { BASE, HttpSession, messagesOf, post } from "../../support/http_session.ts";
import { proves } from "../../support/proves.ts";
import { until } from "../../scenarios/until.ts";

const GIB = 2 ** 30;
const OVERLOADED = -31013;
const LOOK_MS = 250;
const CALM_MS = 1500;
const READY_MS = 30_000;
const PING = { jsonrpc: "2.0", id: 1, method: "ping" };

const LIMITS = { ...NO_LIMITS, max_lag: "200ms" };

interface Measured {
  lagMs: number;
  memoryBytes: number;
  memoryLimit: number | undefined;
}

describe("load shedding", () => {
  let clock: FakeClock;
  let pressure: Measured;
  let gateway: TestCore;
  let session: HttpSession;

  beforeEach(async () => {
    clock = new FakeClock();
    pressure = { lagMs: 0, memoryBytes: GIB / 4, memoryLimit: GIB };
    const measured: Pressure = pressure;
    const backends = { a: fixtureBackend({ enabled: false }) };
    gateway = await startCore({ backends, limits: LIMITS }, { clock, pressure: measured });
    session = await HttpSession.open(gateway.core.fetch);
  });
  afterEach(() => gateway.stop());

  const shed = (reason: "lag" | "memory") =>
    gateway.telemetry.read("sentinel_requests_shed_total")
      .find(({ labels }) => labels["reason"] === reason)?.value;
  const events = () =>
    gateway.log.map(({ event }) => event).filter((name) => /gateway\.(over|relie)/.test(name));
  const statusOf = async () => (await session.post(PING)).status;

  it("refuses new requests with 503, a reason and when to come back", async () => {
    assert.equal(await statusOf(), 200);
    pressure.lagMs = 200;
    await clock.advance(LOOK_MS);
    const response = await session.post(PING);
    assert.equal(response.status, 503);
    assert.equal(response.headers.get("retry-after"), "1");
    const [answer] = await messagesOf(response);
    assert.equal(answer?.["error"].code, OVERLOADED);
    assert.equal(answer?.["error"].data.executed, "no");
    assert.equal(shed("lag"), 1);
    assert.equal(shed("memory"), 0);
  });

  it("refuses strangers, streams and large messages before a byte of their body is read", async () => {
    pressure.memoryBytes = 0.85 * GIB;
    await clock.advance(LOOK_MS);
    const unread = new ReadableStream<Uint8Array>({
      pull: () => assert.fail("nobody may read it"),
    }, { highWaterMark: 0 });
    const init = { method: "POST", headers: { host: "127.0.0.1:8808", ...session.headers } };
    const request = new Request(
      `${BASE}/mcp`,
      { ...init, body: unread, duplex: "half" } as RequestInit,
    );
    assert.equal((await gateway.core.fetch(request)).status, 503);
    assert.equal((await post(gateway.core.fetch, PING)).status, 503);
    assert.equal((await session.get()).status, 503);
    assert.equal((await session.post(PING, { "mcp-method": "ping" })).status, 503);
    assert.equal(shed("memory"), 4);
  });

  it("lets through what relieves: answers, cancellations, ends of sessions and probes", async () => {
    pressure.lagMs = 1000;
    await clock.advance(LOOK_MS);
    const sized = (message: unknown) =>
      session.post(message, { "content-length": String(JSON.stringify(message).length) });
    const cancel = { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 7 } };
    assert.equal((await sized(cancel)).status, 202);
    assert.equal((await sized({ jsonrpc: "2.0", id: 7, result: {} })).status, 202);
    const probe = (path: string) => gateway.core.fetch(new Request(BASE + path));
    assert.equal((await probe("/health")).status, 200);
    assert.notEqual((await probe("/ready")).status, 404);
    assert.equal((await session.delete()).status, 200);
    assert.equal(shed("lag"), 0);
    assert.equal((await sized(PING)).status, 503);
  });

  it("takes requests again only after a second below four fifths of the limit", async () => {
    pressure.lagMs = 200;
    await clock.advance(LOOK_MS);
    pressure.lagMs = 199;
    await clock.advance(CALM_MS);
    assert.equal(await statusOf(), 503);
    pressure.lagMs = 159;
    await clock.advance(LOOK_MS);
    assert.equal(await statusOf(), 503);
    await clock.advance(CALM_MS);
    assert.equal(await statusOf(), 200);
  });

  it("tells once however often it swings", async () => {
    for (let swing = 0; swing < 3; swing++) {
      pressure.lagMs = 500;
      await clock.advance(LOOK_MS);
      pressure.lagMs = 0;
      await clock.advance(CALM_MS);
    }
    assert.deepEqual(events(), ["gateway.overloaded", "gateway.relieved"]);
    await clock.advance(10_000);
    pressure.lagMs = 500;
    await clock.advance(LOOK_MS);
    assert.deepEqual(events(), ["gateway.overloaded", "gateway.relieved", "gateway.overloaded"]);
  });

  proves("G7.2", "only an overload that lasts takes the replica out of rotation", async () => {
    await gateway.stop();
    const backends = { a: fixtureBackend() };
    gateway = await startCore({ backends, limits: LIMITS }, { clock, pressure });
    const ready = async () => {
      const response = await gateway.core.fetch(new Request(`${BASE}/ready`));
      const { reasons } = await response.json() as { reasons: string[] };
      return [response.status, ...reasons];
    };
    await until(async () => assert.deepEqual(await ready(), [200]), READY_MS);
    pressure.lagMs = 500;
    await clock.advance(LOOK_MS);
    assert.deepEqual(await ready(), [200, "overloaded"]);
    await clock.advance(10_000);
    assert.deepEqual(await ready(), [503, "overloaded"]);
    pressure.lagMs = 0;
    await clock.advance(CALM_MS);
    assert.deepEqual(await ready(), [200]);
  }, { timeout: 60_000 });
});
