import type { Clock } from "../../ports/clock.ts";
import type { Child } from "../../ports/process.ts";

/** A child that reads its stdin to the end is given this long to leave by itself. */
const END_OF_INPUT_MS = 2000;
/** SIGKILL cannot be ignored, but a process in uninterruptible sleep can outlast it. */
const KILLED_MS = 2000;

/**
 * Ends a child with its whole group: end of stdin, SIGTERM, SIGKILL (protocol.md 3.9). Resolves with true
 * when the child is gone, with false when even SIGKILL had no effect within 2 s.
 */
export async function stopChild(child: Child, clock: Clock, graceMs: number): Promise<boolean> {
  child.end();
  if (await settles(child.exited, Math.min(graceMs, END_OF_INPUT_MS), clock)) return true;
  child.kill("SIGTERM");
  if (await settles(child.exited, graceMs, clock)) return true;
  child.kill("SIGKILL");
  return await settles(child.exited, KILLED_MS, clock);
}

/** Whether `promise` (which must not reject) resolves within `ms`. */
export async function settles(
  promise: Promise<unknown>,
  ms: number,
  clock: Clock,
): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<boolean>();
  const cancel = clock.after(ms, () => resolve(false));
  const inTime = await Promise.race([promise.then(() => true), late]);
  cancel();
  return inTime;
}
