/** The time after a reload in which it is taken back when what answered before does not any more. */
import type { Cancel, Clock } from "../../ports/clock.ts";
import type { Backend } from "../backends/backend.ts";
import type { Operations } from "./operations.ts";
import type { Reloader } from "./reloader.ts";
import type { Runtime } from "./runtime.ts";
import { failing, problemOf } from "./trial.ts";

/** Between two looks at the backends. */
const LOOK_MS = 250;
/** How much longer a handshake that is under way at the end of the time is waited for. */
const HANDSHAKE_MS = 10_000;
const MAX_NAMED = 5;
const ACT = { actor: { name: "grace check" } } as const;

export interface GraceOptions {
  readonly runtime: Runtime;
  readonly reloader: Reloader;
  readonly operations: Operations;
  readonly clock: Clock;
}

export class Grace {
  readonly #options: GraceOptions;
  #endLooks: Cancel = () => {};
  /** Monotonic. */
  #until = 0;
  /** A roll-back waits for its turn. */
  #isDeciding = false;

  constructor(options: GraceOptions) {
    this.#options = options;
  }

  /** A reload is over: from now on its time runs, if it changed anything. */
  begin(): void {
    const { runtime, reloader, clock } = this.#options;
    const { grace } = runtime.world.config.reload;
    this.#endLooks();
    if (grace === 0) reloader.keep();
    if (reloader.trial === undefined) return;
    this.#until = clock.monotonic() + grace;
    this.#endLooks = clock.every(LOOK_MS, () => this.#look());
  }

  /** Decides early, as another reload is about to follow; true when the one before was taken back. */
  async settle(): Promise<boolean> {
    const failed = this.#failing();
    if (failed.length === 0) {
      this.#endLooks();
      this.#options.reloader.keep();
      return false;
    }
    await this.#options.operations.prompt(requestFor(failed), () => this.#rollBack(failed));
    this.#endLooks();
    return true;
  }

  stop(): void {
    this.#endLooks();
  }

  #look(): void {
    const { runtime, reloader, clock } = this.#options;
    if (this.#isDeciding || runtime.isStopping) return;
    const failed = this.#failing();
    const late = clock.monotonic() - this.#until;
    if (late >= 0 && failed.length === 0) {
      this.#endLooks();
      return reloader.keep();
    }
    const isHopeless = failed.some(({ state }) => state === "fatal");
    const isOpen = late < HANDSHAKE_MS && failed.every(({ state }) => state === "starting");
    if (isHopeless || (late >= 0 && !isOpen)) void this.#takeBack(failed);
  }

  /** When it cannot be done now, because too much waits or the journal fails, the next look tries again. */
  async #takeBack(failed: readonly Backend[]): Promise<void> {
    this.#isDeciding = true;
    try {
      await this.#options.operations.queued(requestFor(failed), () => this.#decide());
    } catch {
      return;
    } finally {
      this.#isDeciding = false;
    }
    if (this.#options.reloader.trial === undefined) this.#endLooks();
  }

  /** What waited for its turn may have come right meanwhile, or have been decided already. */
  #decide() {
    const failed = this.#failing();
    if (failed.length > 0) return this.#rollBack(failed);
    return Promise.resolve({ outcome: "unchanged", more: {} } as const);
  }

  #rollBack(failed: readonly Backend[]) {
    const { reloader } = this.#options;
    return Promise.resolve(reloader.rollBack(reasonOf(failed), ACT.actor.name));
  }

  #failing(): readonly Backend[] {
    const { runtime, reloader } = this.#options;
    return reloader.trial === undefined ? [] : failing(reloader.trial, runtime.world.backends);
  }
}

function requestFor(failed: readonly Backend[]) {
  return { operation: "roll_back", reason: reasonOf(failed), act: ACT } as const;
}

function reasonOf(failed: readonly Backend[]): string {
  const more = failed.length - MAX_NAMED;
  const named = failed.slice(0, MAX_NAMED).map(problemOf);
  return [...named, ...(more > 0 ? [`${more} more`] : [])].join("; ");
}
