/** What a gateway shares with its replicas: where its configuration names a server to meet at. */
import type { Config } from "../contract/mod.ts";
import type { Clock } from "../ports/clock.ts";
import type { Replicas } from "../ports/replicas.ts";
import { systemRandom } from "./random.ts";

/**
 * Undefined for a gateway of its own. Waits for the server two seconds at most: one that is away is tried again
 * and again, while the gateway serves.
 */
export async function openReplicas(
  { sessions, server }: Pick<Config, "sessions" | "server">,
  clock: Clock,
): Promise<Replicas | undefined> {
  if (sessions.store !== "redis" || sessions.url === undefined) return undefined;
  const { openRedisReplicas } = await import("../stores/redis/replicas.ts");
  return await openRedisReplicas({
    url: sessions.url,
    gateway: server.name,
    clock,
    random: systemRandom,
  });
}
