/** What operators see: read from the runtime when it is asked for. */
import type { AuditAccount } from "../../contract/audit.ts";
import type { Config, RuntimeState } from "../../contract/mod.ts";
import { SentinelError } from "../../contract/mod.ts";
import type { Readiness } from "../../contract/readiness.ts";
import type { Clock } from "../../ports/clock.ts";
import type { ConfigSource } from "../../ports/config_source.ts";
import type { Journal, JournalEntry } from "../../ports/journal.ts";
import type { Log, LogLevels } from "../../ports/log.ts";
import type { Telemetry } from "../../ports/telemetry.ts";
import type { SessionStore } from "../../ports/session_store.ts";
import type { StateStore } from "../../ports/state_store.ts";
import type { Audit } from "../audit/audit.ts";
import type { Session } from "../session/session.ts";
import type { CallFeed } from "./call_feed.ts";
import { Capabilities, definitionOf } from "./capabilities.ts";
import { CheckedJournal } from "./checked_journal.ts";
import type { Control } from "./control.ts";
import type { EventLog } from "./event_log.ts";
import { LogLevel } from "./log_level.ts";
import { Reloader } from "./reloader.ts";
import type { Runtime } from "./runtime.ts";
import type { Sharing } from "./sharing.ts";
import { backendStatus, findBackend, killSwitch, reasonsOf, sessionStatus } from "./view.ts";

export interface OperatorOptions {
  readonly runtime: Runtime;
  readonly feed: CallFeed;
  readonly clock: Clock;
  readonly log: Log;
  readonly telemetry: Telemetry;
  readonly logLevels: LogLevels;
  readonly state: StateStore;
  readonly journal: Journal;
  readonly eventLog: EventLog;
  /** Of sessions. */
  readonly store: SessionStore;
  readonly source: ConfigSource | undefined;
  /** Absent: nothing is recorded. */
  readonly audit: Audit | undefined;
  /** Absent: there are no replicas. */
  readonly sharing: Sharing | undefined;
  readonly readiness: () => Readiness;
  /** Asks the host to stop the gateway. */
  readonly stop: () => void;
}

export class Overview {
  readonly events: EventLog;
  protected readonly options: OperatorOptions;
  protected readonly journal: CheckedJournal;
  protected readonly reloader: Reloader;
  protected readonly level: LogLevel;
  readonly #runtime: Runtime;
  readonly #capabilities = new Capabilities();

  constructor(options: OperatorOptions) {
    const { runtime, clock, log, logLevels, journal, eventLog } = options;
    this.options = options;
    this.#runtime = runtime;
    this.events = eventLog;
    this.journal = new CheckedJournal(journal, (entry) => this.#record(entry));
    this.level = new LogLevel(logLevels, clock, log);
    const onApplied = ({ telemetry }: Config) => this.level.configure(telemetry.log.level);
    this.reloader = new Reloader({ ...options, onApplied });
  }

  get name(): string {
    return this.#runtime.world.config.server.name;
  }

  get state(): RuntimeState {
    const { state } = this.#runtime;
    return state === "ready" && this.#failures.some(([, why]) => why !== undefined)
      ? "degraded"
      : state;
  }

  get revision(): number {
    return this.#runtime.world.revision;
  }

  /** Of the configuration that was last applied; `""` without a source. */
  get configHash(): string {
    return this.reloader.loaded.hash;
  }

  /** Stores that may fail, and why they did. */
  get #failures(): readonly (readonly [string, string | undefined])[] {
    const audit = this.options.audit?.account();
    return [
      ["configuration", this.reloader.failure],
      ["state store", this.events.failure],
      ["journal", this.journal.failure],
      ["definition pins", this.#runtime.pins.failure],
      ["audit", audit?.error],
      ["session store", this.options.store.failure],
      ["shared store", this.options.sharing?.failure],
    ];
  }

  readiness(): Readiness {
    return this.options.readiness();
  }

  status(): ReturnType<Control["status"]> {
    const { clock, state, source } = this.options;
    const { world, sessions, parked, listens, startedAt, kills, traffic } = this.#runtime;
    const { tool, prompt, resource, template } = world.catalog.counts;
    const { hash, at, by, restartPending } = this.reloader.loaded;
    const { last, oldest, failure } = this.events;
    const { until } = this.level;
    return {
      name: this.name,
      state: this.state,
      reasons: reasonsOf(world, Object.fromEntries(this.#failures)),
      readiness: this.readiness(),
      revision: world.revision,
      startedAt: new Date(startedAt).toISOString(),
      uptimeSeconds: Math.floor((clock.now() - startedAt) / 1000),
      config: { source: source?.name ?? "", hash, loadedAt: at, loadedBy: by, restartPending },
      backends: { total: world.backends.size, states: countStates(this.#runtime) },
      catalog: {
        revision: world.catalog.revision,
        tools: tool,
        prompts: prompt,
        resources: resource,
        templates: template,
        refused: world.catalog.refused.length,
      },
      sessions: sessions.size,
      parked: parked.size,
      listens: listens.size,
      inFlight: this.#runtime.running.size,
      traffic: traffic.read(clock.monotonic()),
      killSwitches: kills.size,
      stores: [
        storeStatus("state", state.kind, failure),
        storeStatus("journal", "file", this.journal.failure),
        storeStatus("sessions", this.options.store.kind, this.options.store.failure),
        ...sharedStatus(this.options.sharing),
      ],
      audit: this.options.audit?.account() ?? NO_ACCOUNT,
      events: { oldest: String(oldest), last: String(last) },
      log: { level: this.level.level, ...(until === undefined ? {} : { until }) },
    };
  }

  backends(lines: number): ReturnType<Control["backends"]> {
    const { world } = this.#runtime;
    return [...world.backends.values()]
      .toSorted((a, b) => a.name < b.name ? -1 : 1)
      .map((backend) => backendStatus(backend, lines, world));
  }

  backend(name: string, lines: number): ReturnType<Control["backend"]> {
    const { world } = this.#runtime;
    return backendStatus(findBackend(world, name), lines, world);
  }

  backendLogs(name: string): ReturnType<Control["backendLogs"]> {
    return findBackend(this.#runtime.world, name).logs();
  }

  capabilities(): ReturnType<Control["capabilities"]> {
    return this.#capabilities.of(this.#runtime.world);
  }

  definition(kind: string, name: string): ReturnType<Control["definition"]> {
    const { text } = definitionOf(this.#runtime.world.catalog, kind, name);
    return JSON.parse(text) as Record<string, unknown>;
  }

  refused(): ReturnType<Control["refused"]> {
    return this.#runtime.world.catalog.refused;
  }

  *sessions(after: number): ReturnType<Control["sessions"]> & Generator {
    const now = this.options.clock.monotonic();
    for (const session of this.#runtime.sessions) {
      if (session.number <= after) continue;
      yield { ...sessionStatus(session, now), number: session.number };
    }
  }

  session(id: string): ReturnType<Control["session"]> {
    const session = this.findSession(id);
    const links = [...this.#runtime.world.backends.values()]
      .filter((backend) => backend.serves(session)).map(({ name }) => name);
    return {
      ...sessionStatus(session, this.options.clock.monotonic()),
      capabilities: Object.keys(session.capabilities).slice(0, 100),
      links,
    };
  }

  limits(after: number): ReturnType<Control["limits"]> {
    return this.#runtime.limits.list(after);
  }

  killSwitches(): ReturnType<Control["killSwitches"]> {
    const { kills, world } = this.#runtime;
    return kills.list().map((entry) => killSwitch(entry, world));
  }

  audit(): ReturnType<Control["audit"]> {
    const { audit } = this.options;
    const reader = audit?.reader;
    return audit === undefined || reader === undefined ? undefined : { reader, run: audit.run };
  }

  config(): ReturnType<Control["config"]> {
    const { source } = this.options;
    const { config } = this.#runtime.world;
    return {
      source: source?.name ?? "",
      hash: this.configHash,
      config: { ...source?.view(config) },
    };
  }

  diff(): ReturnType<Control["diff"]> {
    return this.reloader.diff();
  }

  onCall(take: Parameters<Control["onCall"]>[0]): ReturnType<Control["onCall"]> {
    return this.options.feed.watch(take);
  }

  /** What the journal has taken becomes a row of the audit. */
  #record(entry: JournalEntry): void {
    const { audit } = this.options;
    if (entry.kind === "operation.outcome") audit?.operation(entry.operation);
    else if (entry.kind === "refusal") audit?.refusal(entry);
  }

  /** @throws SentinelError NOT_FOUND */
  protected findSession(id: string): Session {
    for (const session of this.#runtime.sessions) if (session.ref === id) return session;
    throw new SentinelError("NOT_FOUND", `There is no session "${id.slice(0, 100)}"`);
  }
}

const NO_ACCOUNT: AuditAccount = {
  store: "off",
  written: 0,
  committed: 0,
  queued: 0,
  dropped: 0,
  open: 0,
  journalBytes: 0,
  journalMaxBytes: 0,
  ok: true,
};

function countStates({ world }: Runtime): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { state } of world.backends.values()) counts[state] = (counts[state] ?? 0) + 1;
  return counts;
}

function sharedStatus(sharing: Sharing | undefined) {
  return sharing === undefined ? [] : [storeStatus("shared", sharing.kind, sharing.failure)];
}

function storeStatus(name: string, kind: string, error: string | undefined) {
  return { name, kind, ok: error === undefined, ...(error === undefined ? {} : { error }) };
}
