/** How a backend is shown to operators, and refused to callers while it is away. */
import {
  type BackendConfig,
  type BackendState,
  type BackendStatus,
  type DroppedMessages,
  type Era,
  SentinelError,
  type Traffic,
} from "../../contract/mod.ts";
import type { BackendCatalog } from "../catalog/types.ts";
import type { SupervisorStatus } from "./supervisor.ts";
import type { WireOpener } from "./wire_opener.ts";

/** What the status of a backend is made of. */
export interface StatusParts {
  readonly name: string;
  readonly config: BackendConfig;
  readonly state: BackendState;
  readonly supervisor: SupervisorStatus;
  readonly opener: WireOpener;
  /** Of stderr, at most. */
  readonly lines: number;
  readonly found: BackendCatalog | undefined;
  readonly protocol: string | undefined;
  readonly era: Era | undefined;
  readonly inFlight: number;
  readonly queued: number;
  readonly circuit: BackendStatus["circuit"];
  readonly lastPing: BackendStatus["lastPing"];
  readonly lost: readonly string[];
  readonly links: number;
  readonly traffic: Traffic;
  readonly dropped: DroppedMessages;
}

export function nothingDropped(): DroppedMessages {
  return { foreign: 0, duplicate: 0, late: 0, invalid: 0, unattributed: 0 };
}

export function backendStatus(parts: StatusParts): BackendStatus {
  const { name, config, state, supervisor, opener, found, inFlight, links, dropped } = parts;
  return {
    name,
    alias: config.alias ?? name,
    kind: opener.kind,
    state,
    since: new Date(supervisor.since).toISOString(),
    stderr: opener.stderrTail(parts.lines),
    restarts: supervisor.restarts,
    tools: found?.tools.length ?? 0,
    prompts: found?.prompts.length ?? 0,
    resources: found?.resources.length ?? 0,
    templates: found?.templates.length ?? 0,
    inFlight,
    queued: parts.queued,
    circuit: parts.circuit,
    lost: parts.lost,
    links,
    traffic: parts.traffic,
    dropped: { ...dropped },
    ...known({
      protocol: parts.protocol,
      lastPing: parts.lastPing,
      era: parts.era,
      lastError: describe(supervisor.lastError),
      exitCode: opener.lastExit?.code,
      signal: opener.lastExit?.signal,
      nextRetry: supervisor.nextRetryAt === undefined
        ? undefined
        : new Date(supervisor.nextRetryAt).toISOString(),
      pid: opener.pid,
    }),
  };
}

type Known<T> = { [Key in keyof T]?: Exclude<T[Key], undefined> };

/** Leaves out what is not known. */
function known<T extends Record<string, unknown>>(members: T): Known<T> {
  return Object.fromEntries(
    Object.entries(members).filter(([, value]) => value !== undefined),
  ) as Known<T>;
}

function describe(error: SentinelError | undefined): string | undefined {
  const { reason } = error?.details ?? {};
  if (error === undefined || reason === undefined) return error?.message;
  return error.message.includes(reason) ? error.message : `${error.message}: ${reason}`;
}

export function disabled(backend: string): SentinelError {
  return new SentinelError("BACKEND_DISABLED", `Cannot call backend "${backend}": it is disabled`, {
    backend,
    executed: "no",
  });
}

/** Fails fast instead of waiting: says why and when the next attempt is. */
export function down(
  backend: string,
  { state, lastError, nextRetryAt }: SupervisorStatus,
  now: number,
): SentinelError {
  const reason = lastError?.details.reason ?? lastError?.message;
  return new SentinelError(
    "CIRCUIT_OPEN",
    `Cannot call backend "${backend}": it is down (${state})`,
    {
      backend,
      executed: "no",
      ...(reason === undefined ? {} : { reason }),
      ...(nextRetryAt === undefined
        ? {}
        : { retryAfterMs: Math.max(0, Math.ceil(nextRetryAt - now)) }),
    },
  );
}
