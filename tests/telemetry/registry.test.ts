import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Registry } from "../../src/telemetry/registry.ts";

describe("Registry", () => {
  it("gives the same series for the same labels", () => {
    const registry = new Registry();
    const labels = { sentinel_backend: "a" };
    registry.series("sentinel_backend_restarts_total", labels).add(1);
    registry.series("sentinel_backend_restarts_total", { ...labels }).add(2);
    assert.deepEqual(registry.read("sentinel_backend_restarts_total").map(({ value }) => value), [
      3,
    ]);
    assert.deepEqual(registry.read("sentinel_backend_up"), []);
  });

  it("puts observations into the bucket they fit, the last one being everything above", () => {
    const registry = new Registry();
    const series = registry.series("mcp_server_operation_duration_seconds", {
      mcp_method_name: "ping",
      sentinel_outcome: "ok",
    });
    for (const seconds of [0.005, 0.01, 0.03, 1000]) series.observe(seconds);
    const [reading] = registry.read("mcp_server_operation_duration_seconds");
    assert.deepEqual([reading?.counts[0], reading?.counts[2], reading?.counts.at(-1)], [2, 1, 1]);
  });

  it("counts what would be too many series under one of its own (T74)", () => {
    const registry = new Registry();
    for (let index = 0; index < 3000; index++) {
      registry.series("sentinel_backend_up", { sentinel_backend: `b${index}` }).set(1);
    }
    const readings = registry.read("sentinel_backend_up");
    assert.ok(readings.length <= 1001);
    assert.ok(readings.some(({ labels }) => labels["sentinel_backend"] === "_other"));
  });
});
