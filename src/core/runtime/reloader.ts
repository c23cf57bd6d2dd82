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
import { type Before, problemOf, type Trial, trialOf } from "./trial.ts";
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
  #trial: Trial | undefined;
  #takenBack: { readonly hash: string; readonly reason: string } | undefined;

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

  /** The newest reload, while it may still be taken back. */
  get trial(): Trial | undefined {
    return this.#trial;
  }

  /** Why what stands in the source is not in force, though it is valid. */
  get failure(): string | undefined {
    const { source } = this.#options;
    if (this.#takenBack === undefined) return undefined;
    const { hash, reason } = this.#takenBack;
    return `"${source?.name}" (${hash}) was taken back: ${reason}`;
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

  /**
   * @param settle decides about the reload before; true when it was taken back
   * @throws SentinelError CONFIG_INVALID, OPERATION_DISABLED, STOPPING
   */
  async reload(by: string, settle: () => Promise<boolean>): Promise<Done<Reloaded>> {
    const { log } = this.#options;
    let proposal = await this.#readLogged(by);
    if (isUnchanged(proposal)) return this.#unchanged(proposal, by);
    if (await settle()) {
      proposal = await this.#readLogged(by);
      if (isUnchanged(proposal)) return this.#unchanged(proposal, by);
    }
    const { changes, hash } = proposal;
    if (by === WATCH && this.#takenBack?.hash === hash) return this.#notAgain(proposal, by);
    const pending = this.#sayPending(changes);
    const problems = await this.#apply(proposal);
    this.#loaded = { hash, at: this.#now(), by, restartPending: pending };
    this.#takenBack = undefined;
    log.write("config.reloaded", { by, hash, changes: changes.length, ...listed({ problems }) });
    this.#count("applied");
    return {
      outcome: problems.length === 0 ? "applied" : "partial",
      problems,
      more: { changes, hash },
    };
  }

  /** The newest reload stays: what it replaced is let go. */
  keep(): void {
    const { runtime } = this.#options;
    for (const backend of this.#trial?.replaced ?? []) void runtime.leave(backend);
    this.#trial = undefined;
  }

  /** Puts in force what was before the newest reload; what it replaced has run on meanwhile. */
  rollBack(reason: string, by: string): Done<object> {
    const { runtime, log, onApplied } = this.#options;
    const trial = this.#trial;
    if (trial === undefined || runtime.isStopping) return { outcome: "unchanged", more: {} };
    const { config, backends, loaded } = trial.before;
    this.#trial = undefined;
    this.#takenBack = { hash: this.#loaded.hash, reason };
    this.#loaded = { ...loaded, at: this.#now(), by };
    for (const name of trial.adjusted) backends.get(name)?.adjust(ownConfig(config, name));
    for (const backend of runtime.apply(config, backends)) void runtime.leave(backend);
    for (const backend of trial.replaced) backend.resume();
    onApplied(config);
    log.write("config.rolled_back", { reason, hash: this.#takenBack.hash, to: loaded.hash });
    this.#count("rolled_back");
    return { outcome: "applied", more: {} };
  }

  #unchanged({ changes, hash }: ConfigProposal, by: string): Done<Reloaded> {
    const restartPending = this.#sayPending(changes);
    this.#loaded = { ...this.#loaded, hash, restartPending };
    this.#takenBack = undefined;
    this.#options.log.write("config.unchanged", { by });
    this.#count("unchanged");
    return { outcome: "unchanged", more: { changes, hash } };
  }

  /** The same file is tried again when somebody asks, not because it was looked at again. */
  #notAgain({ changes, hash }: ConfigProposal, by: string): Done<Reloaded> {
    const problems = this.failure === undefined ? [] : [this.failure];
    this.#options.log.write("config.unchanged", { by, ...listed({ problems }) });
    return { outcome: "unchanged", problems, more: { changes, hash } };
  }

  #sayPending(changes: readonly ConfigChange[]): readonly string[] {
    const pending = pathsOf(changes, "restart");
    for (const path of pending) {
      if (this.#loaded.restartPending.includes(path)) continue;
      this.#options.log.write("config.needs_restart", { key: path });
    }
    return pending;
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
    const before: Before = { ...runtime.world, loaded: this.#loaded };
    const makeTrial = trialOf(before, plan);
    for (const name of plan.adjusts) running.get(name)?.adjust(ownConfig(config, name));
    const backends = new Map(
      Object.keys(config.backends).map((name) =>
        [name, (prepared.get(name) ?? running.get(name)) as Backend] as const
      ),
    );
    this.#trial = makeTrial(runtime.apply(config, backends));
    onApplied(config);
    return [...prepared.values()].filter((backend) => backend.config.enabled && !backend.up)
      .map(problemOf);
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

/** As the actor of an operation. */
const WATCH = "file watch";

interface Reloaded {
  readonly changes: readonly ConfigChange[];
  readonly hash: string;
}

/** Nothing but what waits for the next start. */
function isUnchanged({ changes }: ConfigProposal): boolean {
  return changes.every(({ effect }) => effect === "restart");
}

export function stopping(): SentinelError {
  return new SentinelError("STOPPING", "Cannot take the operation: the gateway is stopping");
}

function ownConfig(config: Config, name: string) {
  const own = config.backends[name];
  if (own === undefined) throw new Error(`no backend "${name}" in the configuration`);
  return own;
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
