/** The WebSockets of one listener: one sweep looks after all of them. */
import type { Upgrade } from "../../core/mod.ts";
import type { Cancel, Clock } from "../../ports/clock.ts";
import { type Socket, WebSocketLink } from "./link.ts";

const LOOK_MS = 500;

export class WebSocketLinks {
  readonly #clock: Clock;
  readonly #open = new Set<WebSocketLink>();
  #endLooks: Cancel | undefined;
  readonly #whenNone: (() => void)[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A link that the core serves from now on; call `closed` when its connection has ended. */
  open(upgrade: Upgrade, socket: Socket): WebSocketLink {
    const link = new WebSocketLink(socket, upgrade);
    this.#open.add(link);
    this.#endLooks ??= this.#clock.every(LOOK_MS, () => this.#look());
    void upgrade.serve(link);
    return link;
  }

  closed(link: WebSocketLink): void {
    link.closed();
    this.#open.delete(link);
    if (this.#open.size > 0) return;
    this.#endLooks?.();
    this.#endLooks = undefined;
    for (const resolve of this.#whenNone.splice(0)) resolve();
  }

  /** Resolves when none is open. */
  none(): Promise<void> {
    if (this.#open.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenNone.push(resolve));
  }

  /** Cuts all of them. */
  abort(): void {
    for (const link of this.#open) link.terminate();
  }

  #look(): void {
    const now = this.#clock.monotonic();
    for (const link of this.#open) link.look(now);
  }
}
