import { SentinelError } from "../../contract/errors.ts";

/** What happened to the audit's journal, in words. */
export function auditFailure(act: "read" | "write" | "open", path: string, cause: unknown) {
  if (cause instanceof SentinelError) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  const problem = `Cannot ${act} the audit's journal "${path}": ${reason}`;
  const remedy = "free the disk, or let this user write the folder";
  return new SentinelError("AUDIT_UNAVAILABLE", `${problem}; ${remedy}`, { reason }, cause);
}

export function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | undefined)?.code;
}
