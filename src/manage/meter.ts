/** Counts requests and refusals. */
import type { RouteName } from "../contract/manage/mod.ts";
import type { ErrorName, Labels, SentinelError } from "../contract/mod.ts";
import type { Telemetry } from "../ports/telemetry.ts";

const METHODS = ["GET", "POST", "PUT", "DELETE"];

export interface Served {
  /** Undefined when it was refused before a route was found. */
  readonly route: RouteName | undefined;
  readonly method: string;
  readonly status: number;
}

export function countRequest(telemetry: Telemetry, { route, method, status }: Served): void {
  telemetry.series("sentinel_management_requests_total", {
    route: route ?? "none",
    method: METHODS.includes(method) ? method : "other",
    code: String(status),
  }).add(1);
}

/** Counts it when it is a refusal at the door. */
export function countRefusal(telemetry: Telemetry, error: SentinelError): void {
  const reason = reasonOf(error);
  if (reason === undefined) return;
  telemetry.series("sentinel_management_refusals_total", { reason }).add(1);
}

type Reason = Labels<"sentinel_management_refusals_total">["reason"];

const REASONS: Partial<Record<ErrorName, Reason>> = {
  ORIGIN_OR_HOST_REFUSED: "host",
  UNAUTHENTICATED: "token",
  INSUFFICIENT_SCOPE: "scope",
  RATE_LIMITED: "limited",
};

function reasonOf({ code, http }: SentinelError): Reason | undefined {
  return code === "ORIGIN_OR_HOST_REFUSED" && http === 403 ? "origin" : REASONS[code];
}
