/** Messages between replicas over a real Redis, and what becomes of them when it fails (T63). */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { SystemClock } from "../../../src/hosts/clock.ts";
import { systemRandom } from "../../../src/hosts/random.ts";
import type { Bus, BusMessage } from "../../../src/ports/bus.ts";
import { openRedisBus } from "../../../src/stores/redis/bus.ts";
import { until } from "../../scenarios/until.ts";
import { RedisServer } from "../../support/redis.ts";
import { connect, PREFIX } from "./support.ts";

const WAIT_MS = 30_000;
const [A, B, C] = ["aaaaaaaaaaaa", "bbbbbbbbbbbb", "cccccccccccc"] as const;
const HOSTILE = ["", "\r\n", '"', "\0", "%", "\\", "𝄞\ud800é", "x".repeat(1_000_000)];

describe("the bus on Redis", { timeout: 180_000 }, () => {
  let server: RedisServer;
  const buses: Bus[] = [];

  beforeEach(async () => {
    server = await RedisServer.start();
  });
  afterEach(async () => {
    for (const bus of buses.splice(0)) bus.close();
    await server.stop();
  });

  async function join(instance: string, gateway = "test") {
    const bus = await openRedisBus({
      url: server.url,
      gateway,
      instance,
      clock: new SystemClock(),
      random: systemRandom,
    });
    buses.push(bus);
    const heard: BusMessage[] = [];
    bus.follow((message) => void heard.push(message));
    return { bus, heard };
  }
  const hears = (heard: readonly BusMessage[], count: number) =>
    until(() => assert.equal(heard.length, count), WAIT_MS);

  it("carries any text to one, in order, and says whether somebody listened", async () => {
    const [a, b] = [await join(A), await join(B)];
    for (const text of HOSTILE) assert.equal(await a.bus.send(B, text), true);
    assert.equal(await a.bus.send(C, "x"), false);
    await hears(b.heard, HOSTILE.length);
    // A lone half of a pair cannot be written as UTF-8.
    const carried = HOSTILE.map((text) => text.toWellFormed());
    assert.deepEqual(b.heard.map(({ text }) => text), carried);
    assert.ok(b.heard.every(({ from }) => from === A));
    assert.deepEqual(a.heard, []);
  });

  it("carries to all others, of this gateway only", async () => {
    const [a, b, c] = [await join(A), await join(B), await join(C)];
    const foreign = await join("dddddddddddd", "another");
    await a.bus.broadcast("x");
    await hears(b.heard, 1);
    await hears(c.heard, 1);
    assert.deepEqual([a.heard, foreign.heard], [[], []]);
    assert.equal(await foreign.bus.send(A, "x"), false);
    assert.equal(await foreign.bus.isAlive(A), false);
  });

  it("knows who is alive, and who has gone", async () => {
    const [a, b] = [await join(A), await join(B)];
    assert.deepEqual([await a.bus.isAlive(B), await a.bus.isAlive(C)], [true, false]);
    b.bus.close();
    await until(async () => assert.equal(await a.bus.isAlive(B), false), WAIT_MS);
    assert.equal(await a.bus.send(B, "x"), false);
  });

  it("drops what no replica says, and refuses what is too long", async () => {
    const [a, b] = [await join(A), await join(B)];
    const stranger = await connect(server.url);
    for (const text of ["", "x", "AAAAAAAAAAAA x", `${B} of its own`]) {
      await stranger.sendCommand(["PUBLISH", `${PREFIX}:bus:to:${B}@0`, text]);
    }
    stranger.destroy();
    await assert.rejects(a.bus.send(B, "é".repeat(5 * 1024 * 1024)), /longer than/);
    assert.equal(await a.bus.send(B, "last"), true);
    await hears(b.heard, 1);
    assert.equal(b.heard[0]?.text, "last");
  });

  it("says so while the server is gone, and goes on when it is back, even empty", async () => {
    const [a, b] = [await join(A), await join(B)];
    await server.kill();
    await until(() => assert.notEqual(a.bus.failure, undefined), WAIT_MS);
    await assert.rejects(a.bus.send(B, "x"));
    await assert.rejects(a.bus.broadcast("x"));
    await assert.rejects(a.bus.isAlive(B));
    await server.restart({ empty: true });
    await until(
      () => assert.deepEqual([a.bus.failure, b.bus.failure], [undefined, undefined]),
      WAIT_MS,
    );
    assert.equal(await a.bus.isAlive(B), true);
    assert.equal(await a.bus.send(B, "again"), true);
    await hears(b.heard, 1);
  });

  it("waits for no server that answers nothing", async () => {
    const { bus } = await join(A);
    server.freeze();
    await assert.rejects(bus.send(B, "x"), /in time/);
    assert.notEqual(bus.failure, undefined);
    server.thaw();
    await until(() => assert.equal(bus.failure, undefined), WAIT_MS);
  });
});
