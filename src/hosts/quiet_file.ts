/** Editors and tools write a file in steps: what is read between them may be valid, and wrong. */
import { stat } from "node:fs/promises";
import { SentinelError } from "../contract/mod.ts";
import type { Clock } from "../ports/clock.ts";

/** A file that has not changed for this long is taken as written. */
const QUIET_MS = 100;
/** How long it is waited for. */
const PATIENCE_MS = 2000;

/**
 * Resolves when the file has been left alone for a moment; at once when it has been for long.
 * @throws SentinelError CONFIG_INVALID when it stays empty or keeps changing
 */
export async function quietFile(path: string, clock: Clock): Promise<void> {
  const deadline = clock.monotonic() + PATIENCE_MS;
  for (let last = await look(path); last !== undefined;) {
    const age = clock.now() - last.changedAt;
    if (last.size > 0 && age >= QUIET_MS) return;
    if (clock.monotonic() >= deadline) throw unfinished(path, last.size);
    await new Promise<void>((resolve) => clock.after(QUIET_MS, resolve));
    const next = await look(path);
    // The clock of the disk may differ from ours: two equal looks are as good.
    const isQuiet = next !== undefined && next.size > 0 && next.size === last.size &&
      next.changedAt === last.changedAt;
    if (isQuiet) return;
    last = next;
  }
}

/** Undefined when it is not there: who reads it says so. */
async function look(path: string): Promise<{ size: number; changedAt: number } | undefined> {
  try {
    const { size, mtimeMs } = await stat(path);
    return { size, changedAt: mtimeMs };
  } catch {
    return undefined;
  }
}

function unfinished(path: string, size: number): SentinelError {
  const reason = size === 0
    ? 'it is empty; a gateway without backends is written as "version = 1"'
    : "it is still being written";
  return new SentinelError("CONFIG_INVALID", `Cannot load "${path}": ${reason}`, {
    more: { issues: [] },
  });
}
