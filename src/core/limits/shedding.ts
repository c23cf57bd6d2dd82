/**
 * Refuses new requests while the process is short of time or memory, before they cost anything: what is under
 * way has to finish, and it does only when nothing more comes (trust.md B4).
 */
import type { Config } from "../../contract/mod.ts";
import type { Cancel, Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { Pressure } from "../../ports/pressure.ts";
import type { Telemetry } from "../../ports/telemetry.ts";

/** What there is too little of. */
export type Shortage = "lag" | "memory";

export interface SheddingPorts {
  readonly clock: Clock;
  readonly log: Log;
  readonly telemetry: Telemetry;
  /** Absent: nothing measures it, and no request is refused. */
  readonly pressure?: Pressure | undefined;
}

/** Between two looks at the pressure. */
const LOOK_MS = 250;
/** Below its limit for so long, it is relieved. */
const CALM_MS = 1000;
/** Between two pairs of events. */
const QUIET_MS = 10_000;
/** Shares of the memory limit from which requests are refused, and below which they are taken again. */
const MEMORY_OVER = 0.85;
const MEMORY_CALM = 0.8;
/** The same for the lag. */
const LAG_CALM = 0.8;

export class Shedding {
  /** Why new requests are refused; undefined while they are taken. One read on the path of each. */
  shortage: Shortage | undefined;
  readonly #ports: SheddingPorts;
  readonly #limits: () => Config["limits"];
  readonly #stop: Cancel;
  /** Monotonic times. */
  #since = 0;
  #calmSince: number | undefined;
  #announcedAt = -Infinity;
  #isAnnounced = false;

  /** @param limits in force now */
  constructor(ports: SheddingPorts, limits: () => Config["limits"]) {
    this.#ports = ports;
    this.#limits = limits;
    const { pressure, clock } = ports;
    // A rate needs a zero to start from.
    this.#count("lag", 0);
    this.#count("memory", 0);
    this.#stop = pressure === undefined
      ? () => {}
      : clock.every(LOOK_MS, () => this.#look(pressure));
  }

  /** Milliseconds since new requests are refused without a break; undefined while they are taken. */
  get lasting(): number | undefined {
    return this.shortage && this.#ports.clock.monotonic() - this.#since;
  }

  /** A request was refused for it. */
  shed(shortage: Shortage): void {
    this.#count(shortage, 1);
  }

  stop(): void {
    this.#stop();
    this.shortage = undefined;
  }

  #look(pressure: Pressure): void {
    const now = this.#ports.clock.monotonic();
    const over = this.#over(pressure, 1, MEMORY_OVER);
    if (over !== undefined) this.#worse(over, now);
    else if (this.shortage !== undefined) this.#better(pressure, now);
    if (this.shortage !== undefined) this.#announce(pressure, now);
  }

  #worse(over: Shortage, now: number): void {
    if (this.shortage === undefined) this.#since = now;
    this.shortage = over;
    this.#calmSince = undefined;
  }

  #better(pressure: Pressure, now: number): void {
    if (this.#over(pressure, LAG_CALM, MEMORY_CALM) !== undefined) {
      this.#calmSince = undefined;
      return;
    }
    this.#calmSince ??= now;
    if (now - this.#calmSince < CALM_MS) return;
    this.shortage = undefined;
    this.#calmSince = undefined;
    if (this.#isAnnounced) this.#ports.log.write("gateway.relieved");
    this.#isAnnounced = false;
  }

  #over({ lagMs, memoryBytes, memoryLimit }: Pressure, lag: number, memory: number) {
    const { max_lag, memory: configured } = this.#limits();
    if (lagMs >= max_lag * lag) return "lag";
    const limit = configured ?? memoryLimit;
    return limit !== undefined && memoryBytes >= limit * memory ? "memory" : undefined;
  }

  /** At most one pair of events in a while, however often it swings; one that lasts is told later. */
  #announce({ lagMs, memoryBytes }: Pressure, now: number): void {
    if (this.#isAnnounced || now - this.#announcedAt < QUIET_MS) return;
    this.#isAnnounced = true;
    this.#announcedAt = now;
    this.#ports.log.write("gateway.overloaded", {
      reason: this.shortage,
      lag_ms: Math.round(lagMs),
      memory_bytes: memoryBytes,
    });
  }

  #count(reason: Shortage, requests: number): void {
    this.#ports.telemetry.series("sentinel_requests_shed_total", { reason }).add(requests);
  }
}
