/** What the core before this one found out of a backend, where each request has a core of its own. */
import type { Era } from "../../contract/mod.ts";
import type { BackendPorts } from "./ports.ts";

/** A handshake that takes longer counts as failed for the cores that come next. */
const SLOW_MS = 2000;

export class Recall {
  /** It was tried lately, and this came of it: it is connected to when a call needs it. */
  sleep: "found" | "failed" | undefined;
  readonly #backend: string;
  readonly #ports: Pick<BackendPorts, "memory" | "clock">;

  constructor(backend: string, ports: Pick<BackendPorts, "memory" | "clock">) {
    this.#backend = backend;
    this.#ports = ports;
  }

  /** As operators see it; undefined while it is awake. */
  get state(): "ready" | "backoff" | undefined {
    if (this.sleep === undefined) return undefined;
    return this.sleep === "found" ? "ready" : "backoff";
  }

  /** Whether it need not be connected to before a call comes. */
  sleeps(): boolean {
    const { memory, clock } = this.#ports;
    const now = clock.monotonic();
    if (memory?.isFresh(this.#backend, now) === true) this.sleep = "found";
    else if (memory?.hasFailed(this.#backend, now) === true) this.sleep = "failed";
    return this.sleep !== undefined;
  }

  /** Whether what it offers, over a link of this era, was read a moment ago. */
  knows(era: Era): boolean {
    const { memory, clock } = this.#ports;
    memory?.reached(this.#backend);
    return memory?.isFresh(this.#backend, clock.monotonic()) === true &&
      memory.found(this.#backend)?.era === era;
  }

  /** Notes a failure for those that come next. @throws what `connect` throws */
  async noting<Link>(
    signal: AbortSignal | undefined,
    connect: () => Promise<Link>,
  ): Promise<Link> {
    const { memory, clock } = this.#ports;
    const startedAt = clock.monotonic();
    try {
      return await connect();
    } catch (cause) {
      const now = clock.monotonic();
      // A core that is stopped says nothing about its backends, unless it had waited for them.
      if (signal?.aborted !== true || now - startedAt >= SLOW_MS) {
        memory?.failed(this.#backend, now);
      }
      throw cause;
    }
  }
}
