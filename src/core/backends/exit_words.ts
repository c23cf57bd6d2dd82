/** How a process ended, in words. */
import type { ChildExit } from "../../ports/process.ts";

const MEBIBYTE = 1_048_576;

/** `exit code 1`, `signal SIGKILL`, or which limit it was ended by. */
export function exitWords({ code, signal, failure, exceeded }: ChildExit): string {
  if (failure !== undefined) return failure;
  if (exceeded !== undefined) {
    const { limit, used, most } = exceeded;
    return `ended by the ${limit} limit: ${mebibytes(used)} used of ${mebibytes(most)}`;
  }
  return signal === undefined ? `exit code ${code ?? "unknown"}` : `signal ${signal}`;
}

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / MEBIBYTE)} MiB`;
}
