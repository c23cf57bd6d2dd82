/** Failures of requests that no wire reports. */
import { SentinelError } from "../../contract/mod.ts";

export function closedBefore(): SentinelError {
  return new SentinelError("BACKEND_LOST", "Cannot send the call: the connection is closed", {
    executed: "no",
  });
}

export function closedMeanwhile(reason: string): SentinelError {
  return new SentinelError("BACKEND_LOST", `Cannot finish the call: ${reason}`, {
    executed: "unknown",
  });
}
