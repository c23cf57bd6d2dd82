/** What may be sent to a backend a second time, how often and when (trust.md B1). */
import type { BackendConfig, SentinelError } from "../../contract/mod.ts";
import type { Call } from "../call/call.ts";
import { compilePatterns } from "../patterns.ts";
import type { BackendPorts } from "./ports.ts";
import { RetryBudget } from "./retry_budget.ts";

/** Methods that change nothing at a backend. Lists are asked for by the gateway itself. */
const SAFE: ReadonlySet<string> = new Set([
  "resources/read",
  "prompts/get",
  "completion/complete",
  "tasks/get",
]);
/** A backend that refuses our credentials refuses them again. */
const NO_ACCESS: readonly unknown[] = [401, 403];
const SESSION_LOST = 404;

export interface RetriesOptions {
  readonly backend: string;
  readonly ports: Pick<BackendPorts, "clock" | "random" | "telemetry">;
  /** In force now. */
  readonly settings: () => BackendConfig["retry"];
}

/** A request that failed, and how often it was sent. */
export interface FailedTry {
  readonly error: SentinelError;
  readonly attempts: number;
  /** Monotonic time at which the call's own time is over. */
  readonly deadline: number;
}

type Reason = "not_delivered" | "lost" | "timeout";

export class Retries {
  readonly #options: RetriesOptions;
  readonly #budget = new RetryBudget();

  constructor(options: RetriesOptions) {
    this.#options = options;
    // A rate needs a zero to start from.
    for (const reason of ["not_delivered", "lost", "timeout", "over_budget"] as const) {
      this.#count(reason, 0);
    }
  }

  /** A call ended at `now` (monotonic ms). */
  count(now: number): void {
    this.#budget.count(now);
  }

  /** Milliseconds until the call is sent again; undefined: it is not. */
  pause(call: Call, failed: FailedTry): number | undefined {
    const { ports: { clock }, settings } = this.#options;
    const { attempts, budget } = settings();
    const reason = this.#reason(call, failed.error);
    if (reason === undefined || failed.attempts >= attempts || !isUntouched(call)) return undefined;
    const pauseMs = this.#pauseMs(failed);
    const now = clock.monotonic();
    if (now + pauseMs >= failed.deadline) return undefined;
    // A session that is made anew is no load: the request goes to the backend once.
    if (!isSessionLost(failed) && !this.#budget.take(now, budget)) {
      this.#count("over_budget", 1);
      return undefined;
    }
    this.#count(reason, 1);
    return pauseMs;
  }

  /** Why it may be sent again, if so. */
  #reason({ method, target }: Call, { code, details }: SentinelError): Reason | undefined {
    if (code !== "BACKEND_LOST" && code !== "BACKEND_TIMEOUT") return undefined;
    if (NO_ACCESS.includes(details.more?.["status"])) return undefined;
    if (details.executed === "no") return "not_delivered";
    const isSafe = SAFE.has(method) ||
      (method === "tools/call" && compilePatterns(this.#options.settings().tools)(
        target?.original ?? "",
      ));
    if (!isSafe) return undefined;
    return code === "BACKEND_LOST" ? "lost" : "timeout";
  }

  /** Any part of a time that doubles, so that callers do not come back together. */
  #pauseMs(failed: FailedTry): number {
    if (isSessionLost(failed)) return 0;
    const { ports: { random }, settings } = this.#options;
    const { base, max } = settings();
    const longest = Math.min(max, base * 2 ** (failed.attempts - 1));
    const asked = failed.error.details.retryAfterMs ?? 0;
    return Math.max(asked, Math.round(longest * random.fraction()));
  }

  #count(reason: Reason | "over_budget", retries: number): void {
    const { backend, ports: { telemetry } } = this.#options;
    const labels = { sentinel_backend: backend, reason };
    telemetry.series("sentinel_backend_retries_total", labels).add(retries);
  }
}

/** Nobody has heard of the call but us: its client still waits, and was told and asked nothing. */
function isUntouched({ cancelled, failure, hasTold }: Call): boolean {
  return cancelled === undefined && failure === undefined && !hasTold;
}

/** The backend has forgotten the session of the connection: a new one is made at once, but only once. */
function isSessionLost({ error: { details }, attempts }: FailedTry): boolean {
  return attempts === 1 && details.executed === "no" && details.more?.["status"] === SESSION_LOST;
}
