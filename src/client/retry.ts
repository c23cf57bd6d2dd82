/** What becomes of a stream whose connection ended. */
import { ManagementError } from "./errors.ts";

const FIRST_DELAY_MS = 1000;
const MAX_DELAY_MS = 30_000;
const MAX_ASKED_DELAY_MS = 300_000;

/** Whether it is connected again (`stale`), and why not. */
export type Ending =
  | { readonly state: "stale"; readonly error: ManagementError }
  | { readonly state: "unauthorized" | "gone"; readonly error?: ManagementError };

/**
 * Judges what ended a connection.
 * @throws what is no ManagementError
 */
export function endingOf(error: unknown): Ending {
  if (!(error instanceof ManagementError)) throw error;
  const { kind, code, status } = error;
  if (kind === "unauthorized" || kind === "forbidden") return { state: "unauthorized", error };
  if (code === "STOPPING") return { state: "gone", error };
  const passes = kind === "unreachable" || kind === "timeout" || kind === "server" ||
    status === 429;
  return { state: passes ? "stale" : "gone", error };
}

/**
 * Milliseconds until the next attempt: 1, 2, 4 … 30 s, spread over their upper half, and never sooner
 * than the gateway asked for.
 */
export function retryDelay(failures: number, error: ManagementError, random: number): number {
  const longest = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** failures);
  const asked = Math.min(MAX_ASKED_DELAY_MS, error.retryAfterMs ?? 0);
  return Math.max(asked, Math.round(longest * (0.5 + random / 2)));
}
