/** Where a gateway writes: the log on stderr, and the event log beside it. */
import process from "node:process";
import type { Config } from "../contract/mod.ts";
import { EventLog } from "../core/mod.ts";
import type { Clock } from "../ports/clock.ts";
import type { Log, LogLevels } from "../ports/log.ts";
import type { StateStore } from "../ports/state_store.ts";
import { createStderrSink } from "./line_sink.ts";
import { createLog } from "./log.ts";
import type { Mask } from "./mask.ts";

export interface Outputs {
  /** Writes to stderr and keeps events. */
  readonly log: Log;
  readonly logLevels: LogLevels;
  readonly eventLog: EventLog;
  /** Writes what is left. */
  close(): void;
}

interface OutputOptions {
  readonly config: Config;
  readonly clock: Clock;
  readonly mask: Mask;
  readonly state: StateStore;
}

export function createOutputs({ config, clock, mask, state }: OutputOptions): Outputs {
  const { level, format } = config.telemetry.log;
  const sink = createStderrSink();
  const stderr = createLog({
    level,
    format: format === "auto" ? (process.stderr.isTTY === true ? "pretty" : "json") : format,
    mask: mask.apply,
    now: () => clock.now(),
    sink: (line) => sink.write(line),
  });
  const eventLog = new EventLog(state, clock, mask.apply);
  return {
    log: eventLog.beside(stderr),
    logLevels: stderr,
    eventLog,
    close: () => sink.close(),
  };
}
