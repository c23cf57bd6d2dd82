/** How a gateway speaks to its replicas: where its configuration names a server to meet at. */
import type { Config } from "../contract/mod.ts";
import type { Bus } from "../ports/bus.ts";
import type { Clock } from "../ports/clock.ts";
import { systemRandom } from "./random.ts";

/**
 * Undefined for a gateway of its own. Waits for the server two seconds at most: one that is away is tried again
 * and again, while the gateway serves.
 */
export async function openBus(
  { sessions, server }: Pick<Config, "sessions" | "server">,
  clock: Clock,
  instance: string,
): Promise<Bus | undefined> {
  if (sessions.store !== "redis" || sessions.url === undefined) return undefined;
  const { openRedisBus } = await import("../stores/redis/bus.ts");
  return await openRedisBus({
    url: sessions.url,
    gateway: server.name,
    instance,
    clock,
    random: systemRandom,
  });
}
