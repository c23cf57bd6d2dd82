/** Follows the event stream of a gateway and waits for what is to happen. */
import type { RouteAnswer } from "../../src/client/mod.ts";
import type { ManagedGateway } from "./managed_gateway.ts";

type GatewayEvent = RouteAnswer<"eventStream">;

/** Far above what any awaited event takes; a wait that ends here has failed. */
const LIMIT_MS = 60_000;

export class EventTail {
  readonly #events: GatewayEvent[] = [];
  readonly #end = new AbortController();
  #look = () => {};
  #failure: Error | undefined;

  /** Begins with what happens after the newest event there is. */
  static async open(gateway: ManagedGateway): Promise<EventTail> {
    const { events } = await gateway.client().request("status");
    const tail = new EventTail();
    void tail.#follow(gateway, events.last);
    return tail;
  }

  /** How many have come; a place to wait from. */
  get mark(): number {
    return this.#events.length;
  }

  since(mark: number): readonly GatewayEvent[] {
    return this.#events.slice(mark);
  }

  /**
   * The first event after `mark` that fits.
   * @throws Error when none comes
   */
  async wait(mark: number, fits: (event: GatewayEvent) => boolean): Promise<GatewayEvent> {
    const { promise: late, resolve: giveUp } = Promise.withResolvers<void>();
    const timer = setTimeout(giveUp, LIMIT_MS);
    let isLate = false;
    void late.then(() => isLate = true);
    try {
      for (;;) {
        const found = this.since(mark).find(fits);
        if (found !== undefined) return found;
        if (this.#failure !== undefined) throw this.#failure;
        if (isLate) throw new Error(`Not seen: ${fits}\n${JSON.stringify(this.since(mark))}`);
        await Promise.race([late, new Promise<void>((resolve) => this.#look = resolve)]);
      }
    } finally {
      clearTimeout(timer);
    }
  }

  close(): void {
    this.#end.abort();
  }

  async #follow(gateway: ManagedGateway, from: string): Promise<void> {
    const { signal } = this.#end;
    try {
      for await (const entry of gateway.client().follow("eventStream", { from, signal })) {
        if (entry.kind === "gap") {
          throw new Error(`The event stream has a gap after ${entry.after}`);
        }
        this.#events.push(entry.data);
        this.#look();
      }
    } catch (cause) {
      this.#failure = new Error(`The event stream ended: ${String(cause)}`, { cause });
      this.#look();
    }
  }
}
