/** One configured backend: its main link, the links of sessions, what it offers and how it is. */
import {
  type BackendConfig,
  type BackendKind,
  type BackendState,
  type BackendStatus,
  type SentinelError,
} from "../../contract/mod.ts";
import type { BackendCatalog } from "../catalog/types.ts";
import type { JsonObject } from "../mcp/json.ts";
import type { Caller } from "../session/caller.ts";
import type { Subscriber } from "../session/subscriber.ts";
import type { Session } from "../session/session.ts";
import type { BackendEvents } from "./backend_listener.ts";
import { CallGuard } from "./call_guard.ts";
import { ALL_CAPABILITIES } from "./declared.ts";
import type { Link, LinkReply } from "./link.ts";
import { LinkFactory } from "./link_factory.ts";
import { Offer } from "./offer.ts";
import { backendStatus, disabled, down, nothingDropped } from "./backend_status.ts";
import type { BackendPorts } from "./ports.ts";
import { createReport } from "./report.ts";
import { SideLinks } from "./side_links.ts";
import { StateLoss } from "./state_loss.ts";
import { RollingTraffic } from "../runtime/traffic.ts";
import { Supervisor, type SupervisorStatus } from "./supervisor.ts";
import { Upstream } from "./upstream.ts";
import { WireOpener } from "./wire_opener.ts";

/** A backend of the configuration, or what takes the place of a running one. */
export interface BackendInit {
  readonly name: string;
  readonly config: BackendConfig;
  /** Whose catalog, subscriptions and figures it goes on with. */
  readonly previous?: Backend | undefined;
}

export class Backend {
  readonly name: string;
  readonly traffic: RollingTraffic;
  readonly dropped = nothingDropped();
  /** What stands between calls and it. */
  readonly guard: CallGuard;
  readonly #ports: BackendPorts;
  readonly #events: BackendEvents;
  readonly #opener: WireOpener;
  readonly #links: LinkFactory;
  readonly #offer: Offer;
  readonly #supervisor: Supervisor<Link>;
  readonly #side: SideLinks;
  readonly #loss: StateLoss;
  readonly #upstream: Upstream;
  readonly #report: (status: SupervisorStatus) => void;
  #config: BackendConfig;
  #main: Link | undefined;
  /** Resolves when the attempt under way is decided; calls wait for it instead of failing at start. */
  #decided: Promise<void> = Promise.resolve();
  #decide: () => void = () => {};
  /** Who waits for the end of the attempt under way. */
  #settling: (() => void)[] = [];

  constructor(
    { name, config, previous }: BackendInit,
    ports: BackendPorts,
    events: BackendEvents,
  ) {
    this.name = name;
    this.#config = config;
    this.traffic = previous?.traffic ?? new RollingTraffic();
    this.#ports = ports;
    this.#events = events;
    this.guard = new CallGuard({
      backend: name,
      ports,
      config: () => this.#config,
      changed: () => events.changed(this),
      unresponsive: (link, error) => this.#lost(link, error),
    });
    this.#loss = new StateLoss(name, ports);
    this.#opener = new WireOpener(name, config, ports);
    this.#links = new LinkFactory({
      backend: name,
      opener: this.#opener,
      ports,
      dropped: this.dropped,
      notified: (method, params, owner) => this.#notified(method, params, owner),
      asked: (session, ask) => events.asked(session, ask),
    });
    this.#offer = new Offer({
      backend: name,
      overHttp: this.kind !== "stdio",
      changed: () => events.changed(this),
    }, ports);
    this.#offer.found = previous?.found ?? ports.memory?.found(name);
    this.#upstream = previous === undefined
      ? new Upstream(() => events.wantedLogLevel())
      : previous.#upstream;
    this.#side = new SideLinks({
      backend: name,
      config,
      ports,
      opener: this.#opener,
      upstream: this.#upstream,
      open: (opening) => this.#links.open(opening),
      main: () => this.#main,
      lost: () => this.guard.health.suspect(),
    });
    this.#supervisor = new Supervisor<Link>({
      connect: (signal, failed) => this.#connect(signal, failed),
      clock: ports.clock,
      random: ports.random,
      restart: config.restart,
      mayGiveUp: this.kind === "stdio",
      onChange: () => this.#stateChanged(),
    });
    this.#report = createReport({
      name,
      isReplacement: previous !== undefined,
      lastExit: () => this.#opener.lastExit,
    }, ports);
  }

  get config(): BackendConfig {
    return this.#config;
  }

  get kind(): BackendKind {
    return this.#opener.kind;
  }

  get state(): BackendState {
    if (!this.config.enabled) return "disabled";
    const state = this.#links.recall.state ?? this.#supervisor.status.state;
    return state === "ready" && this.#offer.isPartial ? "degraded" : state;
  }

  /** Takes over what needs no new connection. */
  adjust(config: BackendConfig): void {
    this.#config = config;
  }

  /** Calls it is answering. */
  get inFlight(): number {
    return (this.#main?.inFlight ?? 0) + this.#side.inFlight;
  }

  /** What it offered when it last answered, the core of another request maybe; kept while it is away. */
  get found(): BackendCatalog | undefined {
    return this.#ports.memory?.found(this.name) ?? this.#offer.found;
  }

  /** Whether calls can be sent. */
  get up(): boolean {
    return this.#links.recall.sleep === "found" || this.#side.leastBusy() !== undefined ||
      this.#main !== undefined;
  }

  start(): void {
    if (this.config.enabled && !this.#links.recall.sleeps()) this.#wake();
  }

  async stop(): Promise<void> {
    this.guard.health.stop();
    this.#offer.stop();
    this.#decide();
    this.#opener.stop();
    await Promise.all([this.#supervisor.stop(), this.#side.stop()]);
  }

  /** Ends the waiting after a failure and connects anew. */
  reconnect(): void {
    this.#supervisor.reconnect();
    this.#side.reconnect();
  }

  /** It takes its place again after it was replaced: learns what its clients came to want meanwhile. */
  resume(): void {
    // A link that is lost meanwhile is told when it is made anew.
    if (this.#main !== undefined) this.#upstream.replay(this.#main).catch(() => {});
  }

  /** Resolves when the connection attempt under way, if any, has succeeded or failed. */
  decided(): Promise<void> {
    return this.#decided;
  }

  /** Resolves when it is not starting: connected, failed or stopped. */
  settled(): Promise<void> {
    if (this.#supervisor.status.state !== "starting") return Promise.resolve();
    return new Promise((resolve) => this.#settling.push(resolve));
  }

  /**
   * The link for a caller's calls; a promise only when one has to be opened or the backend is starting.
   * @throws SentinelError BACKEND_DISABLED, CIRCUIT_OPEN or what the handshake fails with
   */
  link(caller: Caller): Link | Promise<Link> {
    if (this.#links.recall.sleep !== undefined) this.#wake();
    const least = this.#side.leastBusy();
    if (least !== undefined) return least;
    if (this.#main !== undefined) return this.#linkOf(caller);
    // Another link may live on while the main one is made again.
    const living = this.#side.living(caller);
    if (living !== undefined) return living;
    if (this.state === "starting") return this.#decided.then(() => this.#linkOf(caller));
    throw this.#down();
  }

  /** A call of a caller without a session has ended. */
  giveBack(caller: Caller): void {
    this.#side.release(caller);
  }

  release(session: Session): void {
    this.#upstream.release(session, this.#main);
    this.#side.release(session);
  }

  /** Undefined when the session has a legacy link of its own, which carries its subscriptions itself. */
  subscribe(uri: string, subscriber: Subscriber): Promise<LinkReply> | undefined {
    if (this.#main === undefined || this.#side.subscribes(subscriber, uri)) return undefined;
    return this.follow(uri, subscriber);
  }

  /** As `subscribe`, for whoever has no link of its own; while the backend is away it is only noted. */
  follow(uri: string, subscriber: Subscriber): Promise<LinkReply> {
    return this.#upstream.subscribe(uri, subscriber, this.#main);
  }

  /** Undefined as for `subscribe`. */
  unsubscribe(uri: string, subscriber: Subscriber): Promise<LinkReply> | undefined {
    if (this.#side.unsubscribes(subscriber, uri)) return undefined;
    return this.#upstream.unsubscribe(uri, subscriber, this.#main);
  }

  /** A client was asked to visit a URL; it is told when the backend says that this is done. */
  awaitCompletion(elicitationId: string, session: Session): void {
    this.#upstream.awaitCompletion(elicitationId, session);
  }

  /** Some session wants another log level. */
  logLevelChanged(): void {
    if (this.#main !== undefined) this.#upstream.applyLogLevel(this.#main);
    this.#side.applyLogLevel();
  }

  /** A request without a session wants log messages; a legacy backend is told before the call. */
  wantLogLevel(level: string, link: Link): void {
    this.#upstream.wantLogLevel(level, link);
  }

  /** A client's roots changed; only a link of its own can be told. */
  rootsChanged(session: Session): void {
    this.#side.own(session)?.notify("notifications/roots/list_changed");
  }

  /** Whether the session has a connection of its own. */
  serves(session: Session): boolean {
    return this.#side.own(session) !== undefined;
  }

  /** Last stderr lines, and how many there ever were. */
  logs(): { readonly lines: readonly string[]; readonly total: number } {
    return this.#opener.logs();
  }

  /** @param lines of stderr at most */
  status(lines: number): BackendStatus {
    const main = this.#main;
    return backendStatus({
      name: this.name,
      config: this.config,
      state: this.state,
      supervisor: this.#supervisor.status,
      opener: this.#opener,
      lines,
      found: this.found,
      protocol: main?.revision,
      era: main?.era,
      inFlight: this.inFlight,
      lost: this.#loss.lines,
      lastPing: this.guard.health.last,
      queued: this.guard.inFlight.queued,
      circuit: this.guard.circuits.status,
      links: (main === undefined ? 0 : 1) + this.#side.size,
      traffic: this.traffic.read(this.#ports.clock.monotonic()),
      dropped: this.dropped,
    });
  }

  async #connect(signal: AbortSignal, failed: () => void): Promise<Link> {
    const capabilities = this.#opener.attributes ? ALL_CAPABILITIES : {};
    // The link may be lost before `open` has given it to us.
    const opened: { link?: Link } = {};
    const closed = (error: SentinelError) => this.#lost(opened.link, error);
    const link = await this.#links.open({ capabilities, main: true, signal, failed, closed });
    opened.link = link;
    try {
      if (!this.#links.recall.knows(link.era)) {
        await this.#offer.read(link);
        this.#events.read(this);
      }
      this.#loss.connected(link, await this.#upstream.replay(link));
      this.#main = link;
      this.guard.connected(link, this.#supervisor.status.lastError !== undefined);
      this.#side.start();
      return link;
    } catch (cause) {
      await link.close();
      throw cause;
    }
  }

  #wake(): void {
    this.#links.recall.sleep = undefined;
    this.#pend();
    this.#supervisor.start();
  }

  #lost(link: Link | undefined, error: SentinelError): void {
    if (link === undefined || this.#main !== link) return;
    this.#main = undefined;
    this.guard.health.stop();
    this.#pend();
    this.#supervisor.lost(error);
  }

  #notified(method: string, params: JsonObject, owner: Session | undefined): void {
    if (method.endsWith("/list_changed")) return this.#offer.rereadSoon(() => this.#main);
    if (method === "notifications/resources/updated") {
      const uri = String(params["uri"]);
      return this.#events.updated(
        this,
        uri,
        owner === undefined ? this.#upstream.subscribers(uri) : [owner],
      );
    }
    if (method === "notifications/message") return this.#events.logged(this, params, owner);
    const session = owner ?? this.#upstream.completed(params["elicitationId"]);
    if (session === undefined) this.dropped.unattributed++;
    else this.#events.relayed(session, method, params);
  }

  #linkOf(caller: Caller): Link | Promise<Link> {
    if (this.#main === undefined) throw this.#down();
    return this.#side.of(caller, this.#main);
  }

  #pend(): void {
    this.#decide();
    this.#decided = new Promise((resolve) => this.#decide = resolve);
  }

  #stateChanged(): void {
    const { status } = this.#supervisor;
    if (status.state !== "starting") {
      this.#decide();
      for (const resolve of this.#settling.splice(0)) resolve();
    }
    this.#report(status);
    this.#events.changed(this);
  }

  #down(): SentinelError {
    if (!this.config.enabled) return disabled(this.name);
    return down(this.name, this.#supervisor.status, this.#ports.clock.now());
  }
}
