/** Gauges that are 1 for one of several states, as one number: the position of that state. */
import { METRICS } from "../../../src/contract/metrics.ts";
import type { BackendState, CircuitState, RuntimeState } from "../../../src/contract/status.ts";
import { max, or, times, type Vector } from "../promql.ts";
import type { State } from "./panel.ts";
import { series } from "./series.ts";

type Colors<Name extends string> = Readonly<Record<Name, State["color"]>>;

const RUNTIME: Colors<RuntimeState> = {
  starting: "blue",
  ready: "green",
  degraded: "yellow",
  failed: "red",
  stopping: "orange",
  stopped: "text",
};
const BACKEND: Colors<BackendState> = {
  starting: "blue",
  ready: "green",
  degraded: "yellow",
  backoff: "orange",
  fatal: "red",
  needs_login: "red",
  disabled: "text",
  stopping: "blue",
  stopped: "text",
};
const CIRCUIT: Colors<CircuitState> = { closed: "green", open: "red", half_open: "yellow" };

/** A gauge of states: its number for each series, and what the numbers stand for. */
interface Numbered<Label extends string> {
  readonly number: Vector<Label>;
  readonly states: readonly State[];
}

export const runtime: Numbered<"instance"> = {
  number: max(
    ["instance"],
    numbered(
      METRICS.sentinel_startup_state.values.state,
      (state) => series.gauge("sentinel_startup_state", { state }),
    ),
  ),
  states: inOrder(METRICS.sentinel_startup_state.values.state, RUNTIME),
};

export const backends: Numbered<"sentinel_backend" | "instance"> = {
  number: max(
    ["sentinel_backend", "instance"],
    numbered(
      METRICS.sentinel_backend_state.values.state,
      (state) => series.gauge("sentinel_backend_state", { state }),
    ),
  ),
  states: inOrder(METRICS.sentinel_backend_state.values.state, BACKEND),
};

export const circuits: Numbered<"sentinel_backend" | "instance"> = {
  number: max(
    ["sentinel_backend", "instance"],
    numbered(
      METRICS.sentinel_backend_circuit_state.values.state,
      (state) => series.gauge("sentinel_backend_circuit_state", { state }),
    ),
  ),
  states: inOrder(METRICS.sentinel_backend_circuit_state.values.state, CIRCUIT),
};

function inOrder<Name extends string>(names: readonly Name[], colors: Colors<Name>): State[] {
  return names.map((name) => ({ name, color: colors[name] }));
}

/** Each state's gauge times its position: the largest is the one that holds. */
function numbered<Name extends string, Label extends string>(
  names: readonly Name[],
  gauge: (name: Name) => Vector<Label>,
): Vector<Label> {
  const parts = names.map((name, position) => times(gauge(name), position));
  return parts.reduce((all, part) => or(all, part));
}
