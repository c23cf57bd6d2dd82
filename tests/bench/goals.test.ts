import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { commandGoals } from "../../bench/command_times.ts";
import { httpGoals, polledGoals, startUpGoals, stdioGoals } from "../../bench/goals.ts";
import type { Slice } from "../../bench/load.ts";
import type { Role } from "../../bench/targets.ts";
import type { Level, Row } from "../../bench/throughput.ts";
import { ECHO } from "../../bench/work.ts";

function row(role: Role, figures: Partial<Slice>): Row {
  const slice = { rate: 1, cpuMicros: 1, rssMb: 1, p50: 1, p95: 1, p99: 1, errors: 0 };
  return {
    plan: { role, runtime: "node", command: [] },
    slices: [{ ...slice, firstError: undefined, ...figures }],
  };
}

function level(inFlight: number, rows: readonly Row[]): Level {
  return { work: ECHO, inFlight, rows };
}

function verdicts(found: readonly { got: number; met: boolean }[]) {
  return found.map(({ got, met }) => [got, met]);
}

describe("bench goals", () => {
  it("hold a gateway to the bare proxy of its runtime", () => {
    const bare = row("bare", { rate: 1000, cpuMicros: 50 });
    const good = row("gateway", { rate: 900, cpuMicros: 55 });
    const poor = row("bundle", { rate: 500, cpuMicros: 100 });
    const found = httpGoals([level(32, [bare, good, poor])]);
    assert.deepEqual(verdicts(found), [[1.1, true], [0.9, true], [2, false], [0.5, false]]);
  });

  it("compare at one in flight what each adds to the backend's own latency", () => {
    const rows = [row("direct", { p50: 1 }), row("bare", { p50: 2 }), row("gateway", { p50: 4 })];
    assert.deepEqual(verdicts(httpGoals([level(1, rows)])), [[3, false]]);
  });

  it("are missed where the base was not measured", () => {
    const found = httpGoals([level(32, [row("gateway", {})])]);
    assert.ok(found.length > 0 && found.every(({ met }) => !met));
  });

  it("hold a polled gateway to itself left alone, round by round", () => {
    const slices = (...figures: Partial<Slice>[]) =>
      figures.flatMap((one) => row("gateway", one).slices);
    const alone = slices({ rate: 100, cpuMicros: 10 }, { rate: 200, cpuMicros: 20 });
    const polled = slices({ rate: 100, cpuMicros: 12 }, { rate: 200, cpuMicros: 24 });
    const found = polledGoals([{
      runtime: "node",
      readyMs: 1,
      lookCpuMs: 1,
      pages: [],
      alone,
      polled,
    }]);
    assert.deepEqual(verdicts(found), [[1.2, false], [1, true]]);
  });

  it("hold stdio to four times the SDK proxy", () => {
    const rows = [row("sdk", { rate: 100 }), row("gateway", { rate: 450 })];
    assert.deepEqual(verdicts(stdioGoals([level(32, rows)])), [[4.5, true]]);
  });

  it("hold the bundle's start to the trivial server and to its own limit", () => {
    const times = { runtime: "node", initializedMs: 1 } as const;
    const found = startUpGoals([
      { ...times, role: "trivial", listeningMs: 60 },
      { ...times, role: "bundle", listeningMs: 120 },
    ]);
    assert.deepEqual(verdicts(found), [[2, false], [120, false]]);
  });

  it("holds commands against the empty program of their own runtime", () => {
    const found = commandGoals([
      { runtime: "node", program: "empty", name: undefined, ms: 20 },
      { runtime: "node", program: "bundle", name: "help", ms: 40 },
      { runtime: "bun", program: "empty", name: undefined, ms: 5 },
      { runtime: "bun", program: "bundle", name: "completion", ms: 11 },
    ]);
    assert.deepEqual(verdicts(found), [[2, true], [2.2, false]]);
  });
});
