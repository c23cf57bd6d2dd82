/** What operators see of the runtime. */
import { type BackendStatus, SentinelError } from "../../contract/mod.ts";
import type { KillSwitch, SessionStatus } from "../../contract/manage/mod.ts";
import { suggest } from "../../contract/suggest.ts";
import { shownPrincipal } from "../auth/principal.ts";
import type { Backend } from "../backends/backend.ts";
import { compilePatterns } from "../patterns.ts";
import type { Session } from "../session/session.ts";
import type { SetSwitch } from "./kill_switches.ts";
import type { World } from "./world.ts";

/** @throws SentinelError NOT_FOUND, with the nearest name */
export function findBackend({ backends }: World, name: string): Backend {
  const backend = backends.get(name);
  if (backend !== undefined) return backend;
  const near = suggest(name, backends.keys());
  throw new SentinelError(
    "NOT_FOUND",
    `There is no backend "${name.slice(0, 200)}"`,
    near === undefined ? {} : { reason: `did you mean "${near}"?` },
  );
}

export function backendStatus(backend: Backend, lines: number, { kills }: World): BackendStatus {
  const killed = kills.ofBackend(backend.name);
  const status = backend.status(lines);
  return killed === undefined ? status : { ...status, killed: killed.reason };
}

/** With what it covers now. */
export function killSwitch(entry: SetSwitch, { catalog, backends }: World): KillSwitch {
  if (entry.scope === "backends") return { ...entry, matches: backends.has(entry.name) ? 1 : 0 };
  const covers = compilePatterns([entry.name]);
  const tools = catalog.entries.tool.filter(({ target }) => covers(target.exposed));
  return { ...entry, matches: tools.length };
}

export function sessionStatus(session: Session, now: number): SessionStatus {
  let streams = 0;
  for (const stream of session.streams.values()) if (stream.attached) streams++;
  return {
    id: session.ref,
    ...shownPrincipal(session.principal),
    ...(session.client === undefined ? {} : { client: session.client }),
    transport: session.front,
    protocol: session.revision,
    ...(session.toolset === undefined ? {} : { toolset: session.toolset }),
    openedAt: new Date(session.openedAt).toISOString(),
    idleSeconds: Math.max(0, Math.floor((now - session.lastSeen) / 1000)),
    calls: session.load.total,
    inFlight: session.load.inFlight,
    streams,
    restored: session.ledger.restored,
    lost: session.ledger.lost,
  };
}

/** Why the gateway is not ready. */
export function reasonsOf(
  { backends }: World,
  failures: Readonly<Record<string, string | undefined>>,
): string[] {
  const down = [...backends.values()].filter((backend) => backend.config.enabled && !backend.up)
    .map((backend) => `backend "${backend.name}" is ${backend.state}`);
  const failed = Object.entries(failures).filter(([, failure]) => failure !== undefined)
    .map(([store, failure]) => `${store}: ${failure}`);
  return [...down.slice(0, MAX_REASONS), ...failed];
}

const MAX_REASONS = 20;
