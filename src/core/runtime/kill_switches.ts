/** Kill switches: looked at by every call that starts, kept over restarts, clearable by who may. */
import * as v from "valibot";
import { type Config, SentinelError } from "../../contract/mod.ts";
import type { KillSwitch } from "../../contract/manage/mod.ts";
import type { StateStore } from "../../ports/state_store.ts";
import type { Target } from "../catalog/types.ts";
import { compilePatterns, type Matcher } from "../patterns.ts";

/** What operators can switch off; the configuration has its own. */
const MAX_SWITCHES = 1000;

const Stored = v.object({ reason: v.string(), by: v.string(), since: v.string() });
type Stored = v.InferOutput<typeof Stored>;

export type KillScope = KillSwitch["scope"];

/** A switch without what depends on the catalog. */
export type SetSwitch = Omit<KillSwitch, "matches">;

interface Compiled extends SetSwitch {
  readonly matches: Matcher;
}

export class KillSwitches {
  readonly #store: StateStore;
  readonly #operators = new Map<string, SetSwitch>();
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
      const { scope, name } = split(key);
      const { reason, by, since } = v.parse(Stored, value);
      this.#operators.set(key, { scope, name, reason, by, since, from: "operator" });
    }
    this.#compile();
  }

  get size(): number {
    return this.#operators.size + this.#config.length;
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
    const isNew = !this.#operators.has(key);
    if (isNew && this.#operators.size >= MAX_SWITCHES) {
      throw new SentinelError("OVERLOADED", "Cannot set the kill switch: too many are set", {
        reason: `at most ${MAX_SWITCHES}; a pattern covers many tools`,
      });
    }
    const { reason, by, since } = added;
    this.#write(() => this.#store.put("kill_switch", key, { reason, by, since }));
    this.#operators.set(key, added);
    this.#compile();
    return isNew;
  }

  /** What was cleared. @throws SentinelError NOT_FOUND, CONFLICT, AUDIT_UNAVAILABLE */
  clear(scope: KillScope, name: string): SetSwitch {
    const key = keyOf(scope, name);
    const known = this.#operators.get(key);
    if (known === undefined) throw this.#notSet(scope, name);
    this.#write(() => this.#store.remove("kill_switch", key));
    this.#operators.delete(key);
    this.#compile();
    return known;
  }

  /** Sorted by scope and name; the operator's and the file's switch for one name are two. */
  list(): SetSwitch[] {
    const all = [...this.#operators.values(), ...this.#config];
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

function keyOf(scope: KillScope, name: string): string {
  return `${scope}/${name}`;
}

function split(key: string): { scope: KillScope; name: string } {
  const slash = key.indexOf("/");
  return { scope: key.slice(0, slash) as KillScope, name: key.slice(slash + 1) };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
