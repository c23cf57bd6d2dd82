import type { Config, ConfigChange } from "../../contract/mod.ts";

/** What becomes of the backends with another configuration, by name. */
export interface BackendPlan {
  readonly starts: readonly string[];
  readonly stops: readonly string[];
  /** Get new connections; the old ones finish their calls. */
  readonly reconnects: readonly string[];
  /** Take the change as they are. */
  readonly adjusts: readonly string[];
}

/** Backends without a change are in none of the lists. */
export function planBackends(
  running: Config["backends"],
  next: Config["backends"],
  changes: readonly ConfigChange[],
): BackendPlan {
  const touched = (name: string) =>
    changes.filter(({ path }) => path.startsWith(`backends.${name}.`));
  const kept = Object.keys(next).filter((name) => name in running);
  const renewed = new Set(
    kept.filter((name) =>
      running[name]?.enabled !== next[name]?.enabled ||
      touched(name).some(({ effect }) => effect === "reconnect")
    ),
  );
  return {
    starts: Object.keys(next).filter((name) => !(name in running)),
    stops: Object.keys(running).filter((name) => !(name in next)),
    reconnects: [...renewed],
    adjusts: kept.filter((name) => !renewed.has(name) && touched(name).length > 0),
  };
}
