import type { Config } from "../../contract/mod.ts";
import type { Backend } from "../backends/backend.ts";
import type { Bridge } from "../bridge/bridge.ts";
import type { Pins } from "../catalog/pins.ts";
import type { Catalog } from "../catalog/types.ts";
import type { Validators } from "../catalog/validators.ts";
import type { Limits } from "../limits/limits.ts";
import type { Recorder } from "../audit/recorder.ts";
import type { Interceptors } from "../rules/interceptors.ts";
import type { KillSwitches } from "./kill_switches.ts";

/**
 * Everything a call may look at, as one immutable snapshot. A call takes the world once and keeps it; a
 * changed catalog or configuration is a new world.
 */
export interface World {
  readonly revision: number;
  readonly config: Config;
  readonly catalog: Catalog;
  readonly backends: ReadonlyMap<string, Backend>;
  /** Live: a switch holds for every call that starts after it was set, whatever world that has. */
  readonly kills: KillSwitches;
  /** Live: a held definition ends every call that has not been sent yet. */
  readonly pins: Pins;
  /** Live: what was compiled once serves all worlds. */
  readonly validators: Validators;
  /** Live: a changed limit holds for every call that starts after it was changed. */
  readonly limits: Limits;
  /** What looks at calls and answers, with the rules of this configuration. */
  readonly interceptors: Interceptors;
  /** Live: what carries questions from one era to the other. */
  readonly bridge: Bridge;
  /** Live: the audit. */
  readonly recorder: Recorder;
}
