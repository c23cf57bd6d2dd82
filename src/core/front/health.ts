/** `/health` and `/ready`: for probes, which have no token; they say nothing that a stranger may not know. */
import type { RuntimeState } from "../../contract/mod.ts";
import { type Readiness, READINESS_RETRY_MS } from "../../contract/readiness.ts";
import type { HttpOutgoing } from "./http_message.ts";
import { jsonResponse, methodNotAllowed } from "./responses.ts";

/** What probes are told, now. */
export interface Probes {
  readonly state: () => RuntimeState;
  readonly readiness: () => Readiness;
}

/** Answers GET and HEAD. */
export function answerProbe(
  probes: Probes,
  endpoint: "health" | "ready",
  method: string,
): HttpOutgoing {
  if (method !== "GET" && method !== "HEAD") return methodNotAllowed("GET, HEAD");
  const answer = endpoint === "health" ? health(probes) : ready(probes);
  return method === "HEAD" ? { ...answer, body: undefined } : answer;
}

function health({ state }: Probes): HttpOutgoing {
  return jsonResponse(JSON.stringify({ status: "alive", state: state() }), 200, FRESH);
}

function ready({ readiness }: Probes): HttpOutgoing {
  const told = readiness();
  const text = JSON.stringify(told);
  return told.status === "ready"
    ? jsonResponse(text, 200, FRESH)
    : jsonResponse(text, 503, { ...FRESH, ...RETRY });
}

const FRESH = { "cache-control": "no-store" } as const;
const RETRY = { "retry-after": String(READINESS_RETRY_MS / 1000) } as const;
