/** What stands between calls and one backend: circuits, health checks, the bound of what is under way, retries. */
import type { BackendConfig, SentinelError } from "../../contract/mod.ts";
import type { Call } from "../call/call.ts";
import { Circuits } from "./circuits.ts";
import { HealthCheck } from "./health_check.ts";
import { InFlight } from "./in_flight.ts";
import type { Link, LinkReply } from "./link.ts";
import type { BackendPorts } from "./ports.ts";
import { Retries } from "./retry.ts";

export interface CallGuardOptions {
  readonly backend: string;
  readonly ports: Pick<BackendPorts, "clock" | "random" | "log" | "telemetry">;
  /** In force now. */
  readonly config: () => BackendConfig;
  /** Something that operators see has changed. */
  readonly changed: () => void;
  /** The link does not answer pings: it is lost. */
  readonly unresponsive: (link: Link, error: SentinelError) => void;
}

export class CallGuard {
  readonly circuits: Circuits;
  readonly inFlight: InFlight;
  readonly retries: Retries;
  readonly health: HealthCheck;
  readonly clock: BackendPorts["clock"];

  constructor({ backend, ports, config, changed, unresponsive }: CallGuardOptions) {
    this.clock = ports.clock;
    this.inFlight = new InFlight({
      backend,
      clock: ports.clock,
      bounds: () => config().limits,
    });
    this.circuits = new Circuits({
      backend,
      ports,
      settings: () => config().health,
      changed: () => {
        this.health.reschedule();
        changed();
      },
      closed: () => this.inFlight.startSlowly(),
    });
    this.health = new HealthCheck({
      backend,
      ports,
      settings: () => config().health,
      circuits: this.circuits,
      unresponsive,
    });
    this.retries = new Retries({ backend, ports, settings: () => config().retry });
  }

  /** The backend has a new main link, perhaps after a failure. */
  connected(link: Link, hadFailed: boolean): void {
    this.health.follow(link);
    if (hadFailed) this.inFlight.startSlowly();
  }

  /**
   * Lets a call pass; a promise when it has to wait for its turn. Whoever calls it ends with `leave`.
   * @throws SentinelError CIRCUIT_OPEN, OVERLOADED (or rejects with it)
   */
  enter(call: Call): undefined | Promise<undefined> {
    this.circuits.enter(call);
    const turn = this.inFlight.take(call);
    if (turn === undefined || call.probe !== undefined) return turn;
    // Those before it may have shown that the backend is down.
    return turn.then(() => {
      this.circuits.enter(call);
      return undefined;
    });
  }

  /** The backend answered. */
  answered(call: Call, reply: LinkReply): void {
    const now = this.clock.monotonic();
    this.retries.count(now);
    this.circuits.answered(call, reply, now);
  }

  /** There is no answer, and nobody but the backend or the way to it is to blame. */
  failed(call: Call, error: SentinelError): void {
    const now = this.clock.monotonic();
    this.retries.count(now);
    this.circuits.failed(call, error, now);
  }

  /** The call needs the backend no more, for now or for good. Idempotent. */
  leave(call: Call): void {
    this.inFlight.release(call);
    if (call.probe !== undefined) this.circuits.leave(call);
  }
}
