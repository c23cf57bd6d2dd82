/** The calls a backend works on: so many at a time, the others wait in order, not for long. */
import { type BackendConfig, SentinelError } from "../../contract/mod.ts";
import { formatDuration } from "../../contract/units.ts";
import type { Cancel, Clock } from "../../ports/clock.ts";
import type { Call } from "../call/call.ts";

/** After a failure the bound grows from a tenth to all of it in this time. */
const RAMP_MS = 10_000;
const RAMP_FROM = 0.1;
/** While it grows, those that wait are looked at so often. */
const RAMP_LOOK_MS = 500;
/** How soon a refused call is worth another try. */
const RETRY_MS = 1000;

export interface InFlightOptions {
  readonly backend: string;
  readonly clock: Clock;
  /** In force now. */
  readonly bounds: () => Pick<BackendConfig["limits"], "in_flight" | "queue" | "queue_wait">;
}

interface Waiting {
  readonly call: Call;
  readonly resolve: (value: undefined) => void;
  readonly reject: (error: SentinelError) => void;
  readonly stopTimer: Cancel;
}

export class InFlight {
  readonly #options: InFlightOptions;
  readonly #queue = new Set<Waiting>();
  #taken = 0;
  /** Monotonic time at which the bound is whole again; 0: it is. */
  #rampEnds = 0;
  #stopLook: Cancel | undefined;

  constructor(options: InFlightOptions) {
    this.#options = options;
  }

  /** Calls it works on. */
  get size(): number {
    return this.#taken;
  }

  /** Calls that wait. */
  get queued(): number {
    return this.#queue.size;
  }

  /**
   * The call holds a place until it is released; a promise when it has to wait for one.
   * @throws SentinelError OVERLOADED (or rejects with it)
   */
  take(call: Call): undefined | Promise<undefined> {
    if (this.#taken < this.#bound() && this.#queue.size === 0) return this.#give(call);
    return this.#wait(call);
  }

  /** A call that gave its place back while a person was asked goes on, whatever the bound is. */
  retake(call: Call): void {
    if (!call.holdsPlace) this.#give(call);
  }

  /** Does nothing for a call that holds none. */
  release(call: Call): void {
    if (!call.holdsPlace) return;
    call.holdsPlace = false;
    this.#taken--;
    if (this.#queue.size > 0) this.#admit();
  }

  /** The backend is back after a failure: it gets its calls little by little. */
  startSlowly(): void {
    this.#rampEnds = this.#options.clock.monotonic() + RAMP_MS;
  }

  #give(call: Call): undefined {
    call.holdsPlace = true;
    this.#taken++;
    return undefined;
  }

  #bound(): number {
    const { in_flight } = this.#options.bounds();
    if (this.#rampEnds === 0) return in_flight;
    const left = this.#rampEnds - this.#options.clock.monotonic();
    if (left <= 0) {
      this.#rampEnds = 0;
      return in_flight;
    }
    const share = RAMP_FROM + (1 - RAMP_FROM) * (1 - left / RAMP_MS);
    return Math.max(1, Math.floor(in_flight * share));
  }

  #wait(call: Call): Promise<undefined> {
    const { clock, bounds, backend } = this.#options;
    const { queue, queue_wait, in_flight } = bounds();
    if (this.#queue.size >= queue) throw full(backend, `limits.queue = ${queue}`);
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const tooLate = () => {
      const wait = formatDuration(queue_wait);
      end(full(backend, `limits.in_flight = ${in_flight}, limits.queue_wait = ${wait}`));
    };
    // The time in the queue is part of the call's own.
    const leftMs = Math.max(0, call.deadline - clock.monotonic());
    const stopTimer = clock.after(Math.min(queue_wait, leftMs), tooLate);
    const waiting = { call, resolve, reject, stopTimer };
    const end = (error: SentinelError) => {
      if (!this.#leave(waiting)) return;
      reject(error);
    };
    this.#queue.add(waiting);
    call.onCancel(() => end(call.failure ?? full(backend, "the call was cancelled")));
    this.#look();
    return promise;
  }

  /** Lets in as many as there are places, the first who came first. */
  #admit(): void {
    for (const waiting of this.#queue) {
      if (this.#taken >= this.#bound()) return;
      this.#leave(waiting);
      this.#give(waiting.call);
      waiting.resolve(undefined);
    }
  }

  /** False when it had left already. */
  #leave(waiting: Waiting): boolean {
    waiting.stopTimer();
    waiting.call.onCancel(() => {});
    return this.#queue.delete(waiting);
  }

  /** A bound that grows lets calls in without one that ends. */
  #look(): void {
    if (this.#rampEnds === 0 || this.#stopLook !== undefined) return;
    this.#stopLook = this.#options.clock.after(RAMP_LOOK_MS, () => {
      this.#stopLook = undefined;
      this.#admit();
      if (this.#queue.size > 0) this.#look();
    });
  }
}

/** In band: the client's calls to other backends go on. */
function full(backend: string, bound: string): SentinelError {
  const message = `Cannot call backend "${backend}": it works on as many calls as it may`;
  return new SentinelError("OVERLOADED", message, {
    backend,
    reason: `backends.${backend}.${bound}`,
    retryAfterMs: RETRY_MS,
    executed: "no",
    http: 200,
  });
}
