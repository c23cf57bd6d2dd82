import type { Snapshot } from "../../contract/mod.ts";
import type { Control } from "./control.ts";
import type { Runtime } from "./runtime.ts";

/** Lines of stderr shown for each backend. */
const LINES = 20;

/** The whole state in one piece. */
export function snapshotOf(runtime: Runtime, control: Control, version: string): Snapshot {
  const { name, state, reasons, revision, startedAt, sessions, catalog } = control.status();
  return {
    name,
    version,
    state,
    reasons,
    revision,
    startedAt,
    backends: [...runtime.world.backends.values()].map((backend) => backend.status(LINES)),
    sessions,
    catalog: { ...catalog, refused: control.refused() },
  };
}
