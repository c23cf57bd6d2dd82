/** A registry of sessions on a fake clock. */
import type { Principal } from "../../../src/core/auth/principal.ts";
import { type SessionBounds, Sessions } from "../../../src/core/session/registry.ts";
import type { Session } from "../../../src/core/session/session.ts";
import { systemRandom } from "../../../src/hosts/random.ts";
import type { SessionStore } from "../../../src/ports/session_store.ts";
import { MemorySessionStore } from "../../../src/stores/memory/session_store.ts";
import { Registry } from "../../../src/telemetry/registry.ts";
import { FakeClock } from "../../support/fake_clock.ts";

export interface KitOptions {
  readonly bounds?: Partial<SessionBounds>;
  readonly clock?: FakeClock;
  readonly store?: SessionStore;
  readonly instance?: string;
}

export interface Logged {
  readonly event: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export function sessionKit(options: KitOptions = {}) {
  const { clock = new FakeClock(), instance = "0123456789ab" } = options;
  const { store = new MemorySessionStore({ clock, random: systemRandom }) } = options;
  const closed: string[] = [];
  const restored: Session[] = [];
  const changed: Session[] = [];
  const log: Logged[] = [];
  const telemetry = new Registry();
  const bounds: SessionBounds = {
    max: 10,
    maxPerPrincipal: 1000,
    idleMs: 30_000,
    lifetimeMs: 86_400_000,
    required: false,
    heartbeatMs: 15_000,
    ...options.bounds,
  };
  const sessions = new Sessions({
    clock,
    random: systemRandom,
    log: { write: (event, fields = {}) => void log.push({ event, fields }) },
    instance,
    store,
    telemetry,
    bounds: () => bounds,
    onOpen: () => {},
    onRestored: (session) => void restored.push(session),
    onChanged: (session) => void changed.push(session),
    onRoles: () => {},
    onClose: (session) => void closed.push(session.id),
  });
  return { clock, store, sessions, closed, restored, changed, log, telemetry };
}

/** Somebody who has signed in. */
export function signedIn(subject: string): Principal {
  return { id: `https://issuer.example|${subject}`, subject, roles: ["dev"], roleKey: "dev" };
}
