import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as v from "valibot";
import { limits as section } from "../../../src/contract/config/policy.ts";
import type { ErrorDetails } from "../../../src/contract/mod.ts";
import { SentinelError } from "../../../src/contract/mod.ts";
import { ANONYMOUS, type Principal } from "../../../src/core/auth/principal.ts";
import type { Call } from "../../../src/core/call/call.ts";
import { Limits } from "../../../src/core/limits/limits.ts";
import type { RateStore } from "../../../src/ports/rate_store.ts";
import { MemoryRateStore } from "../../../src/stores/memory/rate_store.ts";
import { Registry } from "../../../src/telemetry/registry.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { proves } from "../../support/proves.ts";

interface CallOptions {
  readonly method?: string;
  readonly kind?: string;
  readonly name?: string;
  readonly backend?: string;
}

/** What a session and its calls are for limits. */
class Caller {
  readonly load = { inFlight: 0, slots: 0, total: 0 };
  readonly ref: string;
  readonly principal: Principal;

  constructor(ref: string, principal: Principal = ANONYMOUS) {
    this.ref = ref;
    this.principal = principal;
  }

  call(options: CallOptions = {}): Call {
    const { method = "tools/call", kind = "tool", name = "b__x", backend = "b" } = options;
    const target = { kind, exposed: name, original: name, backend, defaults: undefined };
    return { method, caller: this, target, holdsSlot: false } as unknown as Call;
  }
}

function setUp(config: unknown, store?: RateStore) {
  const clock = new FakeClock();
  const telemetry = new Registry();
  const rates = store ?? new MemoryRateStore();
  const limits = new Limits(v.parse(section, config), { rates, clock, telemetry });
  /** What became of a call that is settled at once. */
  const outcome = (call: Call): string => {
    try {
      assert.equal(limits.admit(call), undefined);
      return "ok";
    } catch (thrown) {
      return thrown instanceof SentinelError ? thrown.code : String(thrown);
    } finally {
      limits.release(call);
    }
  };
  const allowed = (caller: Caller, options?: CallOptions) => {
    let sum = 0;
    while (outcome(caller.call(options)) === "ok" && sum < 1000) sum++;
    return sum;
  };
  return { limits, clock, telemetry, outcome, allowed };
}

function person(name: string, roles: readonly string[] = ["default"]): Principal {
  return { id: `https://issuer ${name}`, subject: name, roles, roleKey: roles.join() };
}

function detailsOf(run: () => unknown): ErrorDetails & { readonly http: number } {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof SentinelError) return { ...thrown.details, http: thrown.http };
  }
  throw new Error("It was not refused");
}

describe("rates", () => {
  proves("G6.1", "each caller has a bucket for each tool; nobody's is another's", () => {
    const { allowed } = setUp({ default: { rate: "60/min", burst: 3 } });
    const [anna, ben] = [new Caller("1", person("anna")), new Caller("2", person("ben"))];
    assert.equal(allowed(anna), 3);
    assert.equal(allowed(anna), 0);
    assert.equal(allowed(ben), 3);
    assert.equal(allowed(anna, { name: "b__y" }), 3);
    // Another session of the same person is the same caller.
    assert.equal(allowed(new Caller("3", person("anna"))), 0);
  });

  it("without sign-in each session is a caller", () => {
    const { allowed } = setUp({ default: { rate: "60/min", burst: 3 } });
    assert.equal(allowed(new Caller("1")), 3);
    assert.equal(allowed(new Caller("2")), 3);
    assert.equal(allowed(new Caller("1")), 0);
  });

  proves("G6.1", "a refusal says which limit and when to come back, and that is true", async () => {
    const { limits, clock, allowed, outcome } = setUp({ tools: { "b__*": { rate: "5/min" } } });
    const anna = new Caller("1", person("anna"));
    assert.equal(allowed(anna), 5);
    const details = detailsOf(() => limits.admit(anna.call()));
    assert.deepEqual(details, {
      backend: "b",
      reason: 'limits.tools."b__*" = 5/min, burst 5, for each caller',
      retryAfterMs: 12_000,
      executed: "no",
      http: 200,
    });
    await clock.advance(11_999);
    assert.equal(outcome(anna.call()), "RATE_LIMITED");
    await clock.advance(1);
    assert.equal(outcome(anna.call()), "ok");
  });

  it("methods to backends are counted, each for itself; URIs make no buckets of their own", () => {
    const { allowed, limits } = setUp({ default: { rate: "60/min", burst: 2 } });
    const caller = new Caller("1");
    const read = (name: string, backend = "b") =>
      allowed(caller, { method: "resources/read", kind: "resource", name, backend });
    assert.equal(read("docs://1"), 2);
    assert.equal(read("docs://2"), 0);
    assert.equal(read("docs://3", "c"), 2);
    assert.equal(allowed(caller, { method: "prompts/get", kind: "prompt", name: "p" }), 2);
    assert.equal(allowed(caller, { method: "completion/complete", kind: "prompt", name: "p" }), 2);
    const subscribe = { method: "resources/subscribe", kind: "resource", name: "docs://1" };
    assert.equal(allowed(caller, subscribe), 1000);
    assert.deepEqual([...limits.list(0)].map(({ name, caller: who }) => `${who}: ${name}`), [
      "session 1: resources/read b",
      "session 1: resources/read c",
      "session 1: prompts/get b",
      "session 1: completion/complete b",
    ]);
  });

  it("a reload holds for the next call, and buckets stay", () => {
    const { limits, allowed } = setUp({ default: { rate: "1/h", burst: 4 } });
    const caller = new Caller("1");
    assert.equal(allowed(caller), 4);
    limits.configure(v.parse(section, { default: { rate: "1/h", burst: 6 } }));
    assert.equal(allowed(caller), 2);
    limits.configure(v.parse(section, { default: { rate: "1/h", burst: 1 } }));
    assert.equal(allowed(caller), 0);
  });

  it("refusals are counted by tool and by what set the limit", () => {
    const { telemetry, allowed } = setUp({
      default: { rate: "1/h" },
      roles: { guest: { rate: "1/h" } },
    });
    allowed(new Caller("1", person("anna")));
    allowed(new Caller("2", person("ben", ["guest"])));
    allowed(new Caller("3"), { method: "prompts/get", kind: "prompt", name: "p" });
    const counted = telemetry.read("sentinel_rate_limit_rejections_total")
      .map(({ labels: { scope, gen_ai_tool_name }, value }) => [scope, gen_ai_tool_name, value]);
    assert.deepEqual(counted, [
      ["caller_tool", "", 1],
      ["role", "", 0],
      ["caller_tool", "b__x", 1],
      ["role", "b__x", 1],
    ]);
  });

  it("waits for a store that is elsewhere, and lets no call through that it refuses", async () => {
    const memory = new MemoryRateStore();
    const { limits } = setUp({ default: { rate: "1/h" }, per_session: 1 }, {
      take: (...asked) => Promise.resolve(memory.take(...asked)),
      list: () => [],
      sweep: () => {},
    });
    const caller = new Caller("1");
    const first = caller.call();
    await limits.admit(first);
    limits.release(first);
    const second = caller.call();
    await assert.rejects(async () => await limits.admit(second), { code: "RATE_LIMITED" });
    assert.equal(caller.load.slots, 0);
  });
});

describe("slots", () => {
  it("are held until release, and a refused call holds none", () => {
    const { limits, outcome } = setUp({ concurrency: 3, per_session: 2 });
    const [one, two] = [new Caller("1"), new Caller("2")];
    const held = [one.call(), one.call()];
    for (const call of held) void limits.admit(call);
    assert.equal(outcome(one.call()), "OVERLOADED");
    const third = two.call();
    void limits.admit(third);
    assert.equal(outcome(two.call()), "OVERLOADED");
    assert.deepEqual([one.load.slots, two.load.slots], [2, 1]);
    limits.release(third);
    limits.release(third);
    assert.equal(outcome(two.call()), "ok");
    for (const call of held) limits.release(call);
    assert.deepEqual([one.load.slots, two.load.slots], [0, 0]);
  });

  it("say which bound is reached: a session's in band, the gateway's as a status", () => {
    const { limits } = setUp({ concurrency: 2, per_session: 1 });
    const one = new Caller("1");
    void limits.admit(one.call());
    const { reason, http, retryAfterMs } = detailsOf(() => limits.admit(one.call()));
    assert.deepEqual([reason, http, retryAfterMs], ["limits.per_session = 1", 200, 1000]);
    void limits.admit(new Caller("2").call());
    const gateway = detailsOf(() => limits.admit(new Caller("3").call()));
    assert.deepEqual([gateway.reason, gateway.http], ["limits.concurrency = 2", 503]);
  });

  it("a call over its rate takes none from the others of its session", () => {
    const { limits, outcome } = setUp({ per_session: 1, tools: { b__x: { rate: "1/h" } } });
    const caller = new Caller("1");
    assert.equal(outcome(caller.call()), "ok");
    assert.throws(() => limits.admit(caller.call()), { code: "RATE_LIMITED" });
    assert.equal(outcome(caller.call({ name: "b__y" })), "ok");
  });

  it("a call for which there is no slot uses no token", () => {
    const { limits, outcome } = setUp({ per_session: 1, tools: { b__y: { rate: "1/h" } } });
    const caller = new Caller("1");
    const held = caller.call();
    void limits.admit(held);
    assert.equal(outcome(caller.call({ name: "b__y" })), "OVERLOADED");
    limits.release(held);
    assert.equal(outcome(caller.call({ name: "b__y" })), "ok");
  });
});
