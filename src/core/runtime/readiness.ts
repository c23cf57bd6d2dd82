/** Whether calls can be served now: what `/ready` says. Asked for, never kept, so it cannot be stale. */
import type { Config, RuntimeState } from "../../contract/mod.ts";
import type { Readiness } from "../../contract/readiness.ts";
import type { AuditAccount } from "../../contract/audit.ts";
import type { World } from "./world.ts";

/** What readiness is read from. */
export interface ReadinessSource {
  readonly world: World;
  readonly state: RuntimeState;
  /** First handshakes are not decided yet. */
  readonly isStarting: boolean;
  /** Of the session store; undefined while it works. */
  readonly storeFailure: string | undefined;
  /** Absent: nothing is recorded. */
  readonly audit: AuditState | undefined;
  /** New requests are refused, and have been for so long (ms); undefined: they are taken. */
  readonly refusingMs: number | undefined;
}

/** What of the audit calls depend on. */
export interface AuditState {
  account(): Pick<AuditAccount, "journalBytes" | "journalMaxBytes">;
  /** The journal did not take what it was given lately. */
  readonly isFailing: boolean;
}

/**
 * An overload that is shorter keeps the replica in rotation: taken out for each burst, it would hand its load
 * to the others and bring them down too.
 */
const LASTING_MS = 10_000;

export function readinessOf(source: ReadinessSource): Readiness {
  const { state, world, refusingMs } = source;
  const blocking = blockersOf(source);
  const isOverloaded = refusingMs !== undefined;
  const isUnready = blocking.length > 0 || (refusingMs ?? 0) >= LASTING_MS;
  return {
    status: isUnready ? "unready" : "ready",
    state,
    reasons: [
      ...blocking,
      ...(isOverloaded ? ["overloaded"] : []),
      ...(blocking.length === 0 && state === "degraded" ? downOf(world) : []),
    ],
  };
}

/** Everything without which no call can be answered. */
function blockersOf(source: ReadinessSource): string[] {
  const { state, isStarting } = source;
  if (state === "stopping" || state === "stopped") return [state];
  if (isStarting) return ["starting"];
  return [...catalogBlockers(source), ...storeBlockers(source)];
}

function catalogBlockers({ world }: ReadinessSource): string[] {
  const backends = [...world.backends.values()];
  if (backends.length === 0) return ["no backend is configured"];
  if (!backends.some((backend) => backend.up)) return ["no backend is ready", ...downOf(world)];
  const { tool, prompt, resource, template } = world.catalog.counts;
  return tool + prompt + resource + template === 0 ? ["the catalog is empty"] : [];
}

function storeBlockers({ world: { config }, storeFailure, audit }: ReadinessSource): string[] {
  const reasons: string[] = [];
  if (config.sessions.required && storeFailure !== undefined) {
    reasons.push("the session store cannot be used");
  }
  if (audit !== undefined && refusesCalls(config, audit)) {
    reasons.push("the journal cannot be written");
  }
  return reasons;
}

/** Where calls go on without a record, a journal that is full blocks none. */
function refusesCalls({ audit }: Config, state: AuditState): boolean {
  if (audit.when_full !== "refuse-calls") return false;
  const { journalBytes, journalMaxBytes } = state.account();
  return state.isFailing || journalBytes >= journalMaxBytes;
}

/** How many backends are in which state that is no good, without their names: everybody may read this. */
function downOf({ backends }: World): string[] {
  const counts = new Map<string, number>();
  for (const { state, up, config } of backends.values()) {
    if (!up && config.enabled) counts.set(state, (counts.get(state) ?? 0) + 1);
  }
  return [...counts].map(([state, count]) =>
    `${count} ${count === 1 ? "backend" : "backends"} ${state}`
  );
}
