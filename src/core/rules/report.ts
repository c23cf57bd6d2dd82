/** What interceptors and rules tell operators: metrics, and events that a flood of calls cannot multiply. */
import type { EventName } from "../../contract/events.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { Series, Telemetry } from "../../ports/telemetry.ts";
import type { Phase } from "./interceptor.ts";

/** Between two events of the same kind about the same rule or interceptor. */
const QUIET_MS = 1000;

export interface ReportPorts {
  readonly clock: Clock;
  readonly log: Log;
  readonly telemetry: Telemetry;
}

interface Told {
  readonly at: number;
  /** Since then without an event. */
  more: number;
}

export class Report {
  readonly #ports: ReportPorts;
  /** By event and name; names are those of the configuration, so there are few. */
  readonly #told = new Map<string, Told>();

  constructor(ports: ReportPorts) {
    this.#ports = ports;
  }

  duration(interceptor: string, phase: Phase): Series {
    const labels = { interceptor, phase };
    return this.#ports.telemetry.series("sentinel_interceptor_duration_seconds", labels);
  }

  matched(rule: string, action: string): void {
    this.matches({ rule, action }, 1);
  }

  matches(labels: { readonly rule: string; readonly action: string }, matches: number): void {
    this.#ports.telemetry.series("sentinel_rule_matches_total", labels).add(matches);
  }

  failures(interceptor: string, failures: number): void {
    this.#ports.telemetry.series("sentinel_interceptor_failures_total", { interceptor })
      .add(failures);
  }

  warned(rule: string, fields: Readonly<Record<string, unknown>>): void {
    this.#tell("rule.warned", rule, { rule, ...fields });
  }

  /** It failed, so what it looked at was refused. `name`: the interceptor, or the rule. */
  failed(interceptor: string, name: string, fields: Readonly<Record<string, unknown>>): void {
    this.failures(interceptor, 1);
    this.#tell("interceptor.failed", name, { interceptor, name, ...fields });
  }

  /** It blocked everything else for too long; what it said still holds. */
  slow(interceptor: string, phase: Phase, ms: number): void {
    const reason = `it held the gateway up for ${Math.round(ms)} ms; its verdict holds`;
    this.#tell("interceptor.failed", interceptor, {
      interceptor,
      name: interceptor,
      phase,
      reason,
    });
  }

  #tell(event: EventName, name: string, fields: Readonly<Record<string, unknown>>): void {
    const id = `${event} ${name}`;
    const now = this.#ports.clock.monotonic();
    const told = this.#told.get(id);
    if (told !== undefined && now - told.at < QUIET_MS) {
      told.more++;
      return;
    }
    const more = told === undefined || told.more === 0 ? {} : { more: told.more };
    this.#told.set(id, { at: now, more: 0 });
    this.#ports.log.write(event, { ...fields, ...more });
  }
}
