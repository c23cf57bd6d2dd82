import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import process from "node:process";
import { describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import type { MetricName } from "../../src/contract/metrics.ts";
import type { BackendProcess } from "../../src/hosts/process/spawn.ts";
import { collectProcessGauges } from "../../src/hosts/process_gauges.ts";
import { Registry } from "../../src/telemetry/registry.ts";
import { executable, RUNTIME } from "../support/runtime.ts";

const HAS_PROC = existsSync("/proc/self/stat");

function collect(children: readonly BackendProcess[] = []) {
  const telemetry = new Registry();
  const stop = collectProcessGauges({ telemetry, children: () => children });
  const read = (metric: MetricName) => {
    telemetry.expose(undefined);
    return telemetry.read(metric);
  };
  return { telemetry, stop, read };
}

describe("process gauges", () => {
  it("show start, memory, processor time and descriptors of this process", () => {
    const { read, stop } = collect();
    const value = (metric: MetricName) => read(metric)[0]?.value ?? NaN;
    const age = Date.now() / 1000 - value("process_start_time_seconds");
    assert.ok(age > 0 && age < 3600, String(age));
    assert.ok(value("process_resident_memory_bytes") > 10_000_000);
    const before = value("process_cpu_seconds_total");
    const end = process.cpuUsage().user + 50_000;
    while (process.cpuUsage().user < end);
    assert.ok(value("process_cpu_seconds_total") >= before + 0.05);
    assert.equal(value("process_open_fds") > 2, HAS_PROC);
    stop();
  });

  it("say what runs", () => {
    const { telemetry, stop } = collect();
    const [build, ...others] = telemetry.read("sentinel_build_info");
    assert.deepEqual(others, []);
    assert.equal(build?.value, 1);
    assert.equal(build?.labels["runtime"], RUNTIME);
    assert.match(build?.labels["version"] ?? "", /^\d+\.\d+\.\d+/);
    assert.match(build?.labels["runtime_version"] ?? "", /^\d+\.\d+\.\d+/);
    stop();
  });

  it("show the processes of backends while they live", async () => {
    const child = spawn(executable("node"), ["-e", "process.stdin.resume(); console.log(1)"], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    await new Promise((resolve) => child.stdout.once("data", resolve));
    const children = [{ backend: "one", pid: child.pid as number }];
    const { read, stop } = collect(children);
    const readings = read("sentinel_backend_process_resident_memory_bytes");
    assert.deepEqual(
      readings.map(({ labels }) => labels),
      HAS_PROC ? [{ sentinel_backend: "one" }] : [],
    );
    for (const { value } of readings) assert.ok(value > 10_000_000 && value < 2e9, String(value));
    for (const { value } of read("sentinel_backend_process_cpu_seconds_total")) {
      assert.ok(value >= 0.01 && value < 60, String(value));
    }
    const gone = new Promise((resolve) => child.once("close", resolve));
    child.kill("SIGKILL");
    await gone;
    assert.deepEqual(read("sentinel_backend_process_resident_memory_bytes"), []);
    stop();
  });

  it("sum up all processes of a backend, and go on counting time when one ends", {
    skip: !HAS_PROC,
  }, async () => {
    const busy = "while (process.cpuUsage().user < 300000); console.log(1);" +
      "setInterval(() => {}, 60000);";
    const program = `(${JSON.stringify(executable("node"))} -e '${busy}' & wait)`;
    const leaders = [0, 1].map(() =>
      spawn("/bin/sh", ["-c", `${program}; true`], {
        detached: true,
        stdio: ["pipe", "pipe", "inherit"],
      })
    );
    const end = ({ pid = 0 }: { readonly pid?: number | undefined }) => {
      try {
        process.kill(-pid, "SIGKILL");
      } catch {
        // Ended before.
      }
    };
    try {
      await Promise.all(
        leaders.map(({ stdout }) => new Promise((resolve) => stdout.once("data", resolve))),
      );
      const children = leaders.map(({ pid }) => ({ backend: "two", pid: pid as number }));
      const { read, stop } = collect(children);
      const one = (metric: MetricName) => read(metric)[0]?.value ?? NaN;
      assert.ok(one("sentinel_backend_processes") >= 4);
      assert.ok(one("sentinel_backend_process_open_fds") >= 4 * 3);
      assert.ok(one("sentinel_backend_process_resident_memory_bytes") > 40_000_000);
      const seconds = one("sentinel_backend_process_cpu_seconds_total");
      assert.ok(seconds >= 0.3, String(seconds));
      const [first] = leaders;
      assert.ok(first !== undefined);
      const closed = new Promise((resolve) => first.once("close", resolve));
      end(first);
      await closed;
      assert.ok(one("sentinel_backend_processes") >= 2);
      assert.ok(one("sentinel_backend_process_cpu_seconds_total") >= seconds);
      stop();
    } finally {
      leaders.forEach(end);
    }
  });

  it("see a process that was too busy to fire its timers", async () => {
    const { read, stop } = collect();
    const [before] = read("sentinel_event_loop_lag_seconds");
    assert.equal(before?.value, 0);
    const end = performance.now() + 800;
    while (performance.now() < end);
    while ((read("sentinel_event_loop_lag_seconds")[0]?.value ?? 0) === 0) await pause(10);
    const [after] = read("sentinel_event_loop_lag_seconds");
    assert.ok((after?.value ?? 0) >= 0.2, String(after?.value));
    stop();
  });
});
