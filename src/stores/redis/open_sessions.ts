import type { SessionStore } from "../../ports/session_store.ts";
import { sha256 } from "./digest.ts";
import { KeptConnection } from "./kept_connection.ts";
import { keysOf } from "./keys.ts";
import { type RedisSessionOptions, RedisSessionStore } from "./session_store.ts";

export interface OpenSessionsOptions extends Omit<RedisSessionOptions, "server" | "keys"> {
  readonly url: string;
  /** Name of the gateway: its replicas have the same. */
  readonly gateway: string;
}

/** Begins to connect; resolves when it can be used or the first attempt has failed, after two seconds at most. */
export async function openRedisSessions(options: OpenSessionsOptions): Promise<SessionStore> {
  const keys = keysOf(options.gateway, options.url, sha256);
  const server = new KeptConnection({
    ...options,
    prepare: async (connection) => {
      await connection.run(["SET", keys.probe, "1", "PX", "60000"]);
    },
  });
  await server.start();
  return new RedisSessionStore({ ...options, server, keys });
}
