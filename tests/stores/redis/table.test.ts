import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import type { Replicas } from "../../../src/ports/replicas.ts";
import type { Client } from "../../../src/stores/redis/client.ts";
import { until } from "../../scenarios/until.ts";
import { RedisServer } from "../../support/redis.ts";
import { HOSTILE } from "../rate_store_suite.ts";
import { connect, Notes, open, PREFIX, stamp } from "./support.ts";

const TABLE = `${PREFIX}:switches`;
const WAIT_MS = 20_000;

describe("the table that replicas share in Redis", { timeout: 120_000 }, () => {
  let server: RedisServer;
  let admin: Client;
  let here: Replicas;
  let there: Replicas;
  let notes: Notes;

  before(async () => {
    server = await RedisServer.start();
    admin = await connect(server.url);
    here = await open(server.url);
    there = await open(server.url);
  });
  beforeEach(async () => {
    await admin.flushAll();
    notes = new Notes();
    there.follow(notes);
  });
  after(async () => {
    here.close();
    there.close();
    admin.destroy();
    await server.stop();
  });

  it("an entry is told to the others, and found by who comes later", async (t) => {
    const entry = { key: "tools/a", stamp: stamp(1), value: '{"a":1}' };
    await here.write([entry]);
    await until(() => assert.deepEqual(notes.entries, [entry]), WAIT_MS);
    const later = await open(server.url);
    t.after(() => later.close());
    const found = new Notes();
    later.follow(found);
    assert.deepEqual(found.tables, [[entry]]);
    assert.deepEqual(found.healths, [undefined]);
  });

  it("of two entries the later stays, in whatever order they come", async () => {
    const acts = [stamp(5), stamp(6, "aaaaaaaaaaaa"), stamp(6, "bbbbbbbbbbbb"), stamp(4)]
      .map((stamp) => ({ key: "tools/a", stamp, value: stamp }));
    for (const order of [acts, acts.toReversed()]) {
      await admin.flushAll();
      for (const act of order) await here.write([act]);
      const written = stamp(6, "bbbbbbbbbbbb");
      assert.deepEqual({ ...await admin.hGetAll(TABLE) }, { "tools/a": `${written} ${written}` });
    }
  });

  it("an entry that is not later is not told", async () => {
    await here.write([{ key: "k", stamp: stamp(5), value: "new" }]);
    await here.write([{ key: "k", stamp: stamp(4), value: "old" }]);
    await here.write([{ key: "end", stamp: stamp(1), value: "" }]);
    await until(() => assert.equal(notes.entries.length, 2), WAIT_MS);
    assert.deepEqual(notes.entries.map(({ value }) => value), ["new", ""]);
  });

  it("forgets only what has not changed", async () => {
    const first = { key: "a", stamp: stamp(1), value: "first" };
    await here.write([first, { key: "b", stamp: stamp(1), value: "x" }]);
    await here.write([{ ...first, stamp: stamp(2) }]);
    await here.forget([first, { key: "b", stamp: stamp(1), value: "" }]);
    assert.deepEqual(await admin.hKeys(TABLE), ["a"]);
  });

  it("stores and tells every text exactly, and runs no other command", async (t) => {
    const monitor = await connect(server.url);
    t.after(() => monitor.destroy());
    const commands: string[] = [];
    await monitor.monitor((line) => void commands.push(String(line)));
    const entries = HOSTILE.map((text, index) => ({
      key: text,
      stamp: stamp(index + 1),
      value: `${text} ${text}`.slice(0, 12_000),
    }));
    await here.write(entries);
    for (const text of HOSTILE) await here.take(text, { count: 1, perMs: 1000, burst: 1 });
    await until(() => assert.deepEqual(notes.entries, entries), WAIT_MS);
    const later = await open(server.url);
    t.after(() => later.close());
    const found = new Notes();
    later.follow(found);
    const byStamp = found.tables[0]?.toSorted((a, b) => a.stamp < b.stamp ? -1 : 1);
    assert.deepEqual(byStamp, entries);
    const names = new Set(commands.map((line) => /\] "([^"]*)"/.exec(line)?.[1]?.toUpperCase()));
    const expected =
      "EVALSHA EVAL SCRIPT HELLO SELECT SET SUBSCRIBE CONFIG CLIENT AUTH TIME GET HGET HSET HLEN " +
      "HKEYS HSTRLEN PUBLISH";
    for (const name of names) assert.ok(expected.split(" ").includes(name ?? ""), String(name));
    // MONITOR tells what scripts call as well: one bucket is read once, whatever its name spells.
    const reads = commands.filter((line) => /\[\d+ lua\] "GET"/i.test(line));
    assert.equal(reads.length, HOSTILE.length);
  });

  it("leaves out what nobody here wrote, and stays usable", async (t) => {
    await admin.hSet(TABLE, { "tools/a": "x", long: "y".repeat(50_000) });
    await admin.publish(`${TABLE}@0`, "no json");
    await admin.publish(`${TABLE}@0`, '["one"]');
    await admin.publish(`${TABLE}@0`, "[1, 2]");
    await admin.publish(`${TABLE}@0`, `["k", "${"z".repeat(100_000)}"]`);
    await here.write([{ key: "tools/a", stamp: stamp(1), value: "ours" }]);
    await until(() => assert.equal(notes.entries.length, 1), WAIT_MS);
    const later = await open(server.url);
    t.after(() => later.close());
    const found = new Notes();
    later.follow(found);
    assert.deepEqual(found.tables, [[{ key: "tools/a", stamp: stamp(1), value: "ours" }]]);
  });

  it("a table that somebody filled takes no more, says so, and limits go on", async () => {
    const many = Array.from({ length: 10_000 }, (_, index) => [`k${index}`, `${stamp(1)} `]);
    await admin.hSet(TABLE, Object.fromEntries(many) as Record<string, string>);
    const entry = { key: "one more", stamp: stamp(2), value: "" };
    await assert.rejects(here.write([entry]), /holds 10000 entries/);
    assert.equal(here.failure, undefined);
    await here.write([{ ...entry, key: "k7" }]);
    assert.equal((await here.take("k", { count: 1, perMs: 1000, burst: 1 })).allowed, true);
  });

  it("comes again every few seconds, for who missed a message", async () => {
    await admin.hSet(TABLE, { "tools/quiet": `${stamp(3)} {}` });
    await until(() => {
      const last = notes.tables.at(-1) ?? [];
      assert.deepEqual(last.map(({ key }) => key), ["tools/quiet"]);
    }, WAIT_MS);
    assert.deepEqual(notes.entries, []);
  });
});
