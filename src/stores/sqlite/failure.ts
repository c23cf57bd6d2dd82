/** What SQLite refuses, in words: which file, why, what to do. */
import { type ErrorName, SentinelError } from "../../contract/errors.ts";

/** One of our files, as messages name it. */
export interface FileWords {
  readonly name: string;
  /** What happens when it is moved away. */
  readonly withoutIt: string;
}

export const STATE_WORDS: FileWords = {
  name: "state file",
  withoutIt: "kill switches and event log begin empty then",
};

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
    "it is damaged; restore a backup, or move it away together with its -wal and -shm files",
  ],
];

/** @param act What was tried, such as `read`, `write`. */
export function failure(
  path: string,
  act: string,
  cause: unknown,
  { name, withoutIt }: FileWords = STATE_WORDS,
): SentinelError {
  if (cause instanceof SentinelError) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  const code = String((cause as { readonly code?: unknown } | undefined)?.code);
  const remedy = REMEDIES.find(([pattern]) => pattern.test(`${code} ${reason}`))?.[1];
  const advice = remedy?.includes("move it away") === true ? `${remedy}: ${withoutIt}` : remedy;
  return refusal(`Cannot ${act} the ${name} "${path}": ${reason}`, { remedy: advice, cause });
}

interface RefusalOptions {
  readonly remedy?: string | undefined;
  readonly cause?: unknown;
  readonly code?: ErrorName;
}

/** The file is not usable: what must be recorded in it is refused as long as this lasts. */
export function refusal(
  problem: string,
  { remedy, cause, code = "AUDIT_UNAVAILABLE" }: RefusalOptions = {},
): SentinelError {
  const reason = remedy === undefined ? problem : `${problem}; ${remedy}`;
  return new SentinelError(code, reason, { reason }, cause);
}
