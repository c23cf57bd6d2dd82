import { setTimeout as sleep } from "node:timers/promises";

const PAUSE_MS = 100;

/**
 * Tries again until it succeeds, and returns what it returned then.
 * @throws what the last try threw, after `ms`
 */
export async function until<T>(attempt: () => T | Promise<T>, ms: number): Promise<T> {
  const end = performance.now() + ms;
  for (;;) {
    try {
      return await attempt();
    } catch (cause) {
      if (performance.now() > end) throw cause;
    }
    await sleep(PAUSE_MS);
  }
}
