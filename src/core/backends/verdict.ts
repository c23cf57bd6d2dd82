/** What the end of an exchange says of the backend and of the tool that was called. */
import type { SentinelError } from "../../contract/mod.ts";
import type { LinkReply } from "./link.ts";

/** Who failed: the backend as a whole, what was asked of it, or nobody. */
export type Verdict = "well" | "backend" | "answer";

const INTERNAL_ERROR = -32603;
/** Errors of servers (JSON-RPC), down to where the codes of MCP begin. */
const FIRST_SERVER_ERROR = -32000;
const LAST_SERVER_ERROR = -32019;
/** A resource the caller made up: until 2025-11-25 in the middle of the errors of servers. */
const RESOURCE_NOT_FOUND = -32002;

/** A tool's `isError` and the mistakes of callers are answers like any other. */
export function verdictOfReply(reply: LinkReply): Verdict {
  if (!("error" in reply)) return "well";
  const { code } = reply.error;
  if (code === INTERNAL_ERROR) return "answer";
  const isServerError = code <= FIRST_SERVER_ERROR && code >= LAST_SERVER_ERROR &&
    code !== RESOURCE_NOT_FOUND;
  return isServerError ? "answer" : "well";
}

/** What never reached the backend, because we refused it, says nothing of it: undefined. */
export function verdictOfFailure({ code }: SentinelError): Verdict | undefined {
  const isOfBackend = code === "BACKEND_LOST" || code === "BACKEND_TIMEOUT" ||
    code === "BACKEND_PROTOCOL";
  return isOfBackend ? "backend" : undefined;
}
