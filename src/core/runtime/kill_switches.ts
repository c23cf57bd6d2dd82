/** Kill switches: looked at by every call that starts, kept over restarts, clearable by who may. */
import { type Config, SentinelError } from "../../contract/mod.ts";
import type { StateStore } from "../../ports/state_store.ts";
import type { Target } from "../catalog/types.ts";
import { compilePatterns, type Matcher } from "../patterns.ts";
import {
  actOfStored,
  keyOf,
  type KillScope,
  nextStamp,
  type SetSwitch,
  storedOf,
  type SwitchAct,
} from "./switch_acts.ts";

export type { SetSwitch } from "./switch_acts.ts";

/** What operators can switch off; the configuration has its own. */
const MAX_SWITCHES = 1000;

/** This gateway as one of several. */
export interface Replica {
  /** 12 hexadecimal digits of this run. */
  readonly instance: string;
  /** Wall time, milliseconds. */
  readonly now: () => number;
}

interface Compiled extends SetSwitch {
  readonly matches: Matcher;
}

export class KillSwitches {
  readonly #store: StateStore;
  /** By key. Cleared ones are remembered where replicas have to be told. */
  readonly #acts = new Map<string, SwitchAct>();
  #replica: Replica | undefined;
  #config: readonly SetSwitch[] = [];
  /** What a call looks at; replaced as a whole, so that it is in force at once. */
  #tools: readonly Compiled[] = [];
  #backends: ReadonlyMap<string, SetSwitch> = new Map();
  #isEmpty = true;
  /** Grows with every change. */
  version = 0;

  /** Reads what operators have set before. */
  constructor(store: StateStore) {
    this.#store = store;
    for (const [key, value] of store.entries("kill_switch")) {
      this.#acts.set(key, actOfStored(key, value));
    }
    this.#compile();
  }

  /** From now on acts are ordered between replicas, and a cleared switch is remembered until it is forgotten. */
  shareAs(replica: Replica): void {
    this.#replica = replica;
  }

  get size(): number {
    return this.#set.length + this.#config.length;
  }

  /** Puts the section `[kill]` in force. */
  configure({ tools, backends, reason }: Config["kill"], since: string): void {
    const common = { reason: reason ?? "set by the configuration", by: "file", from: "config" };
    const known = new Map(this.#config.map((entry) => [keyOf(entry.scope, entry.name), entry]));
    const switchOf = (scope: KillScope, name: string): SetSwitch => ({
      ...common,
      from: "config",
      scope,
      name,
      since: known.get(keyOf(scope, name))?.since ?? since,
    });
    this.#config = [
      ...tools.map((name) => switchOf("tools", name)),
      ...backends.map((name) => switchOf("backends", name)),
    ];
    this.#compile();
  }

  /** The switch a target falls under; backends first, then tools in the order they were set. */
  of(target: Target): SetSwitch | undefined {
    if (this.#isEmpty) return undefined;
    const backend = this.#backends.get(target.backend);
    if (backend !== undefined || target.kind !== "tool") return backend;
    return this.#tools.find(({ matches }) => matches(target.exposed));
  }

  ofBackend(name: string): SetSwitch | undefined {
    return this.#backends.get(name);
  }

  /**
   * In force when it returns; true when nothing was there before.
   * @throws SentinelError OVERLOADED, AUDIT_UNAVAILABLE
   */
  set(added: SetSwitch): boolean {
    const key = keyOf(added.scope, added.name);
    const known = this.#acts.get(key);
    const isNew = known?.set === undefined;
    if (isNew && this.#set.length >= MAX_SWITCHES) {
      throw new SentinelError("OVERLOADED", "Cannot set the kill switch: too many are set", {
        reason: `at most ${MAX_SWITCHES}; a pattern covers many tools`,
      });
    }
    const now = Date.parse(added.since);
    const stamp = nextStamp(now, this.#replica?.instance, known);
    this.#keep({ key, stamp, by: added.by, set: added });
    this.#compile();
    return isNew;
  }

  /** What was cleared. @throws SentinelError NOT_FOUND, CONFLICT, AUDIT_UNAVAILABLE */
  clear(scope: KillScope, name: string, by: string): SetSwitch {
    const key = keyOf(scope, name);
    const known = this.#acts.get(key);
    if (known?.set === undefined) throw this.#notSet(scope, name);
    const replica = this.#replica;
    if (replica === undefined) this.#drop(key);
    else {
      const stamp = nextStamp(replica.now(), replica.instance, known);
      this.#keep({ key, stamp, by, set: undefined });
    }
    this.#compile();
    return known.set;
  }

  /** The last act on each switch of operators, cleared ones included. */
  acts(): readonly SwitchAct[] {
    return [...this.#acts.values()];
  }

  act(scope: KillScope, name: string): SwitchAct | undefined {
    return this.#acts.get(keyOf(scope, name));
  }

  /**
   * Acts of other replicas: in force when it returns, whether they can be kept or not. Gives those that
   * changed something, and why they cannot be kept, if so.
   */
  merge(acts: readonly SwitchAct[]): {
    readonly changed: readonly SwitchAct[];
    readonly failure: unknown;
  } {
    const changed: SwitchAct[] = [];
    let failure: unknown;
    for (const act of acts) {
      const known = this.#acts.get(act.key);
      if (known !== undefined && known.stamp >= act.stamp) continue;
      this.#acts.set(act.key, act);
      if (act.set !== undefined || known?.set !== undefined) changed.push(act);
      try {
        this.#keep(act);
      } catch (cause) {
        failure = cause;
      }
    }
    if (changed.length > 0) this.#compile();
    return { changed, failure };
  }

  /** Nobody needs to be told any more that these were cleared. @throws SentinelError AUDIT_UNAVAILABLE */
  forget(cleared: readonly SwitchAct[]): void {
    for (const { key, stamp } of cleared) {
      const known = this.#acts.get(key);
      if (known?.stamp === stamp && known.set === undefined) this.#drop(key);
    }
  }

  /** Sorted by scope and name; the operator's and the file's switch for one name are two. */
  list(): SetSwitch[] {
    const all = [...this.#set, ...this.#config];
    return all.toSorted((a, b) => compare(keyOf(a.scope, a.name), keyOf(b.scope, b.name)));
  }

  #notSet(scope: KillScope, name: string): SentinelError {
    const message = `Cannot clear the kill switch of ${scope} "${name.slice(0, 200)}"`;
    const inFile = this.#config.some((entry) => entry.scope === scope && entry.name === name);
    return inFile
      ? new SentinelError("CONFLICT", `${message}: the configuration sets it`, {
        reason: "remove it from [kill] and reload",
      })
      : new SentinelError("NOT_FOUND", `${message}: none is set`);
  }

  get #set(): SetSwitch[] {
    return [...this.#acts.values()].flatMap(({ set }) => set ?? []);
  }

  #keep(act: SwitchAct): void {
    this.#write(() => this.#store.put("kill_switch", act.key, storedOf(act)));
    this.#acts.set(act.key, act);
  }

  #drop(key: string): void {
    this.#write(() => this.#store.remove("kill_switch", key));
    this.#acts.delete(key);
  }

  #write(write: () => void): void {
    try {
      write();
    } catch (cause) {
      throw new SentinelError("AUDIT_UNAVAILABLE", "Cannot keep the kill switch over a restart", {
        reason: String(cause),
      }, cause);
    }
  }

  #compile(): void {
    const all = this.list();
    this.#tools = all.filter(({ scope }) => scope === "tools")
      .map((entry) => ({ ...entry, matches: compilePatterns([entry.name]) }));
    const backends = all.filter(({ scope }) => scope === "backends");
    this.#backends = new Map(backends.map((entry) => [entry.name, entry]));
    this.#isEmpty = all.length === 0;
    this.version++;
  }
}

/** The refusal of a call that falls under a switch. */
export function killedError({ scope, reason }: SetSwitch, target: Target): SentinelError {
  const details = { backend: target.backend, reason, executed: "no" } as const;
  return scope === "tools"
    ? new SentinelError(
      "TOOL_DISABLED",
      `Cannot call "${target.exposed}": it is switched off`,
      details,
    )
    : new SentinelError(
      "BACKEND_DISABLED",
      `Cannot call backend "${target.backend}": it is switched off`,
      details,
    );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
