/** Reload: read, compare, prepare beside what runs, put in force at once, report. */
import {
  type ChangeEffect,
  type Config,
  type ConfigChange,
  SentinelError,
} from "../../contract/mod.ts";
import type { Diff } from "../../contract/manage/mod.ts";
import type { Clock } from "../../ports/clock.ts";
import type { ConfigProposal, ConfigSource } from "../../ports/config_source.ts";
import type { Log } from "../../ports/log.ts";
import type { Telemetry } from "../../ports/telemetry.ts";
import type { Backend } from "../backends/backend.ts";
import { type BackendPlan, planBackends } from "./backend_plan.ts";
import { settlesWithin } from "./deadline.ts";
import type { Done } from "./operations.ts";
import { createReloadCount, type ReloadResult } from "./reload_metrics.ts";
import type { Runtime } from "./runtime.ts";

/** How long the first handshakes of new backends are waited for before they are put in force anyway. */
const PREPARE_MS = 10_000;

export interface ReloaderOptions {
  readonly runtime: Runtime;
  readonly source: ConfigSource | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly telemetry: Telemetry;
  /** A configuration was put in force. */
  readonly onApplied: (config: Config) => void;
}

/** What is told about the configuration in force. */
export interface Loaded {
  readonly hash: string;
  /** ISO 8601. */
  readonly at: string;
  readonly by: string;
  readonly restartPending: readonly string[];
}

export class Reloader {
  readonly #options: ReloaderOptions;
  readonly #count: (result: ReloadResult) => void;
  #loaded: Loaded;

  constructor(options: ReloaderOptions) {
    this.#options = options;
    this.#count = createReloadCount(options.telemetry, options.clock);
    this.#loaded = {
      hash: options.source?.hash ?? "",
      at: this.#now(),
      by: "start",
      restartPending: [],
    };
  }

  get loaded(): Loaded {
    return this.#loaded;
  }

  /** What a reload would do. @throws SentinelError CONFIG_INVALID, OPERATION_DISABLED */
  async diff(): Promise<Diff> {
    const { runtime } = this.#options;
    const proposal = await this.#read();
    const { config, revision } = runtime.world;
    const plan = planBackends(config.backends, proposal.config.backends, proposal.changes);
    return {
      changes: proposal.changes,
      starts: plan.starts,
      stops: plan.stops,
      reconnects: plan.reconnects,
      sessions: orphans(runtime, proposal.config),
      warnings: proposal.warnings,
      hash: proposal.hash,
      revision,
    };
  }

  /** @throws SentinelError CONFIG_INVALID, OPERATION_DISABLED, STOPPING */
  async reload(by: string): Promise<Done<{ changes: readonly ConfigChange[]; hash: string }>> {
    const { log } = this.#options;
    const proposal = await this.#readLogged(by);
    const { changes, hash } = proposal;
    const pending = pathsOf(changes, "restart");
    for (const path of pending) {
      if (this.#loaded.restartPending.includes(path)) continue;
      log.write("config.needs_restart", { key: path });
    }
    if (pending.length === changes.length) {
      this.#loaded = { ...this.#loaded, hash, restartPending: pending };
      log.write("config.unchanged", { by });
      this.#count("unchanged");
      return { outcome: "unchanged", more: { changes, hash } };
    }
    const problems = await this.#apply(proposal);
    this.#loaded = { hash, at: this.#now(), by, restartPending: pending };
    log.write("config.reloaded", { by, hash, changes: changes.length, ...listed({ problems }) });
    this.#count("applied");
    return {
      outcome: problems.length === 0 ? "applied" : "partial",
      problems,
      more: { changes, hash },
    };
  }

  /** Starts what is new beside what runs, then swaps; returns what does not work. */
  async #apply(proposal: ConfigProposal): Promise<string[]> {
    const { runtime, onApplied } = this.#options;
    const { config, changes } = proposal;
    if (runtime.isStopping) throw stopping();
    proposal.adopt();
    const plan = planBackends(runtime.world.config.backends, config.backends, changes);
    const prepared = await this.#prepare(config, plan);
    if (runtime.isStopping) throw stopping();
    const { backends: running } = runtime.world;
    for (const name of plan.adjusts) running.get(name)?.adjust(ownConfig(config, name));
    const backends = new Map(
      Object.keys(config.backends).map((name) =>
        [name, (prepared.get(name) ?? running.get(name)) as Backend] as const
      ),
    );
    runtime.apply(config, backends);
    onApplied(config);
    return [...prepared.values()].filter((backend) => backend.config.enabled && !backend.up)
      .map((backend) => problemOf(backend));
  }

  async #prepare(config: Config, plan: BackendPlan): Promise<ReadonlyMap<string, Backend>> {
    const { runtime, clock } = this.#options;
    const prepared = [...plan.starts, ...plan.reconnects]
      .map((name) => runtime.prepare(name, ownConfig(config, name)));
    const decided = Promise.all(prepared.map((backend) => backend.settled()));
    if (prepared.length > 0) await settlesWithin(decided, PREPARE_MS, clock);
    return new Map(prepared.map((backend) => [backend.name, backend]));
  }

  async #readLogged(by: string): Promise<ConfigProposal> {
    try {
      return await this.#read();
    } catch (cause) {
      const error = cause instanceof SentinelError ? cause : undefined;
      this.#count("rejected");
      this.#options.log.write("config.rejected", {
        by,
        reason: error?.message ?? String(cause),
        ...listed({ issues: error?.details.more?.["issues"] }),
      });
      throw cause;
    }
  }

  async #read(): Promise<ConfigProposal> {
    const { source, runtime } = this.#options;
    if (runtime.isStopping) throw stopping();
    if (source !== undefined) {
      const proposal = await source.read(runtime.world.config);
      await runtime.interceptorsOf(proposal.config).ready;
      return proposal;
    }
    throw new SentinelError("OPERATION_DISABLED", "Cannot reload: there is no file to read", {
      reason: "the gateway was started without a configuration file",
    });
  }

  #now(): string {
    return new Date(this.#options.clock.now()).toISOString();
  }
}

export function stopping(): SentinelError {
  return new SentinelError("STOPPING", "Cannot take the operation: the gateway is stopping");
}

function ownConfig(config: Config, name: string) {
  const own = config.backends[name];
  if (own === undefined) throw new Error(`no backend "${name}" in the configuration`);
  return own;
}

function problemOf(backend: Backend): string {
  const { state, lastError } = backend.status(0);
  return `backend "${backend.name}" is ${state}${lastError === undefined ? "" : `: ${lastError}`}`;
}

function orphans(runtime: Runtime, next: Config): number {
  let count = 0;
  for (const { toolset } of runtime.sessions) {
    if (toolset !== undefined && !Object.hasOwn(next.toolsets, toolset)) count++;
  }
  return count;
}

function pathsOf(changes: readonly ConfigChange[], effect: ChangeEffect): string[] {
  return changes.filter((change) => change.effect === effect).map(({ path }) => path);
}

/** Without members that say nothing. */
function listed(members: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(members).filter(([, value]) =>
      value !== undefined && !(Array.isArray(value) && value.length === 0)
    ),
  );
}
