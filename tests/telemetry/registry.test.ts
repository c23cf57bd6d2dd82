import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { LABEL_CAPS, METRICS } from "../../src/contract/metrics.ts";
import { Registry } from "../../src/telemetry/registry.ts";

/** Labels of a call of a tool that was answered. */
function calledTool(name: string) {
  return {
    mcp_method_name: "tools/call",
    gen_ai_tool_name: name,
    error_type: "",
    rpc_response_status_code: "",
    network_transport: "tcp",
    mcp_protocol_version: "2025-11-25",
    sentinel_backend: "a",
    sentinel_outcome: "ok",
  } as const;
}

const DURATION = "mcp_server_operation_duration_seconds";
const STDERR = "sentinel_backend_stderr_lines_total";

describe("Registry", () => {
  it("gives the same series for the same labels", () => {
    const registry = new Registry();
    const labels = { sentinel_backend: "a" };
    registry.series(STDERR, labels).add(1);
    registry.series(STDERR, { ...labels }).add(2);
    assert.equal(registry.series(STDERR, labels), registry.series(STDERR, { ...labels }));
    assert.deepEqual(registry.read(STDERR).map(({ value }) => value), [3]);
    assert.deepEqual(registry.read("sentinel_backend_up"), []);
  });

  it("puts observations into the bucket they fit, the last one being everything above", () => {
    const registry = new Registry();
    const series = registry.series(DURATION, calledTool("t"));
    for (const seconds of [0.005, 0.01, 0.03, 1000]) series.observe(seconds);
    const [reading] = registry.read(DURATION);
    assert.deepEqual([reading?.counts[0], reading?.counts[2], reading?.counts.at(-1)], [2, 1, 1]);
    assert.ok(Math.abs((reading?.value ?? 0) - 1000.045) < 1e-9);
  });

  it("keeps the last exemplar of each bucket", () => {
    const registry = new Registry();
    const series = registry.series(DURATION, calledTool("t"));
    series.observe(0.001, "first");
    series.observe(0.002, "second", "a".repeat(32));
    series.observe(400);
    const [reading] = registry.read(DURATION);
    const last = { request: "second", trace: "a".repeat(32), value: 0.002 };
    assert.deepEqual(reading?.exemplar(0), last);
    series.observe(0.003, "third");
    assert.equal(reading?.exemplar(0)?.trace, undefined);
    assert.equal(reading?.exemplar(reading.counts.length - 1), undefined);
  });

  it("has every series of finite labels from the start, at zero", () => {
    const registry = new Registry();
    const { values } = METRICS.sentinel_config_reloads_total;
    const readings = registry.read("sentinel_config_reloads_total");
    assert.deepEqual(readings.map(({ labels }) => labels["result"]), [...values.result]);
    assert.ok(readings.every(({ value }) => value === 0));
    assert.equal(registry.read("sentinel_event_loop_lag_seconds").length, 1);
  });

  it("counts names beyond the cap of their label as one (T74)", () => {
    const registry = new Registry();
    for (let index = 0; index < 50_000; index++) {
      registry.series(DURATION, calledTool(`tool${index}`)).observe(0.01);
    }
    const readings = registry.read(DURATION);
    const names = new Set(readings.map(({ labels }) => labels["gen_ai_tool_name"]));
    assert.equal(names.size, (LABEL_CAPS["gen_ai_tool_name"] as number) + 1);
    const other = readings.find(({ labels }) => labels["gen_ai_tool_name"] === "_other");
    assert.equal(other?.counts[0], 50_000 - (LABEL_CAPS["gen_ai_tool_name"] as number));
    assert.equal(other?.labels["sentinel_outcome"], "ok");
  });

  it("bounds the series of a metric whatever its labels are", () => {
    const registry = new Registry();
    for (let backend = 0; backend < 400; backend++) {
      for (let tool = 0; tool < 40; tool++) {
        const labels = { ...calledTool(`t${tool}`), sentinel_backend: `b${backend}` };
        registry.series(DURATION, labels).observe(1);
      }
    }
    const readings = registry.read(DURATION);
    assert.ok(readings.length <= 2100, String(readings.length));
    const counted = readings.flatMap(({ counts }) => counts).reduce((sum, one) => sum + one, 0);
    assert.equal(counted, 400 * 40);
  });

  it("takes no value a finite label does not have, and none of any length", () => {
    const registry = new Registry();
    const made = { ...calledTool("x".repeat(10_000)), sentinel_outcome: "made up" as "ok" };
    registry.series(DURATION, made).observe(1);
    const [reading] = registry.read(DURATION);
    assert.equal(reading?.labels["sentinel_outcome"], "_other");
    assert.equal(reading?.labels["gen_ai_tool_name"], "_other");
  });

  it("tells no tools apart when that is switched off", () => {
    const registry = new Registry({ toolLabel: false });
    registry.series(DURATION, calledTool("a")).observe(1);
    registry.series(DURATION, calledTool("b")).observe(1);
    assert.deepEqual(registry.read(DURATION).map(({ counts }) => counts[6]), [2]);
  });

  it("drops the series of what is gone, and makes room for others", () => {
    const registry = new Registry();
    registry.series(STDERR, { sentinel_backend: "gone" }).add(1);
    registry.series(STDERR, { sentinel_backend: "stays" }).add(2);
    registry.series(DURATION, { ...calledTool("t"), sentinel_backend: "gone" }).observe(1);
    registry.drop({ sentinel_backend: "gone" });
    assert.deepEqual(registry.read(STDERR).map(({ value }) => value), [2]);
    assert.deepEqual(registry.read(DURATION), []);
    assert.equal(registry.read("sentinel_config_reloads_total").length, 4);
    for (let index = 0; index < 200; index++) {
      registry.series("sentinel_config_info", { hash: `h${index}` }).set(1);
      registry.drop({ hash: `h${index}` }, "sentinel_config_info");
    }
    registry.series("sentinel_config_info", { hash: "last" }).set(1);
    assert.deepEqual(registry.read("sentinel_config_info").map(({ labels }) => labels["hash"]), [
      "last",
    ]);
  });

  it("asks for looked-up values at each exposition, until told not to", () => {
    const registry = new Registry();
    let asked = 0;
    const cancel = registry.onCollect(() => {
      registry.series("process_open_fds", {}).set(++asked);
    });
    assert.match(registry.expose(undefined).text, /^process_open_fds 1$/m);
    assert.match(registry.expose(undefined).text, /^process_open_fds 2$/m);
    cancel();
    assert.match(registry.expose(undefined).text, /^process_open_fds 2$/m);
  });
});
