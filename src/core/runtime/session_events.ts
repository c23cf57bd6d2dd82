/** What sessions tell the runtime, and the bounds they live within. */
import type { Config } from "../../contract/mod.ts";
import type { Log } from "../../ports/log.ts";
import type { View } from "../catalog/types.ts";
import type { Caller } from "../session/caller.ts";
import { notifyListChanges } from "../session/list_changes.ts";
import type { RegistryOptions, SessionBounds } from "../session/registry.ts";
import { adjustAtBackends, restoreAtBackends } from "../session/revival.ts";
import type { Session } from "../session/session.ts";
import type { World } from "./world.ts";

/** What the runtime lends. */
export interface SessionEventsOptions {
  readonly log: Log;
  readonly world: () => World;
  readonly view: (caller: Pick<Caller, "toolset" | "principal">) => View;
  /** Resolves when first handshakes are decided; undefined afterwards. */
  readonly starting: () => Promise<void> | undefined;
  readonly closed: (session: Session) => void;
}

type SessionEvents = Pick<
  RegistryOptions,
  "bounds" | "onOpen" | "onRestored" | "onChanged" | "onRoles" | "onClose"
>;

export function createSessionEvents(options: SessionEventsOptions): SessionEvents {
  const { log, world, view, starting, closed } = options;
  const restored = async (session: Session): Promise<void> => {
    await starting();
    if (session.closed) return;
    await restoreAtBackends(session, world);
    const { restored: again, lost } = session.ledger;
    log.write("session.restored", {
      session: session.ref,
      transport: session.front,
      restored: again,
      lost,
    });
  };
  return {
    bounds: () => boundsOf(world().config),
    onOpen: (session) => log.write("session.opened", { transport: session.front }),
    onRestored: (session) => void restored(session),
    onChanged: (session, before) => void adjustAtBackends(session, before, world),
    onRoles: (session) => notifyListChanges(session, view(session)),
    onClose: closed,
  };
}

function boundsOf({ sessions }: Config): SessionBounds {
  return {
    max: sessions.max,
    maxPerPrincipal: sessions.max_per_principal,
    idleMs: sessions.idle_timeout,
    lifetimeMs: sessions.max_lifetime,
    required: sessions.required,
    heartbeatMs: sessions.heartbeat,
  };
}
