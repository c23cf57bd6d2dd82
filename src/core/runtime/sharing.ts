/** Kill switches between replicas, and what is told of the server they meet at. */
import type { Cancel, Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { Replicas, SharedEntry } from "../../ports/replicas.ts";
import type { Telemetry } from "../../ports/telemetry.ts";
import type { KillSwitches } from "./kill_switches.ts";
import {
  actOfEntry,
  entryOf,
  instanceOf,
  type KillScope,
  type SwitchAct,
  targetOf,
  timeOf,
} from "./switch_acts.ts";

/** How long it is remembered that a switch was cleared: a replica cut off for longer brings it back. */
const REMEMBER_MS = 24 * 3_600_000;
/** Cleared switches remembered; the oldest go first. */
const MAX_CLEARED = 2000;

export interface SharingOptions {
  readonly replicas: Replicas;
  readonly kills: KillSwitches;
  readonly clock: Clock;
  /** Name of this replica, 12 hexadecimal digits. */
  readonly instance: string;
  readonly log: Log;
  readonly telemetry: Telemetry;
  /** Something that operators see has changed. */
  readonly changed: () => void;
}

/**
 * Each replica holds all switches itself and looks only at its own: the server is where they meet. Of two acts
 * on one switch the later holds, so replicas agree in whatever order they hear of them, and what one did while
 * it was cut off is told when it is back.
 */
export class Sharing {
  readonly #options: SharingOptions;
  readonly #told = new Set<string>();
  #isUp: boolean | undefined;
  #end: Cancel = () => {};

  /** What the server knows already is in force when it returns. */
  constructor(options: SharingOptions) {
    this.#options = options;
    const { kills, clock, instance, replicas } = options;
    kills.shareAs({ instance, now: () => clock.now() });
    this.#end = replicas.follow({
      table: (entries) => this.#table(entries),
      entry: (entry) => this.#merge([entry]),
      health: (failure) => this.#health(failure),
      unsafe: (reason) => this.#unsafe(reason),
    });
  }

  get kind(): string {
    return this.#options.replicas.kind;
  }

  /** Why the other replicas cannot be reached, if so. */
  get failure(): string | undefined {
    return this.#options.replicas.failure;
  }

  /** Tells the others what was just done here; gives what they do not know, in words. Never rejects. */
  async tell(scope: KillScope, name: string): Promise<string[]> {
    const { kills, replicas } = this.#options;
    const act = kills.act(scope, name);
    if (act === undefined) return [];
    try {
      await replicas.write([entryOf(act)]);
      return [];
    } catch (cause) {
      return [
        `it holds here, and the other replicas are told when ${replicas.kind} takes it: ${
          replicas.failure ?? reasonOf(cause)
        }`,
      ];
    }
  }

  stop(): void {
    this.#end();
  }

  #table(entries: readonly SharedEntry[]): void {
    this.#merge(entries);
    this.#forget();
    const stamps = new Map(entries.map(({ key, stamp }) => [key, stamp]));
    const missing = this.#options.kills.acts()
      .filter(({ key, stamp }) => stamp > (stamps.get(key) ?? ""));
    if (missing.length > 0) void this.#write(missing);
  }

  /** Puts in force what is later than what is known here. */
  #merge(entries: readonly SharedEntry[]): void {
    const { kills, log, changed: tell } = this.#options;
    const acts = entries.map(actOfEntry).filter((act) => act !== undefined);
    if (acts.length < entries.length) {
      this.#unsafe("the table of the kill switches holds entries that no replica has written");
    }
    const { changed, failure } = kills.merge(acts);
    if (failure !== undefined) {
      log.write("state.failed", { store: "state", reason: reasonOf(failure) });
    }
    for (const act of changed) this.#announce(act);
    if (changed.length > 0) tell();
  }

  #announce({ key, stamp, by, set }: SwitchAct): void {
    const fields = { ...targetOf(key), by, replica: instanceOf(stamp) };
    if (set === undefined) this.#options.log.write("kill.cleared", fields);
    else this.#options.log.write("kill.set", { ...fields, reason: set.reason });
  }

  #forget(): void {
    const { kills, clock, replicas } = this.#options;
    const cleared = kills.acts().filter(({ set }) => set === undefined)
      .toSorted((a, b) => a.stamp < b.stamp ? 1 : -1);
    const before = clock.now() - REMEMBER_MS;
    const old = cleared.filter(({ stamp }, index) =>
      index >= MAX_CLEARED || timeOf(stamp) < before
    );
    if (old.length === 0) return;
    try {
      kills.forget(old);
    } catch {
      // They stay a little longer; that the state cannot be written is told where it matters.
      return;
    }
    replicas.forget(old.map(entryOf)).catch(() => {});
  }

  async #write(acts: readonly SwitchAct[]): Promise<void> {
    try {
      await this.#options.replicas.write(acts.map(entryOf));
    } catch (cause) {
      // A server that is away is told by its health.
      if (this.failure === undefined) this.#unsafe(reasonOf(cause));
    }
  }

  #health(failure: string | undefined): void {
    const { log, telemetry, replicas, changed } = this.#options;
    const isUp = failure === undefined;
    if (isUp === this.#isUp) return;
    const isFirst = this.#isUp === undefined;
    this.#isUp = isUp;
    telemetry.series("sentinel_shared_store_up", { store: replicas.kind }).set(isUp ? 1 : 0);
    if (!isUp) log.write("store.failed", { store: replicas.kind, reason: failure });
    else if (!isFirst) log.write("store.recovered", { store: replicas.kind });
    if (!isFirst) changed();
  }

  /** Each once: it is about how the server is set up. */
  #unsafe(reason: string): void {
    const { log, replicas } = this.#options;
    if (this.#told.has(reason) || this.#told.size >= 20) return;
    this.#told.add(reason);
    log.write("store.unsafe", { store: replicas.kind, reason });
  }
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
