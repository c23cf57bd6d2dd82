/** Owns backends, catalog, sessions and the world; the only writer of state. */
import type { BackendConfig, Config, RuntimeState } from "../../contract/mod.ts";
import type { SchemaCompiler } from "../../ports/schema_compiler.ts";
import type { SessionStore } from "../../ports/session_store.ts";
import type { StateStore } from "../../ports/state_store.ts";
import type { Recorder } from "../audit/recorder.ts";
import { Backend } from "../backends/backend.ts";
import type { BackendEvents } from "../backends/backend_listener.ts";
import type { BackendPorts } from "../backends/ports.ts";
import { RunningCalls } from "../call/running.ts";
import { definitionOf, type HeldEntry } from "../catalog/entry.ts";
import { type Approval, type PinPorts, Pins } from "../catalog/pins.ts";
import type { Catalog, View } from "../catalog/types.ts";
import { Validators } from "../catalog/validators.ts";
import { Limits, type LimitsPorts } from "../limits/limits.ts";
import { notifyListChanges } from "../session/list_changes.ts";
import { type InterceptorPorts, Interceptors } from "../rules/interceptors.ts";
import { Sessions } from "../session/registry.ts";
import { Bridge } from "../bridge/bridge.ts";
import { ListenHub } from "../bridge/listen_hub.ts";
import { ParkedCalls } from "../bridge/parked_calls.ts";
import type { Caller } from "../session/caller.ts";
import { ModernClients } from "../session/modern_clients.ts";
import type { Session } from "../session/session.ts";
import { createBackendEvents } from "./backend_events.ts";
import { CatalogChanges } from "./catalog_changes.ts";
import { CatalogMaker, reportCatalog } from "./catalog_maker.ts";
import { settlesWithin } from "./deadline.ts";
import { createSessionEvents } from "./session_events.ts";
import { KillSwitches } from "./kill_switches.ts";
import { Revocation } from "./revocation.ts";
import { RollingTraffic } from "./traffic.ts";
import type { World } from "./world.ts";

/** How long lists wait for first handshakes after the start (design.md 6). */
const START_MS = 2000;
/** The same for a core that serves one request: nobody could be told later of what comes then. */
const START_ALONE_MS = 5000;
/** Between two looks at whether a backend that leaves still answers calls. */
const LEAVE_LOOK_MS = 20;

export interface RuntimePorts extends BackendPorts, LimitsPorts, PinPorts, InterceptorPorts {
  readonly state: StateStore;
  /** Of sessions. */
  readonly store: SessionStore;
  readonly instance: string;
  readonly schemas: SchemaCompiler;
  readonly recorder: Recorder;
}

type Backends = ReadonlyMap<string, Backend>;

export class Runtime {
  readonly sessions: Sessions;
  /** Clients without sessions. */
  readonly clients: ModernClients;
  readonly parked: ParkedCalls;
  readonly listens: ListenHub;
  readonly kills: KillSwitches;
  readonly limits: Limits;
  readonly pins: Pins;
  /** Calls that are not answered yet. */
  readonly running = new RunningCalls();
  /** Calls of the whole gateway. */
  readonly traffic = new RollingTraffic();
  /** Wall time, milliseconds since 1970. */
  readonly startedAt: number;
  readonly #ports: RuntimePorts;
  readonly #events: BackendEvents;
  readonly #catalogChanges: CatalogChanges;
  readonly #interceptors = new WeakMap<Config, Interceptors>();
  readonly #maker: CatalogMaker;
  readonly #revocation: Revocation;
  /** Backends beside the world: not in it yet, or leaving it. */
  readonly #apart = new Set<Backend>();
  #world: World;
  #state: RuntimeState = "starting";
  #starting: Promise<void> | undefined;
  /** What the backends offered at the last merge, in their order. */
  #merged: readonly unknown[] = [];

  constructor(config: Config, ports: RuntimePorts) {
    this.#ports = ports;
    // First: it may refuse, and nothing has to be taken back then.
    const interceptors = this.interceptorsOf(config);
    this.startedAt = ports.clock.now();
    this.kills = new KillSwitches(ports.state);
    this.kills.configure(config.kill, this.#now());
    this.limits = new Limits(config.limits, ports);
    this.pins = new Pins(ports);
    this.#maker = new CatalogMaker(this.pins, ports);
    this.#events = createBackendEvents({
      sessions: () => this.sessions,
      world: () => this.#world,
      view: (caller) => this.view(caller),
      changed: () => this.#changed(),
      isStarting: () => this.#starting !== undefined,
    });
    this.#catalogChanges = new CatalogChanges(ports.telemetry);
    const backends = new Map(
      Object.entries(config.backends).map((
        [name, own],
      ) => [name, new Backend({ name, config: own }, ports, this.#events)]),
    );
    const catalog = this.#maker.make(config, backends.values());
    this.#world = {
      revision: 1,
      config,
      catalog,
      backends,
      kills: this.kills,
      limits: this.limits,
      pins: this.pins,
      interceptors,
      bridge: new Bridge(ports),
      recorder: ports.recorder,
      validators: new Validators(ports),
    };
    const bounds = () => this.#world.config.bridge;
    this.clients = new ModernClients(ports.clock);
    this.parked = new ParkedCalls({ ...ports, bounds });
    this.listens = new ListenHub({
      ...ports,
      bounds,
      world: () => this.#world,
      starting: () => this.#starting,
    });
    this.sessions = new Sessions({
      ...ports,
      // The answer would come to another core.
      isMute: ports.memory !== undefined,
      ...createSessionEvents({
        log: ports.log,
        world: () => this.#world,
        view: (caller) => this.view(caller),
        starting: () => this.#starting,
        closed: (session) => this.#closed(session),
      }),
    });
    this.#revocation = new Revocation({ ...ports, sessions: () => this.sessions });
  }

  get world(): World {
    return this.#world;
  }

  get state(): RuntimeState {
    return this.#state;
  }

  get isStopping(): boolean {
    return this.#state === "stopping" || this.#state === "stopped";
  }

  /** Resolves when first handshakes are decided, at most 2 s after the start; undefined afterwards. */
  get starting(): Promise<void> | undefined {
    return this.#starting;
  }

  /** Starts all backends at once; none delays another or the start. */
  start(): void {
    const enabled = this.#enabled();
    const { promise, resolve } = Promise.withResolvers<void>();
    // First: what backends report while they are started is judged by it.
    this.#starting = promise;
    for (const backend of enabled) backend.start();
    void this.#firstHandshakes(enabled).then(resolve);
  }

  async #firstHandshakes(backends: readonly Backend[]): Promise<void> {
    const decided = Promise.all(backends.map((backend) => backend.decided()));
    const { clock, memory } = this.#ports;
    await settlesWithin(decided, memory === undefined ? START_MS : START_ALONE_MS, clock);
    this.#starting = undefined;
    this.#changed();
  }

  /** A stop was asked for: calls may still finish, nothing else changes any more. Idempotent. */
  beginStop(): void {
    if (this.isStopping) return;
    this.#state = "stopping";
    this.changed();
    this.#ports.log.write("gateway.stopping");
  }

  /** Listens and parked calls end: a drain would wait for people. Idempotent. */
  endWaiting(): void {
    this.listens.close();
    this.parked.close();
  }

  /** Ends sessions, then backends. Idempotent. */
  async stop(): Promise<void> {
    this.beginStop();
    this.endWaiting();
    if (this.#state === "stopped") return;
    this.#revocation.stop();
    this.sessions.close("the gateway is stopping");
    const all = [...this.#world.backends.values(), ...this.#apart];
    await Promise.all(all.map((backend) => backend.stop()));
    this.#state = "stopped";
    this.#ports.log.write("gateway.stopped");
  }

  /** What a caller sees. A session whose toolset goes is closed, so it always has a view. */
  view({ toolset, principal }: Pick<Caller, "toolset" | "principal">): View {
    return this.#world.catalog.view(toolset, principal) as View;
  }

  rootsChanged(session: Session): void {
    for (const backend of [...this.#world.backends.values(), ...this.#apart]) {
      backend.rootsChanged(session);
    }
  }

  /** Something that operators see has changed. */
  changed(): void {
    this.#world = { ...this.#world, revision: this.#world.revision + 1 };
  }

  /**
   * What is held goes on as it is offered now.
   * @throws SentinelError AUDIT_UNAVAILABLE when that could not be kept over a restart
   */
  approve({ target }: HeldEntry, approval: Approval): void {
    this.pins.approve(target, definitionOf(target), approval);
    this.#remerge();
  }

  /** Now and then: forgets what nobody needs, tries again what failed. */
  sweep(): void {
    this.limits.sweep();
    this.clients.sweep();
    if (this.pins.failure !== undefined) this.#remerge();
  }

  /** A backend that is not in the world yet, started beside the one it may replace. */
  prepare(name: string, config: BackendConfig): Backend {
    const previous = this.#world.backends.get(name);
    const backend = new Backend({ name, config, previous }, this.#ports, this.#events);
    this.#apart.add(backend);
    backend.start();
    return backend;
  }

  /**
   * Those of a configuration, made once for each.
   * @throws SentinelError CONFIG_INVALID when the configuration names one there is not
   */
  interceptorsOf(config: Config): Interceptors {
    const known = this.#interceptors.get(config) ?? new Interceptors(config, this.#ports);
    this.#interceptors.set(config, known);
    return known;
  }

  /**
   * Puts a configuration and its backends in force, for all calls that start from now on.
   * @returns backends that have lost their place; they run until somebody lets them `leave`
   */
  apply(config: Config, backends: Backends): readonly Backend[] {
    const before = this.#world;
    this.kills.configure(config.kill, this.#now());
    this.limits.configure(config.limits);
    before.recorder.configure(config.audit);
    const catalog = this.#maker.make(config, backends.values(), before.catalog);
    const revision = before.revision + 1;
    const interceptors = this.interceptorsOf(config);
    this.#world = { ...before, revision, config, catalog, backends, interceptors };
    this.#merged = [];
    for (const backend of backends.values()) this.#apart.delete(backend);
    const replaced = [...before.backends.values()]
      .filter((backend) => backends.get(backend.name) !== backend);
    for (const backend of replaced) this.#apart.add(backend);
    this.listens.reloaded(before.config);
    this.#revocation.reloaded(before.config, this.#world);
    this.#state = this.#stateOf();
    this.#announce(catalog, before.catalog);
    return replaced;
  }

  /** Stops a backend once its calls are answered, at the latest after the time a drain may take. */
  async leave(backend: Backend): Promise<void> {
    this.#apart.add(backend);
    const { clock } = this.#ports;
    const deadline = clock.monotonic() + this.#world.config.server.drain_timeout;
    do {
      await new Promise<void>((resolve) => clock.after(LEAVE_LOOK_MS, resolve));
    } while (backend.inFlight > 0 && clock.monotonic() < deadline && !this.isStopping);
    await backend.stop();
    this.#apart.delete(backend);
  }

  #enabled(): Backend[] {
    return [...this.#world.backends.values()].filter((backend) => backend.config.enabled);
  }

  #changed(): void {
    if (this.isStopping) return;
    const before = this.#world;
    const catalog = this.#needsMerge()
      ? this.#maker.make(before.config, before.backends.values(), before.catalog)
      : before.catalog;
    this.#state = this.#stateOf();
    this.#world = { ...before, revision: before.revision + 1, catalog };
    this.#announce(catalog, before.catalog);
  }

  #remerge(): void {
    this.#merged = [];
    this.#changed();
  }

  /**
   * A merge costs with all backends, a change of state concerns one: only what they offer counts, and during
   * the start, when nobody is shown a list yet, one merge at its end serves all.
   */
  #needsMerge(): boolean {
    if (this.#starting !== undefined) return false;
    const offers = [...this.#world.backends.values()].map(({ found }) => found);
    const changed = offers.some((found, index) => found !== this.#merged[index]);
    this.#merged = offers;
    return changed;
  }

  #announce(catalog: Catalog, previous: Catalog): void {
    if (catalog.revision === previous.revision) return;
    this.#catalogChanges.look(catalog);
    reportCatalog(this.#ports.log, catalog, previous);
    for (const session of this.sessions) notifyListChanges(session, this.view(session));
    this.listens.announce();
  }

  #stateOf(): RuntimeState {
    const enabled = this.#enabled();
    const up = enabled.filter((backend) => backend.up).length;
    if (up === enabled.length) return "ready";
    if (this.#starting !== undefined) return "starting";
    return up === 0 ? "failed" : "degraded";
  }

  #closed(session: Session): void {
    for (const backend of [...this.#world.backends.values(), ...this.#apart]) {
      backend.release(session);
    }
    this.#ports.log.write("session.closed", { transport: session.front });
  }

  #now(): string {
    return new Date(this.#ports.clock.now()).toISOString();
  }
}
