/**
 * Keeps one connection to a backend alive: restarts with exponential backoff and full jitter, and gives
 * up in a state instead of looping (trust.md B2).
 */
import { asSentinelError, type BackendState, type SentinelError } from "../../contract/mod.ts";
import type { Cancel, Clock } from "../../ports/clock.ts";
import type { Random } from "../../ports/random.ts";

/** More failures than this within the window are `fatal`. */
const MAX_FAILURES = 5;
const WINDOW_MS = 60_000;

/** States a supervisor can be in. */
export type SupervisorState = Extract<
  BackendState,
  "starting" | "ready" | "backoff" | "fatal" | "stopping" | "stopped"
>;

export interface SupervisorStatus {
  readonly state: SupervisorState;
  /** Wall time since when it is in this state, milliseconds since 1970. */
  readonly since: number;
  /** The last failure; kept while ready. */
  readonly lastError: SentinelError | undefined;
  /** Wall time of the next attempt, while in `backoff`. */
  readonly nextRetryAt: number | undefined;
  /** Attempts after the first. */
  readonly restarts: number;
  /** An operator asked for the last attempt. */
  readonly manual: boolean;
}

/** What is kept alive. `close` never rejects, and resolves when nothing of it is left. */
export interface Connection {
  close(): Promise<void>;
}

export interface SupervisorOptions<T extends Connection> {
  /**
   * Makes a connection, handshake included; has its own deadline. The signal is aborted by `stop`: the
   * attempt should reject soon, because `stop` waits for it. It calls `failed` for each start that failed
   * before the one that decides.
   */
  readonly connect: (signal: AbortSignal, failed: () => void) => Promise<T>;
  readonly clock: Clock;
  readonly random: Random;
  /** Milliseconds, as `restart` in the configuration. */
  readonly restart: { readonly base: number; readonly max: number; readonly reset_after: number };
  /** Whether frequent failures end in `fatal`; else the retries go on for ever. */
  readonly mayGiveUp: boolean;
  /** The status changed. */
  readonly onChange: () => void;
}

interface Attempt {
  readonly controller: AbortController;
  /** False while the connection before it is still being closed. */
  connecting: boolean;
  /** Why it failed, or lost its connection before it could be reported. */
  error: SentinelError | undefined;
}

export class Supervisor<T extends Connection> {
  readonly #options: SupervisorOptions<T>;
  #status: SupervisorStatus;
  #connection: T | undefined;
  #readyAt = 0;
  #attempt: Attempt | undefined;
  #cancelRetry: Cancel = () => {};
  /** Monotonic times of failures within the window. */
  #failures: number[] = [];
  /** No restart since start, reconnect or a long healthy run: the next one is immediate. */
  #fresh = true;
  #doublings = 0;
  /** Resolves when the attempt under way is over. Never rejects. */
  #trying: Promise<void> = Promise.resolve();
  /** Resolves when the connection before is closed: never two at once. */
  #released: Promise<void> = Promise.resolve();
  #stopping: Promise<void> | undefined;

  constructor(options: SupervisorOptions<T>) {
    this.#options = options;
    this.#status = {
      state: "stopped",
      since: options.clock.now(),
      lastError: undefined,
      nextRetryAt: undefined,
      restarts: 0,
      manual: false,
    };
  }

  get status(): SupervisorStatus {
    return this.#status;
  }

  /** Begins the first attempt; without effect unless stopped. */
  start(): void {
    if (this.#status.state !== "stopped") return;
    this.#reset();
    this.#begin({ restarts: 0 });
  }

  /** Closes the connection or the attempt under way. Resolves when nothing is left of either. */
  stop(): Promise<void> {
    if (this.#status.state === "stopped") return Promise.resolve();
    return this.#stopping ??= this.#stop();
  }

  /** Connects anew, whatever failed before; a running connection is closed first. */
  reconnect(): void {
    const { state } = this.#status;
    if (state === "stopping" || state === "stopped") return;
    this.#reset();
    if (state === "starting") return;
    this.#release();
    this.#restart({ manual: true });
  }

  /** The connection is gone. Without effect when there is none. */
  lost(error: SentinelError): void {
    if (this.#attempt?.connecting === true) {
      this.#attempt.error ??= error;
      return;
    }
    if (this.#connection === undefined) return;
    const { clock, restart } = this.#options;
    if (clock.monotonic() - this.#readyAt >= restart.reset_after) this.#reset();
    this.#release();
    this.#failed(error, this.#fresh);
  }

  async #stop(): Promise<void> {
    this.#cancelRetry();
    this.#attempt?.controller.abort();
    this.#attempt = undefined;
    this.#release();
    this.#set({ state: "stopping" });
    await this.#trying;
    await this.#released;
    this.#stopping = undefined;
    this.#set({ state: "stopped" });
  }

  #restart(change: { readonly manual: boolean; readonly lastError?: SentinelError }): void {
    this.#cancelRetry();
    this.#begin({ restarts: this.#status.restarts + 1, ...change });
  }

  #begin(change: Partial<SupervisorStatus>): void {
    const attempt: Attempt = {
      controller: new AbortController(),
      connecting: false,
      error: undefined,
    };
    this.#attempt = attempt;
    this.#set({ state: "starting", ...change });
    this.#trying = this.#try(attempt);
  }

  async #try(attempt: Attempt): Promise<void> {
    await this.#released;
    if (this.#attempt !== attempt) return;
    attempt.connecting = true;
    let connection: T | undefined;
    try {
      const failed = () => this.#count();
      connection = await this.#options.connect(attempt.controller.signal, failed);
    } catch (thrown) {
      attempt.error = asSentinelError(thrown);
    }
    if (this.#attempt !== attempt || attempt.error !== undefined) await connection?.close();
    if (this.#attempt !== attempt) return;
    this.#attempt = undefined;
    if (attempt.error !== undefined) return this.#failed(attempt.error, false);
    this.#connection = connection;
    this.#readyAt = this.#options.clock.monotonic();
    this.#set({ state: "ready" });
  }

  #failed(error: SentinelError, immediately: boolean): void {
    const { clock, mayGiveUp } = this.#options;
    this.#count();
    this.#fresh = false;
    if (mayGiveUp && this.#failures.length > MAX_FAILURES) {
      return this.#set({ state: "fatal", lastError: error });
    }
    if (immediately) return this.#restart({ manual: false, lastError: error });
    const delayMs = this.#nextDelay();
    this.#cancelRetry = clock.after(delayMs, () => this.#restart({ manual: false }));
    this.#set({ state: "backoff", lastError: error, nextRetryAt: clock.now() + delayMs });
  }

  #count(): void {
    const now = this.#options.clock.monotonic();
    const recent = this.#failures.filter((at) => now - at < WINDOW_MS).slice(-MAX_FAILURES);
    this.#failures = [...recent, now];
  }

  #nextDelay(): number {
    const { base, max } = this.#options.restart;
    const longest = Math.min(max, base * 2 ** this.#doublings++);
    return Math.round(longest * this.#options.random.fraction());
  }

  #release(): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    // Forgotten first: closing reports the loss of what is not ours any more.
    this.#connection = undefined;
    this.#released = connection.close();
  }

  #reset(): void {
    this.#failures = [];
    this.#fresh = true;
    this.#doublings = 0;
  }

  #set(change: Partial<SupervisorStatus>): void {
    const before = this.#status;
    const since = change.state === before.state ? before.since : this.#options.clock.now();
    this.#status = { ...before, nextRetryAt: undefined, ...change, since };
    this.#options.onChange();
  }
}
