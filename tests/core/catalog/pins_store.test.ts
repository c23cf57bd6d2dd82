import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Held } from "../../../src/core/catalog/pins.ts";
import { type OfferedBackend, Pins } from "../../../src/core/catalog/pins.ts";
import type { Target } from "../../../src/core/catalog/types.ts";
import { systemDigest } from "../../../src/hosts/digest.ts";
import type { StateStore } from "../../../src/ports/state_store.ts";
import { MemoryStateStore } from "../../../src/stores/memory/state_store.ts";
import { Registry } from "../../../src/telemetry/registry.ts";
import type { LoggedEvent } from "../../support/core.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { foundOf, sourceOf, tool } from "./support.ts";

type Reaction = OfferedBackend["reaction"];

/** A store that fails when it is told to. */
class FailingStore extends MemoryStateStore {
  failing: "entries" | "put" | undefined = undefined;

  override entries(area: Parameters<StateStore["entries"]>[0]): ReadonlyMap<string, unknown> {
    if (this.failing === "entries") throw new Error("the disk is gone");
    return super.entries(area);
  }

  override put(area: Parameters<StateStore["put"]>[0], key: string, value: unknown): void {
    if (this.failing === "put") throw new Error("the disk is full");
    super.put(area, key, value);
  }
}

function setUp(state: StateStore = new MemoryStateStore()) {
  const log: LoggedEvent[] = [];
  const pins = new Pins({
    state,
    digest: systemDigest,
    clock: new FakeClock(),
    telemetry: new Registry(),
    log: { write: (event, fields = {}) => void log.push({ event, fields }) },
  });
  const { config } = sourceOf({ b: {} }).backends[0] ?? assert.fail();
  const offered = (tools: readonly object[], reaction: Reaction): OfferedBackend => ({
    name: "b",
    config,
    found: foundOf({ tool: [...tools] }),
    reaction,
  });
  /** Reasons by name of what is held. */
  const judge = (tools: readonly object[], reaction: Reaction = "hold") => {
    const held = pins.judge([offered(tools, reaction)]).get("b");
    return Object.fromEntries(
      [...held ?? []].map(([item, { reason }]) => [item["name"], reason]),
    ) as Record<string, string>;
  };
  const heldOf = (tools: readonly object[]): Held => {
    const [held] = pins.judge([offered(tools, "hold")]).get("b")?.values() ?? [];
    return held ?? assert.fail("nothing is held");
  };
  const eventsOf = (name: string) => log.filter(({ event }) => event === name);
  return { pins, judge, heldOf, offered, eventsOf, log };
}

function targetOf(original: string): Target {
  return { kind: "tool", backend: "b", original, exposed: `b__${original}`, defaults: undefined };
}

describe("definition pins and their store", () => {
  it("an unreadable store holds everything where changes are held, until it can be read", () => {
    const state = new FailingStore();
    setUp(state).judge([tool("x")]);
    state.failing = "entries";
    const { pins, judge, eventsOf } = setUp(state);
    assert.match(judge([tool("x"), tool("y")])["x"] ?? "", /cannot be read/);
    assert.deepEqual(Object.keys(judge([tool("x"), tool("y")])), ["x", "y"]);
    assert.equal(pins.failure, "the disk is gone");
    assert.equal(eventsOf("state.failed").length, 1);
    assert.ok(pins.holds(targetOf("x")));
    state.failing = undefined;
    assert.deepEqual(judge([tool("x"), tool("y")]), {});
    assert.equal(pins.failure, undefined);
    assert.ok(!pins.holds(targetOf("x")));
    assert.equal(Object.keys(judge([tool("x", { title: "Other" })])).length, 1);
  });

  it("an unreadable store stops nothing where changes are only told", () => {
    const state = new FailingStore();
    state.failing = "entries";
    const { judge, eventsOf } = setUp(state);
    assert.deepEqual(judge([tool("x")], "warn"), {});
    assert.equal(eventsOf("state.failed").length, 1);
  });

  it("what cannot be written is held, and a change that cannot be is told once", () => {
    const state = new FailingStore();
    state.failing = "put";
    const { pins, judge, eventsOf } = setUp(state);
    assert.match(judge([tool("x")])["x"] ?? "", /cannot be kept/);
    assert.throws(() => pins.approve(targetOf("x"), tool("x"), { hash: "0", by: "me" }), {
      code: "AUDIT_UNAVAILABLE",
    });
    state.failing = undefined;
    assert.deepEqual(judge([tool("x")]), {});
    state.failing = "put";
    const changed = [tool("x", { title: "Other" })];
    assert.deepEqual(judge(changed, "warn"), {});
    assert.deepEqual(judge(changed, "warn"), {});
    assert.equal(eventsOf("definition.changed").length, 1);
    assert.equal(eventsOf("state.failed").length, 2);
    state.failing = undefined;
    judge(changed, "warn");
    assert.equal(pins.of(targetOf("x"))?.previous?.length, 64);
  });

  it("names that a damaged entry may have had are not trusted anew, also after an approval", () => {
    const state = new MemoryStateStore();
    setUp(state).judge([tool("x")]);
    const [key = ""] = state.entries("definition_pin").keys();
    state.put("definition_pin", key, { pins: "nonsense" });
    const first = setUp(state);
    const held = first.heldOf([tool("x")]);
    assert.match(held.reason, /cannot be read/);
    assert.equal(first.eventsOf("state.failed").length, 1);
    first.pins.approve(targetOf("x"), tool("x"), { hash: held.hash, by: "me" });
    assert.deepEqual(first.judge([tool("x")]), {});
    const names = Array.from({ length: 100 }, (_, index) => `n${index}`);
    const others = Object.keys(first.judge([tool("x"), ...names.map((name) => tool(name))]));
    assert.ok(others.length > 0 && others.length < 50, `held ${others.length}`);
    const second = setUp(state);
    const again = second.judge([tool("x"), ...names.map((name) => tool(name))]);
    assert.deepEqual(Object.keys(again), others);
  });

  it("names of the prototype are names", () => {
    const state = new MemoryStateStore();
    const tools = ["__proto__", "constructor", "toString"].map((name) => tool(name));
    assert.deepEqual(setUp(state).judge(tools), {});
    const changed = tools.map((one) => ({ ...one, title: "Other" }));
    assert.deepEqual(Object.keys(setUp(state).judge(changed)).length, 3);
  });

  it("remembers a bounded number of definitions; a new one beyond is held, not trusted", () => {
    const { judge } = setUp();
    for (let round = 0; round < 2; round++) {
      judge(Array.from({ length: 10_000 }, (_, index) => tool(`r${round}-${index}`)));
    }
    const known = judge(Array.from({ length: 10_000 }, (_, index) => tool(`r0-${index}`)));
    const more = judge(Array.from({ length: 10_000 }, (_, index) => tool(`r2-${index}`)));
    const count = (held: Record<string, string>) =>
      Object.values(held).filter((reason) => reason.includes("no more")).length;
    assert.equal(count(known), 0);
    assert.equal(count(more), 10_000);
  });

  it("a tool that is not offered by the configuration is neither remembered nor told", () => {
    const { pins, offered, log } = setUp();
    const only = (title: string): OfferedBackend => {
      const base = offered([tool("x", { title })], "hold");
      return { ...base, config: { ...base.config, tools: { ...base.config.tools, deny: ["x"] } } };
    };
    pins.judge([only("a")]);
    pins.judge([only("b")]);
    assert.deepEqual(log, []);
    assert.equal(pins.of(targetOf("x")), undefined);
  });

  it("a backend that changes everything is told in a bounded number of events", () => {
    const { judge, eventsOf } = setUp();
    const named = (title: string) =>
      Array.from({ length: 500 }, (_, index) => tool(`t${index}`, { title }));
    judge(named("a"));
    assert.equal(Object.keys(judge(named("b"))).length, 500);
    const events = eventsOf("definition.changed");
    assert.equal(events.length, 51);
    assert.deepEqual(events.at(-1)?.fields, { backend: "b", more: 450 });
  });
});
