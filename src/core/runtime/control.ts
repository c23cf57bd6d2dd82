/** What operators see and do: the one door of the management API into the core. */
import type { ErrorName, Severity } from "../../contract/mod.ts";
import type { Actor } from "../../contract/operations.ts";
import type {
  CallRecord,
  Capability,
  Diff,
  KillSwitch,
  LimitStatus,
  RouteAnswer,
  SessionStatus,
  Status,
} from "../../contract/manage/mod.ts";
import type { BackendStatus, RefusedItem, RuntimeState } from "../../contract/status.ts";
import type { Readiness } from "../../contract/readiness.ts";
import type { AuditReader } from "../../ports/audit.ts";
import type { Cancel } from "../../ports/clock.ts";
import type { EventLog } from "./event_log.ts";

/** Who acts, and the key that makes a repetition harmless. */
export interface Act {
  readonly actor: Actor;
  /** `Idempotency-Key`: the same key gives the same answer, for ten minutes. */
  readonly key?: string;
}

/** A request that was turned away, for the journal. */
export interface Refusal {
  readonly request: string;
  readonly code: ErrorName;
  /** The reason that the caller is not told. */
  readonly why: string;
  readonly method: string;
  readonly path: string;
  readonly actor: Actor;
}

export type KillScope = KillSwitch["scope"];

/** What a kill switch is set for. */
export interface KillTarget {
  readonly scope: KillScope;
  /** Backend, exposed tool name, or pattern over these. */
  readonly name: string;
}

/** What of the audit can be read back. */
export interface AuditAccess {
  readonly reader: AuditReader;
  /** The run of this gateway. */
  readonly run: string;
}

export interface Control {
  readonly name: string;
  readonly state: RuntimeState;
  readonly revision: number;
  /** Log of what happened, by cursor. */
  readonly events: EventLog;
  /** What of the status the core knows; the host adds the rest. */
  status(): Omit<Status, "runtime" | "pid" | "endpoint" | "version">;
  /** Whether calls can be served now. */
  readiness(): Readiness;
  /** Sorted by name; `lines` of stderr for each. */
  backends(lines: number): readonly BackendStatus[];
  /** @throws SentinelError NOT_FOUND */
  backend(name: string, lines: number): BackendStatus;
  /** @throws SentinelError NOT_FOUND */
  backendLogs(name: string): { readonly lines: readonly string[]; readonly total: number };
  /** Sorted by kind and name; the same array until the catalog or a switch changes. */
  capabilities(): readonly Capability[];
  /** Definition as shown to clients. @throws SentinelError NOT_FOUND */
  definition(kind: string, name: string): Readonly<Record<string, unknown>>;
  refused(): readonly RefusedItem[];
  /** Sessions opened after the one with this number, oldest first. */
  sessions(after: number): Iterable<SessionStatus & { readonly number: number }>;
  /** @throws SentinelError NOT_FOUND */
  session(id: string): Omit<RouteAnswer<"session">, "revision">;
  /** Buckets made after the one with this number, oldest first. */
  limits(after: number): Iterable<LimitStatus & { readonly number: number }>;
  killSwitches(): readonly KillSwitch[];
  /** Undefined when nothing is recorded, or where it cannot be read back; `status().audit.store` tells. */
  audit(): AuditAccess | undefined;
  config(): Omit<RouteAnswer<"config">, "revision">;
  /** @throws SentinelError CONFIG_INVALID, OPERATION_DISABLED */
  diff(): Promise<Diff>;
  /** Calls as they end. */
  onCall(take: (call: CallRecord) => void): Cancel;

  // Operations. All of them: @throws SentinelError AUDIT_UNAVAILABLE, STOPPING, CONFLICT, OVERLOADED.
  /** @throws SentinelError CONFIG_INVALID (recorded as `rejected`), OPERATION_DISABLED */
  reload(act: Act): Promise<RouteAnswer<"reload">>;
  /** @throws SentinelError NOT_FOUND */
  reconnect(backend: string, act: Act): Promise<RouteAnswer<"reconnect">>;
  /**
   * In force when it returns; resolves when the other replicas know, or cannot be told.
   * @throws SentinelError NOT_FOUND, INVALID_PARAMS
   */
  kill(target: KillTarget & { readonly reason: string }, act: Act): Promise<RouteAnswer<"kill">>;
  /** As `kill`. @throws SentinelError NOT_FOUND, CONFLICT for a switch of the configuration */
  clearKill(target: KillTarget, act: Act): Promise<RouteAnswer<"clearKill">>;
  /** @throws SentinelError NOT_FOUND, CONFLICT when it is not held, or not as it was looked at */
  approve(
    wanted: { readonly kind: "tool" | "prompt"; readonly name: string; readonly hash: string },
    act: Act,
  ): RouteAnswer<"approve">;
  /** @throws SentinelError NOT_FOUND */
  closeSession(id: string, act: Act): RouteAnswer<"closeSession">;
  /** For some minutes. */
  setLogLevel(
    wanted: { readonly level: Severity; readonly minutes: number },
    act: Act,
  ): RouteAnswer<"logLevel">;
  /** Begins to stop; resolves before it has. @throws SentinelError OPERATION_DISABLED */
  shutdown(act: Act): Promise<RouteAnswer<"shutdown">>;

  /** Writes a refusal into journal and log. @throws SentinelError AUDIT_UNAVAILABLE */
  refuse(refusal: Refusal): void;
}
