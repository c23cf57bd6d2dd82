import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { KillSwitches } from "../../../src/core/runtime/kill_switches.ts";
import { Sharing } from "../../../src/core/runtime/sharing.ts";
import { MemoryStateStore } from "../../../src/stores/memory/state_store.ts";
import { newInstance } from "../../../src/hosts/instance.ts";
import { systemRandom } from "../../../src/hosts/random.ts";
import { Registry } from "../../../src/telemetry/registry.ts";
import type { StateStore } from "../../../src/ports/state_store.ts";
import { FakeClock, settle } from "../../support/fake_clock.ts";
import { type HubMember, ReplicaHub } from "./replica_hub.ts";

const DAY = 24 * 3_600_000;

/** A replica as far as kill switches go. */
class Replica {
  readonly member: HubMember;
  readonly clock = new FakeClock();
  readonly events: string[] = [];
  readonly telemetry = new Registry();
  readonly kills: KillSwitches;
  readonly sharing: Sharing;
  changes = 0;

  constructor(
    hub: ReplicaHub,
    { state = new MemoryStateStore(), failure }: {
      readonly state?: StateStore;
      readonly failure?: string;
    } = {},
  ) {
    this.member = hub.join(failure);
    this.kills = new KillSwitches(state);
    this.sharing = new Sharing({
      replicas: this.member,
      kills: this.kills,
      clock: this.clock,
      instance: newInstance(systemRandom),
      log: {
        write: (event, fields = {}) => {
          const { scope, name, by, reason } = fields;
          this.events.push([event, scope, name, by, reason].filter(Boolean).join(" "));
        },
      },
      telemetry: this.telemetry,
      changed: () => this.changes++,
    });
  }

  /** What is set here. */
  get names(): string[] {
    return this.kills.list().map(({ name }) => name);
  }

  async set(name: string, reason = "INC-7", by = "oncall"): Promise<string[]> {
    const since = new Date(this.clock.now()).toISOString();
    this.kills.set({ scope: "tools", name, reason, by, since, from: "operator" });
    return await this.sharing.tell("tools", name);
  }

  async clear(name: string, by = "oncall"): Promise<string[]> {
    this.kills.clear("tools", name, by);
    return await this.sharing.tell("tools", name);
  }
}

describe("kill switches of replicas", () => {
  it("set and cleared on one, they hold on all, with who and why", async () => {
    const hub = new ReplicaHub();
    const [a, b] = [new Replica(hub), new Replica(hub)];
    assert.deepEqual(await a.set("x"), []);
    assert.deepEqual(b.kills.list(), a.kills.list());
    assert.deepEqual(await b.clear("x", "somebody else"), []);
    assert.deepEqual([a.names, b.names], [[], []]);
    assert.deepEqual(b.events, ["kill.set tools x oncall INC-7"]);
    assert.deepEqual(a.events, ["kill.cleared tools x somebody else"]);
    assert.deepEqual([a.changes, b.changes], [1, 1]);
  });

  it("whoever starts later has them before it serves", async () => {
    const hub = new ReplicaHub();
    await new Replica(hub).set("x");
    assert.deepEqual(new Replica(hub).names, ["x"]);
  });

  it("a lost message is made up for by the table", async () => {
    const hub = new ReplicaHub();
    const [a, b] = [new Replica(hub), new Replica(hub)];
    b.member.isDeaf = true;
    await a.set("x");
    assert.deepEqual(b.names, []);
    hub.refresh();
    assert.deepEqual(b.names, ["x"]);
  });

  it("what one does while it is cut off holds there, says so, and is told later", async () => {
    const hub = new ReplicaHub();
    const [a, b] = [new Replica(hub), new Replica(hub)];
    await b.set("old");
    a.member.cut("no route");
    const problems = [...await a.set("x"), ...await a.clear("old")];
    assert.equal(problems.length, 2);
    for (const problem of problems) assert.match(problem, /holds here.*redis.*no route/);
    assert.deepEqual([a.names, b.names], [["x"], ["old"]]);
    a.member.heal();
    await settle();
    assert.deepEqual([a.names, b.names], [["x"], ["x"]]);
  });

  it("of two acts the later holds, wherever it was done", async () => {
    const hub = new ReplicaHub();
    const [a, b] = [new Replica(hub), new Replica(hub)];
    await a.set("x", "first");
    a.member.cut();
    await a.clock.advance(1000);
    await a.clear("x");
    await b.clock.advance(2000);
    await b.set("x", "second");
    a.member.heal();
    await settle();
    assert.deepEqual([a, b].map(({ kills }) => kills.list()[0]?.reason), ["second", "second"]);
  });

  it("an act on what one sees is later, however wrong a clock is", async () => {
    const hub = new ReplicaHub();
    const [fast, slow] = [new Replica(hub), new Replica(hub)];
    await fast.clock.advance(400 * DAY);
    await fast.set("x");
    assert.deepEqual(await slow.clear("x"), []);
    assert.deepEqual([fast.names, slow.names], [[], []]);
    await slow.set("x", "again");
    assert.deepEqual([fast.names, slow.names], [["x"], ["x"]]);
  });

  it("a replica that was away for less than a day brings nothing back", async () => {
    const hub = new ReplicaHub();
    const [a, b] = [new Replica(hub), new Replica(hub)];
    await a.set("x");
    a.member.cut();
    await b.clock.advance(1);
    await b.clear("x");
    for (const { clock } of [a, b]) await clock.advance(DAY - 1000);
    hub.refresh();
    assert.equal(hub.table.size, 1, "that it was cleared is remembered");
    a.member.heal();
    await settle();
    assert.deepEqual([a.names, b.names], [[], []]);
  });

  it("after a day nobody remembers what was cleared", async () => {
    const hub = new ReplicaHub();
    const states = [new MemoryStateStore(), new MemoryStateStore()] as const;
    const [a, b] = states.map((state) => new Replica(hub, { state })) as [Replica, Replica];
    await a.set("x");
    await a.clear("x");
    for (const { clock } of [a, b]) await clock.advance(DAY + 1000);
    hub.refresh();
    await settle();
    hub.refresh();
    assert.equal(hub.table.size, 0);
    assert.deepEqual(states.map((state) => state.entries("kill_switch").size), [0, 0]);
  });

  it("an empty server gets everything again, and what was cleared stays cleared", async () => {
    const hub = new ReplicaHub();
    const [a, b] = [new Replica(hub), new Replica(hub)];
    await a.set("kept");
    await a.set("gone");
    b.member.cut();
    await a.clear("gone");
    hub.table.clear();
    a.member.heal();
    b.member.heal();
    hub.refresh();
    await settle();
    assert.deepEqual([a.names, b.names], [["kept"], ["kept"]]);
    assert.equal(hub.table.get("tools/kept")?.value.includes("INC-7"), true);
  });

  it("they are kept over a restart without the server, cleared ones too", async () => {
    const hub = new ReplicaHub();
    const state = new MemoryStateStore();
    const [a, b] = [new Replica(hub, { state }), new Replica(hub)];
    await b.set("theirs");
    await b.set("cleared");
    await a.clear("cleared");
    const again = new Replica(hub, { state, failure: "refused" });
    assert.deepEqual(again.names, ["theirs"]);
    assert.ok(again.events.some((event) => event.startsWith("store.failed")));
    assert.deepEqual(a.names, ["theirs"]);
  });

  it("switches of before there were replicas are told to them", async () => {
    const hub = new ReplicaHub();
    const state = new MemoryStateStore();
    const since = "2025-06-01T00:00:00.000Z";
    state.put("kill_switch", "tools/before", { reason: "r", by: "b", since });
    const other = new Replica(hub);
    const a = new Replica(hub, { state });
    await settle();
    assert.deepEqual([a.names, other.names], [["before"], ["before"]]);
  });

  it("what no replica has written is left out, and said once", () => {
    const hub = new ReplicaHub();
    const good = { reason: "r", by: "b", since: "2026-01-01T00:00:00.000Z" };
    const stamp = "000001700000000-0123456789ab";
    const put = (key: string, value: unknown, at = stamp) =>
      hub.table.set(key, { key, stamp: at, value: JSON.stringify(value) });
    put("tools/good", good);
    put("cats/a", good);
    put("tools/", good);
    put(`tools/${"x".repeat(201)}`, good);
    put("tools/a\r\nb", good);
    put("tools/stamp", good, "999999999999999-0123456789ab");
    put("tools/other", good, "x");
    put("tools/long", { ...good, reason: "r".repeat(1001) });
    put("tools/type", { ...good, by: 7 });
    put("tools/when", { ...good, since: "yesterday" });
    put("tools/null", null);
    hub.table.set("tools/text", { key: "tools/text", stamp, value: "{" });
    const a = new Replica(hub);
    hub.refresh();
    assert.deepEqual(a.names, ["good"]);
    const told = a.events.filter((event) => event.startsWith("store.unsafe"));
    assert.equal(told.length, 1, told.join("\n"));
  });

  it("a switch holds though it cannot be kept", async () => {
    const hub = new ReplicaHub();
    const state = new MemoryStateStore({ maxKeys: 0 });
    const [a, b] = [new Replica(hub), new Replica(hub, { state })];
    await a.set("x");
    assert.deepEqual(b.names, ["x"]);
    assert.ok(b.events.some((event) => event.startsWith("state.failed")));
  });

  it("tells once when the server is gone and once when it is back, and what is unsafe", () => {
    const hub = new ReplicaHub();
    const a = new Replica(hub);
    const up = () => a.telemetry.read("sentinel_shared_store_up").map(({ value }) => value);
    assert.deepEqual(up(), [1]);
    for (const why of ["one", "two", "three"]) a.member.cut(why);
    assert.deepEqual(up(), [0]);
    assert.equal(a.sharing.failure, "three");
    a.member.heal();
    a.member.heal();
    for (const why of ["appendonly", "appendonly"]) a.member.warn(why);
    assert.deepEqual(up(), [1]);
    assert.deepEqual(a.events, ["store.failed one", "store.recovered", "store.unsafe appendonly"]);
  });
});
