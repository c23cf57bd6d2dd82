/** Asks a backend now and then whether it is there, unless what it answers shows it (trust.md B1). */
import {
  asSentinelError,
  type BackendConfig,
  type BackendStatus,
  SentinelError,
} from "../../contract/mod.ts";
import type { Cancel } from "../../ports/clock.ts";
import type { Series } from "../../ports/telemetry.ts";
import type { Circuits } from "./circuits.ts";
import { DISCOVER } from "./dialect.ts";
import type { Link } from "./link.ts";
import type { BackendPorts } from "./ports.ts";

/** Part of the interval that is left to chance, to both sides. */
const JITTER = 0.1;

export interface HealthCheckOptions {
  readonly backend: string;
  readonly ports: Pick<BackendPorts, "clock" | "random" | "log" | "telemetry">;
  /** In force now. */
  readonly settings: () => BackendConfig["health"];
  readonly circuits: Circuits;
  /** The link does not answer pings: it is lost. */
  readonly unresponsive: (link: Link, error: SentinelError) => void;
}

export class HealthCheck {
  readonly #options: HealthCheckOptions;
  #last: BackendStatus["lastPing"];
  #link: Link | undefined;
  /** Messages the link had received at the last look. */
  #received = 0;
  /** Pings in a row that failed. */
  #failures = 0;
  #isSuspect = false;
  #cancel: Cancel = () => {};

  constructor(options: HealthCheckOptions) {
    this.#options = options;
    // A rate needs a zero to start from.
    this.#took("ok");
    this.#took("failed");
  }

  /** The newest ping; undefined before the first. */
  get last(): BackendStatus["lastPing"] {
    return this.#last;
  }

  /** Looks after this link from now on. */
  follow(link: Link): void {
    this.stop();
    this.#link = link;
    this.#failures = 0;
    this.#received = link.received;
    this.#schedule();
  }

  /** There is nothing to ask. */
  stop(): void {
    this.#cancel();
    this.#cancel = () => {};
    this.#link = undefined;
    this.#isSuspect = false;
  }

  /** Something beside the link shows that it may be of no use any more: it is asked at once. */
  suspect(): void {
    if (this.#link === undefined || this.#isSuspect) return;
    this.#isSuspect = true;
    this.#cancel();
    this.#cancel = this.#options.ports.clock.after(0, () => void this.#look());
  }

  /** An open circuit is probed as soon as it may be. */
  reschedule(): void {
    if (this.#link !== undefined && !this.#isSuspect) this.#schedule();
  }

  #schedule(): void {
    this.#cancel();
    const { ports: { clock, random }, settings, circuits } = this.#options;
    const { interval } = settings();
    const spread = 1 + JITTER * (2 * random.fraction() - 1);
    const delayMs = circuits.probeIn ?? Math.round(interval * spread);
    this.#cancel = clock.after(delayMs, () => void this.#look());
  }

  async #look(): Promise<void> {
    const link = this.#link;
    if (link === undefined) return;
    const isHeard = this.#isHeard(link) && !this.#isSuspect;
    this.#isSuspect = false;
    if (isHeard) this.#failures = 0;
    else await this.#ask(link);
    if (this.#link === link) this.#schedule();
  }

  /** What it answered shows that it is there; not while its circuit has to be proved closed. */
  #isHeard(link: Link): boolean {
    const heard = link.received !== this.#received;
    this.#received = link.received;
    return heard && this.#options.circuits.state === "closed";
  }

  async #ask(link: Link): Promise<void> {
    const { circuits } = this.#options;
    const entry = circuits.enterPing();
    if (entry === "refused") return;
    const error = await this.#ping(link);
    if (entry === "probe") circuits.pinged(error === undefined);
    // It was lost or replaced meanwhile.
    if (this.#link !== link) return;
    this.#received = link.received;
    this.#failures = error === undefined ? 0 : this.#failures + 1;
    if (error !== undefined && this.#failures >= this.#options.settings().unhealthy_after) {
      this.#giveUp(link, error);
    }
  }

  /** Any answer will do, also an error. */
  async #ping(link: Link): Promise<SentinelError | undefined> {
    const { ports: { clock }, settings } = this.#options;
    const method = link.era === "modern" ? DISCOVER : "ping";
    const at = new Date(clock.now()).toISOString();
    const { timeout: timeoutMs } = settings();
    const exchange = link.request({ method, params: {}, owner: "", timeoutMs });
    const error = await exchange.reply.then(() => undefined, asSentinelError);
    const ms = Math.round(exchange.tookMs * 1000) / 1000;
    this.#last = { at, ok: error === undefined, ms };
    this.#took(error === undefined ? "ok" : "failed").observe(ms / 1000);
    return error;
  }

  #took(result: "ok" | "failed"): Series {
    const { backend, ports: { telemetry } } = this.#options;
    const labels = { sentinel_backend: backend, result };
    return telemetry.series("sentinel_backend_health_check_duration_seconds", labels);
  }

  #giveUp(link: Link, { message, details }: SentinelError): void {
    const { backend, ports: { log }, unresponsive } = this.#options;
    const failures = this.#failures;
    const reason = details.reason ?? message;
    log.write("backend.unresponsive", { backend, failures, reason });
    this.stop();
    unresponsive(
      link,
      new SentinelError(
        "BACKEND_TIMEOUT",
        `Cannot reach backend "${backend}": ${failures} pings in a row failed`,
        { backend, executed: "unknown", reason },
      ),
    );
  }
}
