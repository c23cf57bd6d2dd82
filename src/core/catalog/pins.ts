/**
 * Notices definitions that differ from the one that was seen or approved before. Work is done when a backend
 * was read, not for each call: a call only asks whether anything is held.
 */
import type { HeldStatus, PinStatus, Reaction } from "../../contract/definitions.ts";
import { type BackendConfig, SentinelError } from "../../contract/mod.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Digest } from "../../ports/digest.ts";
import type { Log } from "../../ports/log.ts";
import type { StateStore } from "../../ports/state_store.ts";
import type { Telemetry } from "../../ports/telemetry.ts";
import { type JsonObject, parse } from "../mcp/json.ts";
import { definitionDiff } from "./definition_diff.ts";
import { canonicalJson, definitionHash } from "./definition_hash.ts";
import { DriftReport } from "./drift_report.ts";
import { KINDS } from "./kinds.ts";
import { type Known, type Pin, PinBook, type PinKey } from "./pin_book.ts";
import { compileToolRules } from "./tool_rules.ts";
import type { BackendCatalog, Target } from "./types.ts";

const KINDS_PINNED = ["tool", "prompt"] as const;

export interface PinPorts {
  readonly state: StateStore;
  readonly digest: Digest;
  readonly clock: Clock;
  readonly log: Log;
  readonly telemetry: Telemetry;
}

/** What one backend offers, and what a change of it causes. */
export interface OfferedBackend {
  readonly name: string;
  readonly config: BackendConfig;
  readonly found: BackendCatalog;
  readonly reaction: Reaction;
}

/** What waits, and why. */
export type Held = Readonly<HeldStatus>;

/** By definition, as it was received. */
export type HeldItems = ReadonlyMap<JsonObject, Held>;

export interface Approval {
  readonly hash: string;
  readonly by: string;
}

interface Judged extends Omit<OfferedBackend, "name"> {
  readonly held: HeldItems;
  /** Kind and name of each. */
  readonly names: ReadonlySet<string>;
}

const UNKEPT = "what is known of it cannot be kept";
const UNREAD = "what was known of it cannot be read";
const FULL = "no more definitions of its backend can be remembered";

export class Pins {
  readonly #ports: PinPorts;
  readonly #book: PinBook;
  readonly #report: DriftReport;
  readonly #judged = new Map<string, Judged>();
  #failure: string | undefined;
  #anyHeld = false;

  constructor(ports: PinPorts) {
    this.#ports = ports;
    this.#book = new PinBook(ports.state);
    this.#report = new DriftReport(ports);
  }

  /** Why pins cannot be read or written, if so; then the next judgement tries again. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /**
   * What is held of each backend. New definitions are trusted and remembered, changed ones cause what the
   * configuration says. Backends that offer what they offered before cost nothing.
   */
  judge(backends: readonly OfferedBackend[]): ReadonlyMap<string, HeldItems> {
    const names = new Set(backends.map(({ name }) => name));
    for (const name of this.#judged.keys()) if (!names.has(name)) this.#judged.delete(name);
    let isComplete = this.#open();
    for (const backend of backends) {
      if (!this.#isKnown(backend)) isComplete = this.#judge(backend) && isComplete;
    }
    if (isComplete) this.#failure = undefined;
    this.#anyHeld = [...this.#judged.values()].some(({ held }) => held.size > 0);
    return new Map([...this.#judged].map(([name, { held }]) => [name, held]));
  }

  /** Whether calls of the target end here: asked again when a call has a link, which may be a new one. */
  holds(target: Target): boolean {
    return this.#anyHeld && this.#judged.get(target.backend)?.names.has(nameOf(target)) === true;
  }

  /** Undefined for kinds that are not pinned, and while nothing is remembered. */
  of({ backend, kind, original }: Target): PinStatus | undefined {
    if (kind !== "tool" && kind !== "prompt") return undefined;
    const known = this.#book.get({ backend, kind, original });
    if (typeof known === "string") return undefined;
    const { definition: _, ...status } = known;
    return status;
  }

  /**
   * Remembers the definition as approved; the next judgement lets it through.
   * @throws SentinelError AUDIT_UNAVAILABLE when it cannot be written
   */
  approve({ backend, kind, original }: Target, item: JsonObject, { hash, by }: Approval): void {
    const key = { backend, kind: kind as PinKey["kind"], original };
    const known = this.#book.get(key);
    const approval = { approvedBy: by, approvedAt: this.#now() };
    try {
      this.#book.put([[key, { ...this.#pinOf(item, hash, known), ...approval }]]);
    } catch (cause) {
      throw new SentinelError("AUDIT_UNAVAILABLE", "Cannot keep the approval over a restart", {
        reason: String(cause),
      }, cause);
    }
    this.#judged.delete(backend);
  }

  /** True when the pins are read. */
  #open(): boolean {
    const failed = this.#tried(() => {
      const damaged = this.#book.open();
      if (damaged === 0) return;
      const reason = `${damaged} entries of definition pins are malformed`;
      this.#ports.log.write("state.failed", { store: "pins", reason });
    });
    return !failed;
  }

  #isKnown({ name, config, found, reaction }: OfferedBackend): boolean {
    const known = this.#judged.get(name);
    return this.#failure === undefined && known?.found === found && known.config === config &&
      known.reaction === reaction;
  }

  /** True when everything could be read and written. */
  #judge(backend: OfferedBackend): boolean {
    const { name, config, found, reaction } = backend;
    const held = new Map<JsonObject, Held>();
    const fresh = new Map<JsonObject, readonly [PinKey, Pin]>();
    const keys = new Map<JsonObject, PinKey>();
    let room = this.#book.room(name);
    for (const [key, item] of pinnedItems(backend)) {
      keys.set(item, key);
      const verdict = this.#verdict(key, item, reaction);
      if (verdict === undefined) continue;
      if ("reason" in verdict) held.set(item, verdict);
      else if (verdict.previous !== undefined || room-- > 0) fresh.set(item, [key, verdict]);
      else if (reaction === "hold") held.set(item, this.#held(verdict.hash, FULL));
    }
    const failed = this.#tried(() => this.#book.put([...fresh.values()]));
    if (failed && reaction === "hold") {
      for (const [item, [, { hash }]] of fresh) held.set(item, this.#held(hash, UNKEPT));
    }
    this.#report.flush(name);
    const names = [...held.keys()].map((item) => nameOf(keys.get(item) as PinKey));
    this.#judged.set(name, { config, found, reaction, held, names: new Set(names) });
    return !failed;
  }

  /** Held, or a pin to remember; undefined when nothing is to be done. */
  #verdict(key: PinKey, item: JsonObject, reaction: Reaction): Held | Pin | undefined {
    const hash = definitionHash(item, this.#ports.digest);
    const known = this.#book.get(key);
    if (known === "unknown") return this.#pinOf(item, hash, known);
    if (known === "unreadable") {
      return reaction === "hold" ? this.#held(hash, UNREAD) : undefined;
    }
    if (known.hash === hash) {
      this.#report.same(key);
      return undefined;
    }
    const diff = diffOf(known, item);
    const since = this.#report.changed(key, { reaction, hash, before: known.hash, ...diff });
    if (reaction !== "hold") return this.#pinOf(item, hash, known);
    const { changes, more } = diff;
    const reason = "its definition has changed since it was seen or approved";
    return { hash, since, reason, changes, ...(more === 0 ? {} : { more }) };
  }

  #held(hash: string, reason: string): Held {
    return { hash, since: this.#now(), reason, changes: [] };
  }

  #pinOf(item: JsonObject, hash: string, known: Known): Pin {
    const definition = canonicalJson(item);
    if (typeof known === "string") return { hash, firstSeen: this.#now(), definition };
    return { hash, firstSeen: known.firstSeen, previous: known.hash, definition };
  }

  /** True when it failed; said once until it works again. */
  #tried(work: () => void): boolean {
    try {
      work();
      return false;
    } catch (cause) {
      const isNew = this.#failure === undefined;
      this.#failure = cause instanceof Error ? cause.message : String(cause);
      if (isNew) this.#ports.log.write("state.failed", { store: "pins", reason: this.#failure });
      return true;
    }
  }

  #now(): string {
    return new Date(this.#ports.clock.now()).toISOString();
  }
}

/** Everything of a backend that is shown, if nothing holds it. */
function* pinnedItems({ name, config, found }: OfferedBackend): Generator<[PinKey, JsonObject]> {
  const rules = compileToolRules(config.tools);
  for (const kind of KINDS_PINNED) {
    for (const item of found[KINDS[kind].held]) {
      const original = item[KINDS[kind].key] as string;
      if (kind !== "tool" || rules.shows(original)) yield [{ backend: name, kind, original }, item];
    }
  }
}

function nameOf({ kind, original }: Pick<Target, "kind" | "original">): string {
  return `${kind} ${original}`;
}

function diffOf({ definition }: Pin, item: JsonObject) {
  if (definition === undefined) return { changes: [], more: 0 };
  return definitionDiff(parse(definition) as JsonObject, item);
}

/** The refusal of a call whose target is held. */
export function heldError({ backend, exposed }: Target): SentinelError {
  return new SentinelError(
    "DEFINITION_DRIFT",
    `Cannot use "${exposed}": its definition has changed and waits for an approval`,
    { backend, executed: "no" },
  );
}
