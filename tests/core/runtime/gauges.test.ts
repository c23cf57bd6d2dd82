import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as v from "valibot";
import { BACKEND_STATES, ConfigSchema, RUNTIME_STATES } from "../../../src/contract/mod.ts";
import type { MetricName } from "../../../src/contract/metrics.ts";
import { collectGauges } from "../../../src/core/runtime/gauges.ts";
import { createReloadCount } from "../../../src/core/runtime/reload_metrics.ts";
import { Runtime } from "../../../src/core/runtime/runtime.ts";
import { SystemClock } from "../../../src/hosts/clock.ts";
import { createFetchClient } from "../../../src/hosts/http_client/fetch_client.ts";
import { systemDigest } from "../../../src/hosts/digest.ts";
import { createSpawner } from "../../../src/hosts/process/spawn.ts";
import { MemorySessionStore } from "../../../src/stores/memory/session_store.ts";
import { systemRandom } from "../../../src/hosts/random.ts";
import { interpreter } from "../../../src/hosts/schema_compiler/interpreter.ts";
import { MemoryRateStore } from "../../../src/stores/memory/rate_store.ts";
import { NO_RECORDER } from "../../../src/core/audit/recorder.ts";
import { MemoryStateStore } from "../../../src/stores/memory/state_store.ts";
import { Registry } from "../../../src/telemetry/registry.ts";
import { type ConfigInput, fixtureBackend } from "../../support/core.ts";
import { FakeClock } from "../../support/fake_clock.ts";

async function setUp(input: ConfigInput) {
  const config = v.parse(ConfigSchema, input);
  const log = { write: () => {} };
  const telemetry = new Registry();
  const http = createFetchClient();
  const spawner = await createSpawner({ log, launcher: "none" });
  const runtime = new Runtime(config, {
    clock: new SystemClock(),
    random: systemRandom,
    log,
    telemetry,
    http,
    spawner,
    version: "0.0.0-test",
    mask: (text) => text,
    rates: new MemoryRateStore(),
    schemas: interpreter,
    digest: systemDigest,
    recorder: NO_RECORDER,
    state: new MemoryStateStore(),
    instance: "0123456789ab",
    store: new MemorySessionStore({ clock: new SystemClock(), random: systemRandom }),
  });
  runtime.start();
  const shown = { configHash: "abc123abc123" };
  collectGauges(telemetry, () => ({
    world: runtime.world,
    state: runtime.state,
    sessions: runtime.sessions,
    inFlight: runtime.running.size,
    configHash: shown.configHash,
  }));
  /** Values of a metric by the labels that are not empty. */
  const read = (metric: MetricName): Record<string, number> => {
    telemetry.expose(undefined);
    return Object.fromEntries(
      telemetry.read(metric).map(({ labels, value }) => [Object.values(labels).join(" "), value]),
    );
  };
  const stop = async () => {
    await runtime.stop();
    await http.close();
    spawner.close();
  };
  return { runtime, shown, read, stop };
}

const backends = {
  one: fixtureBackend({ tools: { deny: ["die"] } }),
  off: fixtureBackend({ enabled: false }),
};

describe("gauges", () => {
  it("show every state of gateway and backends, one of them set", async () => {
    const { runtime, read, stop } = await setUp({ backends });
    await runtime.starting;
    const states = read("sentinel_startup_state");
    assert.deepEqual(Object.keys(states), Object.keys(RUNTIME_STATES));
    assert.deepEqual(Object.entries(states).filter(([, value]) => value === 1), [["ready", 1]]);
    const own = read("sentinel_backend_state");
    assert.equal(Object.keys(own).length, 2 * Object.keys(BACKEND_STATES).length);
    const set = Object.keys(own).filter((name) => own[name] === 1);
    assert.deepEqual(set, ["one ready", "off disabled"]);
    assert.deepEqual(read("sentinel_backend_up"), { "one stdio": 1, "off stdio": 0 });
    assert.deepEqual(read("sentinel_backend_links"), { one: 1, off: 0 });
    await stop();
    assert.equal(read("sentinel_startup_state")["stopped"], 1);
    assert.equal(read("sentinel_backend_state")["one stopped"], 1);
    assert.deepEqual(read("sentinel_backend_links"), { one: 0, off: 0 });
  });

  it("show tools, kill switches and the configuration in force", async () => {
    const { runtime, shown, read, stop } = await setUp({ backends });
    await runtime.starting;
    assert.deepEqual(read("sentinel_catalog_tools"), {
      "one exposed": 8,
      "one hidden": 1,
      "off exposed": 0,
      "off hidden": 0,
    });
    assert.deepEqual(read("sentinel_kill_switches_active"), { tool: 0, backend: 0 });
    const by = { by: "test", since: "", reason: "test", from: "operator" } as const;
    runtime.kills.set({ scope: "tools", name: "one__*", ...by });
    runtime.kills.set({ scope: "backends", name: "one", ...by });
    assert.deepEqual(read("sentinel_kill_switches_active"), { tool: 1, backend: 1 });
    assert.deepEqual(read("sentinel_config_info"), { abc123abc123: 1 });
    shown.configHash = "another";
    assert.deepEqual(read("sentinel_config_info"), { another: 1 });
    await stop();
  });

  it("forget a backend that is not configured any more", async () => {
    const { runtime, read, stop } = await setUp({ backends });
    await runtime.starting;
    assert.equal(Object.keys(read("sentinel_backend_up")).length, 2);
    const { off } = Object.fromEntries(runtime.world.backends);
    assert.ok(off !== undefined);
    const without = v.parse(ConfigSchema, { backends: { off: backends.off } });
    runtime.apply(without, new Map([["off", off]]));
    assert.deepEqual(Object.keys(read("sentinel_backend_up")), ["off stdio"]);
    assert.deepEqual(read("sentinel_backend_links"), { off: 0 });
    await stop();
  });
});

describe("createReloadCount", () => {
  it("counts reloads, and says whether and when the last one was good", async () => {
    const clock = new FakeClock();
    const telemetry = new Registry();
    const read = (metric: MetricName) => telemetry.read(metric).map(({ value }) => value);
    const count = createReloadCount(telemetry, clock);
    const started = clock.now() / 1000;
    assert.deepEqual(read("sentinel_config_last_reload_successful"), [1]);
    await clock.advance(1000);
    count("rejected");
    assert.deepEqual(read("sentinel_config_last_reload_successful"), [0]);
    assert.deepEqual(read("sentinel_config_last_reload_success_timestamp_seconds"), [started]);
    count("applied");
    count("unchanged");
    assert.deepEqual(read("sentinel_config_last_reload_successful"), [1]);
    assert.deepEqual(read("sentinel_config_last_reload_success_timestamp_seconds"), [started + 1]);
    count("rolled_back");
    assert.deepEqual(read("sentinel_config_last_reload_successful"), [0]);
    assert.deepEqual(read("sentinel_config_last_reload_success_timestamp_seconds"), [started + 1]);
    assert.deepEqual(read("sentinel_config_reloads_total"), [1, 1, 1, 1]);
  });
});
