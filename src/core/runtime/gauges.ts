/** Gauges that are looked up when somebody reads the metrics, instead of counted all the time. */
import { METRICS } from "../../contract/metrics.ts";
import { BACKEND_STATES, RUNTIME_STATES, type RuntimeState } from "../../contract/mod.ts";
import { type BackendState, CIRCUIT_STATES } from "../../contract/status.ts";
import type { Cancel } from "../../ports/clock.ts";
import type { Telemetry } from "../../ports/telemetry.ts";
import type { Backend } from "../backends/backend.ts";
import type { Session } from "../session/session.ts";
import type { World } from "./world.ts";

/** What the gauges show. */
export interface GaugeSource {
  readonly world: World;
  readonly state: RuntimeState;
  readonly sessions: Iterable<Session>;
  /** Calls being answered, with and without a session. */
  readonly inFlight: number;
  /** Beginning of the hash of the configuration in force; `""` without one. */
  readonly configHash: string;
}

const BACKEND_STATE_NAMES = Object.keys(BACKEND_STATES) as BackendState[];
const RUNTIME_STATE_NAMES = Object.keys(RUNTIME_STATES) as RuntimeState[];

/** Sets the gauges at every collection from now on. */
export function collectGauges(telemetry: Telemetry, source: () => GaugeSource): Cancel {
  let names: readonly string[] = [];
  return telemetry.onCollect(() => {
    const { world, state, sessions, inFlight, configHash } = source();
    for (const name of names) {
      if (!world.backends.has(name)) telemetry.drop({ sentinel_backend: name });
    }
    names = [...world.backends.keys()];
    setState(telemetry, state);
    setConfig(telemetry, configHash);
    setBackends(telemetry, world);
    setKillSwitches(telemetry, world);
    setStreams(telemetry, sessions);
    telemetry.series("sentinel_requests_in_flight", { plane: "data" }).set(inFlight);
  });
}

function setState(telemetry: Telemetry, current: RuntimeState): void {
  for (const state of RUNTIME_STATE_NAMES) {
    telemetry.series("sentinel_startup_state", { state }).set(state === current ? 1 : 0);
  }
}

function setConfig(telemetry: Telemetry, hash: string): void {
  telemetry.drop({}, "sentinel_config_info");
  telemetry.series("sentinel_config_info", { hash }).set(1);
}

function setBackends(telemetry: Telemetry, { backends, catalog }: World): void {
  // How a backend is reached is found out when it is: a gauge of the other way would stay behind.
  telemetry.drop({}, "sentinel_backend_up");
  for (const [name, backend] of backends) {
    const labels = { sentinel_backend: name };
    telemetry.series("sentinel_backend_up", { ...labels, kind: backend.kind })
      .set(backend.up ? 1 : 0);
    for (const state of BACKEND_STATE_NAMES) {
      telemetry.series("sentinel_backend_state", { ...labels, state })
        .set(state === backend.state ? 1 : 0);
    }
    setCalls(telemetry, backend);
    const exposed = catalog.perBackend[name]?.tool ?? 0;
    const hidden = Math.max(0, (backend.found?.tools.length ?? 0) - exposed);
    const tools = (visibility: "exposed" | "hidden") =>
      telemetry.series("sentinel_catalog_tools", { ...labels, visibility });
    tools("exposed").set(exposed);
    tools("hidden").set(hidden);
    const held = catalog.held.filter(({ target }) => target.backend === name);
    telemetry.series("sentinel_definitions_held", labels).set(held.length);
    // A rate needs a zero to start from.
    for (const reaction of METRICS.sentinel_tool_drift_total.values.reaction) {
      telemetry.series("sentinel_tool_drift_total", { ...labels, reaction }).add(0);
    }
  }
}

/** What calls to a backend meet. */
function setCalls(telemetry: Telemetry, { name, guard: { circuits, inFlight } }: Backend): void {
  const labels = { sentinel_backend: name };
  for (const state of CIRCUIT_STATES) {
    telemetry.series("sentinel_backend_circuit_state", { ...labels, state })
      .set(state === circuits.state ? 1 : 0);
  }
  telemetry.series("sentinel_backend_in_flight", labels).set(inFlight.size);
  telemetry.series("sentinel_backend_queue_length", labels).set(inFlight.queued);
}

function setKillSwitches(telemetry: Telemetry, { kills }: World): void {
  const scopes = kills.list().map(({ scope }) => scope);
  const active = (scope: "tool" | "backend") =>
    telemetry.series("sentinel_kill_switches_active", { scope })
      .set(scopes.filter((name) => name === `${scope}s`).length);
  active("tool");
  active("backend");
}

function setStreams(telemetry: Telemetry, sessions: Iterable<Session>): void {
  let open = 0;
  for (const session of sessions) {
    for (const stream of session.streams.values()) if (stream.attached) open++;
  }
  telemetry.series("sentinel_streams_active", { kind: "client_sse" }).set(open);
}
