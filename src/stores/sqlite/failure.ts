/** What SQLite refuses, in words: which file, why, what to do. */
import { SentinelError } from "../../contract/errors.ts";

/**
 * By text, because Deno gives no error number for every failure. The texts are SQLite's own and the same on
 * all runtimes.
 */
const REMEDIES: readonly (readonly [RegExp, string])[] = [
  [/locked/, "another process holds it; end that process (a second gateway, a backup, a shell)"],
  [/disk is full|ENOSPC/, "free disk space"],
  [/disk I\/O error/, "look at the disk: it may be full, over quota or broken"],
  [/readonly|unable to open|EACCES|EPERM|EROFS/, "let this user write the file and its folder"],
  [
    /malformed|not a database|quick_check/,
    "it is damaged; restore a backup, or move it away together with its -wal and -shm files: kill " +
    "switches and event log begin empty then",
  ],
];

/** @param act What was tried, such as `read`, `write`. */
export function failure(path: string, act: string, cause: unknown): SentinelError {
  if (cause instanceof SentinelError) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  const code = String((cause as { readonly code?: unknown } | undefined)?.code);
  const remedy = REMEDIES.find(([pattern]) => pattern.test(`${code} ${reason}`))?.[1];
  return refusal(`Cannot ${act} the state file "${path}": ${reason}`, remedy, cause);
}

/** The state is not usable: operations that must be recorded are refused as long as this lasts. */
export function refusal(problem: string, remedy?: string, cause?: unknown): SentinelError {
  const reason = remedy === undefined ? problem : `${problem}; ${remedy}`;
  return new SentinelError("AUDIT_UNAVAILABLE", reason, { reason }, cause);
}
