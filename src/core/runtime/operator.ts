/** What operators do: every act goes through the operations. */
import { SentinelError } from "../../contract/mod.ts";
import type { HeldEntry } from "../catalog/entry.ts";
import type { Catalog } from "../catalog/types.ts";
import { definitionOf, heldOf } from "./capabilities.ts";
import type { Act, Control, KillTarget, Refusal } from "./control.ts";
import { settlesWithin } from "./deadline.ts";
import { Grace } from "./grace.ts";
import { type Done, Operations } from "./operations.ts";
import { type OperatorOptions, Overview } from "./overview.ts";
import { stopping } from "./reloader.ts";
import { problemOfName } from "./switch_acts.ts";
import { findBackend, killSwitch } from "./view.ts";

/** How long a reconnect waits for the handshake. */
const RECONNECT_MS = 30_000;
const MAX_NAME = 200;

/** The operators' door. */
export class Operator extends Overview implements Control {
  readonly #operations: Operations;
  readonly #grace: Grace;

  constructor(options: OperatorOptions) {
    super(options);
    const { clock, log, runtime } = options;
    const revision = () => runtime.world.revision;
    this.#operations = new Operations({ clock, log, journal: this.journal, revision });
    const { reloader } = this;
    this.#grace = new Grace({ runtime, reloader, clock, operations: this.#operations });
  }

  reload(act: Act): ReturnType<Control["reload"]> {
    return this.#operations.queued({ operation: "reload", act }, async () => {
      const done = await this.reloader.reload(act.actor.name, () => this.#grace.settle());
      if (done.outcome !== "unchanged") this.#grace.begin();
      return done;
    });
  }

  reconnect(name: string, act: Act): ReturnType<Control["reconnect"]> {
    const request = { operation: "reconnect", target: name, act } as const;
    return this.#operations.queued(request, () => this.#reconnect(name));
  }

  async #reconnect(name: string): Promise<Done<object>> {
    this.#refuseWhenStopping();
    const backend = findBackend(this.options.runtime.world, name);
    if (!backend.config.enabled) {
      throw new SentinelError("CONFLICT", `Cannot reconnect "${name}": it is disabled`, {
        reason: "set enabled = true in the configuration and reload",
      });
    }
    backend.reconnect();
    await settlesWithin(backend.settled(), RECONNECT_MS, this.options.clock);
    if (backend.up) return { outcome: "applied", more: {} };
    const { state, lastError = "no answer yet" } = backend.status(0);
    return { outcome: "partial", problems: [`it is ${state}: ${lastError}`], more: {} };
  }

  kill(
    { scope, name, reason }: KillTarget & { readonly reason: string },
    act: Act,
  ): ReturnType<Control["kill"]> {
    const request = { operation: "kill", target: `${scope}/${name}`, reason, act } as const;
    return this.#operations.prompt(request, async () => {
      this.#refuseWhenStopping();
      this.#checkTarget({ scope, name });
      const since = new Date(this.options.clock.now()).toISOString();
      const entry = { scope, name, reason, by: act.actor.name, since, from: "operator" } as const;
      const isNew = this.options.runtime.kills.set(entry);
      this.options.runtime.changed();
      this.options.log.write("kill.set", { scope, name, reason, by: entry.by });
      const { matches } = killSwitch(entry, this.options.runtime.world);
      const outcome = isNew ? "applied" : "unchanged";
      return await this.#told(entry, { outcome, more: { matches } });
    });
  }

  clearKill({ scope, name }: KillTarget, act: Act): ReturnType<Control["clearKill"]> {
    const request = { operation: "clear", target: `${scope}/${name}`, act } as const;
    return this.#operations.prompt(request, async () => {
      this.#refuseWhenStopping();
      const cleared = this.options.runtime.kills.clear(scope, name, act.actor.name);
      this.options.runtime.changed();
      this.options.log.write("kill.cleared", { scope, name, by: act.actor.name });
      const { matches } = killSwitch(cleared, this.options.runtime.world);
      return await this.#told(cleared, { outcome: "applied", more: { matches } });
    });
  }

  /** It holds here; says so when it does not yet hold everywhere. */
  async #told<Extra>({ scope, name }: KillTarget, done: Done<Extra>): Promise<Done<Extra>> {
    const problems = await this.options.sharing?.tell(scope, name) ?? [];
    return problems.length === 0 ? done : { ...done, outcome: "partial", problems };
  }

  approve(
    { kind, name, hash }: Parameters<Control["approve"]>[0],
    act: Act,
  ): ReturnType<Control["approve"]> {
    // What is approved is part of the act: the same key for another definition is another act.
    const target = `${kind}/${name.slice(0, MAX_NAME)}@${hash}`;
    return this.#operations.now({ operation: "approve", target, act }, () => {
      this.#refuseWhenStopping();
      const { log, runtime } = this.options;
      const entry = findHeld(runtime.world.catalog, { kind, name, hash });
      const { backend, original } = entry.target;
      const by = act.actor.name;
      runtime.approve(entry, { hash, by });
      log.write("definition.approved", { backend, kind, name, original, hash, by });
      return { outcome: "applied", more: { hash } };
    });
  }

  closeSession(id: string, act: Act): ReturnType<Control["closeSession"]> {
    return this.#operations.now({ operation: "close_session", target: id, act }, () => {
      const session = this.findSession(id);
      session.close("closed by an operator");
      this.options.telemetry.series("sentinel_session_evictions_total", { reason: "operator" })
        .add(1);
      this.options.runtime.changed();
      const fields = { session: id, by: act.actor.name, reason: "closed by an operator" };
      this.options.log.write("session.ended", fields);
      return { outcome: "applied", more: {} };
    });
  }

  setLogLevel(
    { level, minutes }: Parameters<Control["setLogLevel"]>[0],
    act: Act,
  ): ReturnType<Control["setLogLevel"]> {
    const request = { operation: "log_level", target: level, act } as const;
    return this.#operations.now(request, () => {
      this.level.override(level, minutes);
      this.options.runtime.changed();
      return { outcome: "applied", more: {} };
    });
  }

  async shutdown(act: Act): ReturnType<Control["shutdown"]> {
    return await this.#operations.queued({ operation: "shutdown", act }, () => {
      if (!this.options.runtime.world.config.management.allow_shutdown) throw shutdownDisabled();
      if (this.options.runtime.isStopping) {
        return Promise.resolve({ outcome: "unchanged", more: {} });
      }
      this.options.runtime.beginStop();
      this.options.stop();
      return Promise.resolve({ outcome: "applied", more: {} });
    });
  }

  refuse({ request, code, why, method, path, actor }: Refusal): void {
    const { clock, log } = this.options;
    const at = new Date(clock.now()).toISOString();
    try {
      this.journal.append({ kind: "refusal", at, request, code, why, method, path, actor });
    } catch (cause) {
      throw new SentinelError("AUDIT_UNAVAILABLE", "Cannot answer: the journal cannot be written", {
        reason: String(cause),
      }, cause);
    }
    log.write("management.refused", { request_id: request, code, why, method, path, ...actor });
  }

  /** Nothing of it waits any more. */
  stop(): void {
    this.#grace.stop();
    this.level.stop();
  }

  #refuseWhenStopping(): void {
    if (this.options.runtime.isStopping) throw stopping();
  }

  /** A misspelled backend would leave the right one running; tools may come later, or be a pattern. */
  #checkTarget({ scope, name }: KillTarget): void {
    if (scope === "backends") {
      findBackend(this.options.runtime.world, name);
      return;
    }
    const reason = problemOfName(name);
    if (reason === undefined) return;
    const message = "Cannot set the kill switch: no tool has that name";
    throw new SentinelError("INVALID_PARAMS", message, { reason, http: 400 });
  }
}

/** @throws SentinelError NOT_FOUND, CONFLICT */
function findHeld(
  catalog: Catalog,
  { kind, name, hash }: Parameters<Control["approve"]>[0],
): HeldEntry {
  const entry = heldOf(catalog, kind, name);
  const message = `Cannot approve ${kind} "${name.slice(0, MAX_NAME)}"`;
  if (entry === undefined) {
    definitionOf(catalog, kind, name);
    throw new SentinelError("CONFLICT", `${message}: it is not held`);
  }
  if (entry.held.hash === hash) return entry;
  throw new SentinelError("CONFLICT", `${message}: its definition is another one now`, {
    reason: `look at it again, then approve ${entry.held.hash}`,
  });
}

function shutdownDisabled(): SentinelError {
  return new SentinelError("OPERATION_DISABLED", "Cannot shut down: it is not allowed", {
    reason: "management.allow_shutdown is false",
  });
}
