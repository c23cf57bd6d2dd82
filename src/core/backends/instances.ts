/** `instances = N`: further processes of a backend beside its main one, each supervised by itself. */
import type { BackendConfig, SentinelError } from "../../contract/mod.ts";
import type { Link } from "./link.ts";
import type { BackendPorts } from "./ports.ts";
import { Supervisor } from "./supervisor.ts";

/** How one of them is connected; see `SupervisorOptions.connect`. */
export type OpenInstance = (how: {
  readonly signal: AbortSignal;
  readonly failed: () => void;
  readonly closed: (error: SentinelError) => void;
}) => Promise<Link>;

export interface InstancesOptions {
  readonly backend: string;
  readonly config: Pick<BackendConfig, "instances" | "restart">;
  readonly ports: Pick<BackendPorts, "clock" | "random" | "log">;
  readonly open: OpenInstance;
}

/** Whether the backend's links are everybody's. */
export function isShared(instances: BackendConfig["instances"]): boolean {
  return instances === "shared" || typeof instances === "number";
}

/** What the main process offers stands for all of them; one that is away costs nobody a call of another. */
export class Instances {
  readonly #all: readonly Instance[];

  /** @param wanted whether the backend has processes of its own at all */
  constructor(options: InstancesOptions, wanted: boolean) {
    const { instances } = options.config;
    const length = wanted && typeof instances === "number" ? instances - 1 : 0;
    this.#all = Array.from({ length }, (_, index) => new Instance(options, index + 2));
  }

  /** Begins to connect those that are not supervised yet. */
  start(): void {
    for (const { supervisor } of this.#all) supervisor.start();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#all.map(({ supervisor }) => supervisor.stop()));
  }

  reconnect(): void {
    for (const { supervisor } of this.#all) supervisor.reconnect();
  }

  /** Links that are open now. */
  get open(): readonly Link[] {
    return this.#all.flatMap(({ link }) => link === undefined ? [] : [link]);
  }

  get inFlight(): number {
    return this.open.reduce((sum, link) => sum + link.inFlight, 0);
  }

  /** The link for the next call: the main one or one of these. Undefined where there are none. */
  leastBusy(main: Link | undefined): Link | undefined {
    if (this.#all.length === 0) return undefined;
    let least = main;
    for (const { link } of this.#all) {
      if (link === undefined) continue;
      if (least === undefined || link.inFlight < least.inFlight) least = link;
    }
    return least;
  }
}

class Instance {
  readonly supervisor: Supervisor<Link>;
  link: Link | undefined;

  constructor({ backend, config, ports, open }: InstancesOptions, number: number) {
    const { clock, random, log } = ports;
    this.supervisor = new Supervisor<Link>({
      connect: (signal, failed) => this.#connect(open, signal, failed),
      clock,
      random,
      restart: config.restart,
      mayGiveUp: true,
      onChange: () => {
        const { state, lastError } = this.supervisor.status;
        if (state !== "fatal") return;
        const reason = `instance ${number} failed too often: ${
          lastError?.details.reason ?? lastError?.message
        }`;
        log.write("backend.degraded", { backend, reason });
      },
    });
  }

  async #connect(open: OpenInstance, signal: AbortSignal, failed: () => void): Promise<Link> {
    // The link may be lost before `open` has given it to us.
    const opened: { link?: Link; lost?: SentinelError } = {};
    const closed = (error: SentinelError) => {
      opened.lost = error;
      if (opened.link === undefined || this.link !== opened.link) return;
      this.link = undefined;
      this.supervisor.lost(error);
    };
    const link = await open({ signal, failed, closed });
    if (opened.lost !== undefined) throw opened.lost;
    this.link = opened.link = link;
    return link;
  }
}
