import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fullGoals } from "../../bench/full_goals.ts";
import type { Slice } from "../../bench/load.ts";
import type { RuntimeName } from "../../bench/options.ts";
import type { Role } from "../../bench/targets.ts";
import type { Row } from "../../bench/throughput.ts";
import { ECHO, LARGE, QUICK, SLOW, type Work } from "../../bench/work.ts";

function row(role: Role, figures: Partial<Slice>, runtime: RuntimeName = "node"): Row {
  const slice = { rate: 1, cpuMicros: 1, rssMb: 1, p50: 1, p95: 1, p99: 1, errors: 0 };
  return {
    plan: { role, runtime, command: [] },
    slices: [{ ...slice, firstError: undefined, ...figures }],
  };
}

/** Goal, figure and whether it is met, of one table. */
function verdicts(work: Work, inFlight: number, rows: readonly Row[]) {
  return fullGoals([{ work, inFlight, rows }]).map(({ got, met }) => [got, met]);
}

describe("goals with everything on", () => {
  it("hold an echo to bare proxy, SDK and the gateway without audit", () => {
    const found = verdicts(ECHO, 32, [
      row("bare", { rate: 1000, cpuMicros: 50, p95: 4 }),
      row("full", { rate: 800, cpuMicros: 100, p95: 5 }),
      row("unrecorded", { rate: 1000 }),
      row("sdk", { rate: 80 }),
    ]);
    assert.deepEqual(found, [[2, false], [0.8, true], [1.25, true], [10, true], [0.8, false]]);
  });

  it("ask of each runtime its own distance to the SDK", () => {
    const met = (runtime: RuntimeName) =>
      fullGoals([{
        work: ECHO,
        inFlight: 32,
        rows: [row("full", { rate: 35 }, runtime), row("sdk", { rate: 10 }, runtime)],
      }]).filter(({ goal }) => goal.includes("SDK")).map((verdict) => verdict.met);
    assert.deepEqual([met("node"), met("bun"), met("deno")], [[false], [false], [true]]);
  });

  it("compare alone what is added to the backend's own latency", () => {
    const rows = [row("direct", { p50: 1 }), row("bare", { p50: 2 }), row("full", { p50: 2.5 })];
    assert.deepEqual(verdicts(ECHO, 1, rows), [[1.5, true]]);
  });

  it("hold a large text to the CPU time of the bare proxy", () => {
    const rows = [row("bare", { cpuMicros: 100 }), row("full", { cpuMicros: 140 })];
    assert.deepEqual(verdicts(LARGE, 8, rows), [[1.4, false]]);
  });

  it("hold tools that take time to the p95 of the backend alone", () => {
    const rows = [row("direct", { p95: 100 }), row("full", { p95: 105 })];
    assert.deepEqual(verdicts(SLOW, 32, rows), [[1.05, false]]);
    assert.deepEqual(verdicts(QUICK, 32, rows), [[1.05, true]]);
  });

  it("say nothing of other targets, and are missed where the base was not measured", () => {
    assert.deepEqual(verdicts(ECHO, 32, [row("unrecorded", {}), row("bare", {})]), []);
    for (const work of [ECHO, LARGE, SLOW]) {
      const found = fullGoals([{ work, inFlight: 32, rows: [row("full", {})] }]);
      assert.ok(found.length > 0 && found.every(({ met }) => !met));
    }
  });
});
