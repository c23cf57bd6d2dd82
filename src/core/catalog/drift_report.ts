/** Says once what each changed definition is, within a bound. */
import type { Reaction } from "../../contract/definitions.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { Telemetry } from "../../ports/telemetry.ts";
import type { DefinitionDiff } from "./definition_diff.ts";
import type { PinKey } from "./pin_book.ts";

/** Changed definitions told one by one after one reading of a backend; the rest is counted. */
const MAX_TOLD = 50;

export interface Drift extends DefinitionDiff {
  readonly reaction: Reaction;
  /** SHA-256 now and before. */
  readonly hash: string;
  readonly before: string;
}

interface Told {
  readonly hash: string;
  readonly reaction: Reaction;
  readonly since: string;
}

interface ReportPorts {
  readonly clock: Clock;
  readonly log: Log;
  readonly telemetry: Telemetry;
}

export class DriftReport {
  readonly #ports: ReportPorts;
  readonly #told = new Map<string, Told>();
  #count = 0;

  constructor(ports: ReportPorts) {
    this.#ports = ports;
  }

  /** A definition is the one that is remembered. */
  same(key: PinKey): void {
    if (this.#told.size > 0) this.#told.delete(textOf(key));
  }

  /** A definition is another one; gives when that was noticed first. */
  changed(key: PinKey, drift: Drift): string {
    const text = textOf(key);
    const { reaction, hash } = drift;
    const told = this.#told.get(text);
    if (told?.hash === hash && told.reaction === reaction) return told.since;
    const since = told?.hash === hash
      ? told.since
      : new Date(this.#ports.clock.now()).toISOString();
    this.#told.set(text, { hash, reaction, since });
    this.#tell(key, drift);
    return since;
  }

  /** Everything a backend offers was looked at. */
  flush(backend: string): void {
    const more = this.#count - MAX_TOLD;
    this.#count = 0;
    if (more > 0) this.#ports.log.write("definition.changed", { backend, more });
  }

  #tell({ backend, kind, original }: PinKey, drift: Drift): void {
    const { log, telemetry } = this.#ports;
    const { reaction, hash, before, changes, more } = drift;
    telemetry.series("sentinel_tool_drift_total", { sentinel_backend: backend, reaction }).add(1);
    if (reaction === "allow" || ++this.#count > MAX_TOLD) return;
    const fields = { backend, kind, name: original, hash };
    log.write("definition.changed", {
      ...fields,
      before,
      reaction,
      changes,
      ...(more === 0 ? {} : { more }),
    });
    if (reaction === "hold") log.write("definition.held", fields);
  }
}

function textOf({ backend, kind, original }: PinKey): string {
  return `${backend}/${kind}/${original}`;
}
