/** The links of one backend beside its main one: further processes, and those that not everybody may use. */
import type { BackendConfig } from "../../contract/mod.ts";
import type { Caller } from "../session/caller.ts";
import { Session } from "../session/session.ts";
import { Instances, isShared } from "./instances.ts";
import type { Link } from "./link.ts";
import { linkChoice } from "./link_choice.ts";
import type { Opening } from "./link_factory.ts";
import { LinkPool, type PoolRequest } from "./link_pool.ts";
import { OwnSubscriptions } from "./own_subscriptions.ts";
import type { BackendPorts } from "./ports.ts";
import type { Upstream } from "./upstream.ts";
import type { WireOpener } from "./wire_opener.ts";

const SESSION_LOST = 404;

export interface SideLinksOptions {
  readonly backend: string;
  readonly config: BackendConfig;
  readonly ports: BackendPorts;
  readonly opener: WireOpener;
  readonly upstream: Upstream;
  readonly open: (opening: Opening) => Promise<Link>;
  readonly main: () => Link | undefined;
  /** The backend has forgotten the session of one of them. */
  readonly lost: () => void;
}

export class SideLinks {
  /** What sessions with a link of their own subscribed to over it. */
  readonly #subscriptions: OwnSubscriptions;
  readonly #options: SideLinksOptions;
  readonly #pool: LinkPool;
  readonly #instances: Instances;

  constructor(options: SideLinksOptions) {
    const { backend, config, ports, opener } = options;
    this.#options = options;
    this.#subscriptions = new OwnSubscriptions(backend);
    this.#pool = new LinkPool({
      clock: ports.clock,
      open: ({ capabilities, owner }, closed) =>
        this.#open({ capabilities, main: false, owner, closed }),
    });
    this.#instances = new Instances({
      backend,
      config,
      ports,
      open: (how) => this.#open({ ...how, capabilities: {}, main: false }),
    }, opener.kind === "stdio");
  }

  get size(): number {
    return this.#instances.open.length + this.#pool.size;
  }

  get inFlight(): number {
    return this.#instances.inFlight + this.#pool.inFlight;
  }

  /** Begins to connect those that serve everybody. */
  start(): void {
    this.#instances.start();
  }

  async stop(): Promise<void> {
    await Promise.all([this.#instances.stop(), this.#pool.close()]);
  }

  reconnect(): void {
    this.#instances.reconnect();
  }

  /** Where all links serve everybody, the one with the least to do. */
  leastBusy(): Link | undefined {
    return this.#instances.leastBusy(this.#options.main());
  }

  /** The caller's own, as long as it is open. */
  living(caller: Caller): Link | undefined {
    const request = this.#request(caller);
    return request && this.#pool.living(caller, request);
  }

  /** What a caller uses, which may be the main link; a promise when it has to be opened. */
  of(caller: Caller, main: Link): Link | Promise<Link> {
    const request = this.#request(caller);
    return request === undefined ? main : this.#pool.get(caller, request);
  }

  /** The link that belongs to this session alone. */
  own(session: object): Link | undefined {
    for (const { link, owner } of this.#pool.open()) if (owner === session) return link;
    return undefined;
  }

  /** Whether a session's subscription goes over a legacy link of its own, which is told again when it is new. */
  subscribes(subscriber: object, uri: string): boolean {
    if (!(subscriber instanceof Session) || this.own(subscriber)?.era !== "legacy") return false;
    this.#subscriptions.add(subscriber, uri);
    return true;
  }

  /** As `subscribes`. */
  unsubscribes(subscriber: object, uri: string): boolean {
    if (!(subscriber instanceof Session) || this.own(subscriber)?.era !== "legacy") return false;
    this.#subscriptions.delete(subscriber, uri);
    return true;
  }

  /** A session or a call of somebody without one has ended. */
  release(user: object): void {
    this.#pool.release(user);
    if (user instanceof Session) this.#subscriptions.release(user);
  }

  applyLogLevel(): void {
    const { upstream } = this.#options;
    for (const link of this.#instances.open) upstream.applyLogLevel(link);
    for (const { link } of this.#pool.open()) upstream.applyLogLevel(link);
  }

  async #open(opening: Opening): Promise<Link> {
    const { open, upstream, lost } = this.#options;
    const closed: Opening["closed"] = (error) => {
      opening.closed(error);
      if (error.details.more?.["status"] === SESSION_LOST) lost();
    };
    const link = await open({ ...opening, closed });
    upstream.applyLogLevel(link);
    if (opening.owner !== undefined) void this.#subscriptions.linked(opening.owner, link);
    return link;
  }

  /** Which link a caller uses: undefined for the main one. */
  #request(caller: Caller): PoolRequest | undefined {
    const { opener, config: { instances } } = this.#options;
    if (!opener.attributes || this.#servesAll) return undefined;
    return linkChoice(caller, { opener, pool: this.#pool, instances });
  }

  /** Each request says for whom it is: nothing about a caller is fixed in a handshake. */
  get #servesAll(): boolean {
    const { main, config } = this.#options;
    return main()?.era === "modern" && isShared(config.instances);
  }
}
