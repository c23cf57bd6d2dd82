/** Where the sessions of a gateway are kept beside its memory. */
import { join } from "node:path";
import type { Config } from "../contract/mod.ts";
import type { Clock } from "../ports/clock.ts";
import type { SessionStore } from "../ports/session_store.ts";
import { MemorySessionStore } from "../stores/memory/session_store.ts";
import { systemRandom } from "./random.ts";

export interface SessionStoreOptions {
  readonly clock: Clock;
  /** Of the gateway's state; undefined when everything is in memory. */
  readonly folder: string | undefined;
}

/**
 * Opens what `sessions.store` says. A server that is away is tried again and again, while the gateway serves; it
 * is waited for two seconds at most.
 * @throws SentinelError CONFIG_INVALID when the file cannot be used
 */
export async function openSessionStore(
  { sessions, server }: Pick<Config, "sessions" | "server">,
  { clock, folder }: SessionStoreOptions,
): Promise<SessionStore> {
  const { store, url, resume } = sessions;
  const common = { clock, random: systemRandom, events: resume.events, keepMs: resume.keep };
  if (store === "sqlite" && folder !== undefined) {
    const { openSqliteSessions } = await import("../stores/sqlite/session_store.ts");
    return openSqliteSessions(join(folder, "sessions.sqlite"), common);
  }
  if (store === "redis" && url !== undefined) {
    const { openRedisSessions } = await import("../stores/redis/open_sessions.ts");
    return await openRedisSessions({ ...common, url, gateway: server.name });
  }
  return new MemorySessionStore({ clock, random: systemRandom, isShared: false });
}
