/**
 * How much a caller may call: a bucket for each caller and tool, and slots for what is under way. Live, not
 * part of the world: a reload holds for every call that starts after it, and buckets stay as they are.
 */
import { type Config, SentinelError } from "../../contract/mod.ts";
import type { LimitStatus } from "../../contract/manage/mod.ts";
import { formatRate } from "../../contract/units.ts";
import type { Clock } from "../../ports/clock.ts";
import type { BucketStatus, RateStore, Taken } from "../../ports/rate_store.ts";
import type { Telemetry } from "../../ports/telemetry.ts";
import type { Call } from "../call/call.ts";
import type { Target } from "../catalog/types.ts";
import type { Caller } from "../session/caller.ts";
import { type LimitRule, LimitRules } from "./rules.ts";
import { Slots } from "./slots.ts";

export interface LimitsPorts {
  readonly rates: RateStore;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
}

/** Calls of these count; lists and pings are answered here, and nobody is kept from unsubscribing. */
const RATED: ReadonlySet<string> = new Set([
  "tools/call",
  "prompts/get",
  "resources/read",
  "completion/complete",
]);

/** Sums of fractions: less than this is no part of a call. */
const EPSILON = 1e-6;

/** Between the parts of a key; no exposed name and no name of a backend has it. */
const SEPARATOR = "\n";

export class Limits {
  readonly #ports: LimitsPorts;
  readonly #slots = new Slots();
  #config: Config["limits"];
  #rules: LimitRules;

  constructor(config: Config["limits"], ports: LimitsPorts) {
    this.#ports = ports;
    this.#config = config;
    this.#rules = new LimitRules(config);
    // A rate needs a zero to start from.
    for (const scope of ["caller_tool", "role"] as const) {
      ports.telemetry.series("sentinel_rate_limit_rejections_total", {
        scope,
        gen_ai_tool_name: "",
      }).add(0);
    }
  }

  /** Puts the section `[limits]` in force. */
  configure(config: Config["limits"]): void {
    if (config === this.#config) return;
    this.#config = config;
    this.#rules = new LimitRules(config);
  }

  /**
   * Takes a slot and a token for a call that goes to a backend. Whoever refuses it gives the slot back.
   * @throws SentinelError OVERLOADED, RATE_LIMITED
   */
  admit(call: Call): undefined | Promise<undefined> {
    this.#slots.take(call, this.#config);
    if (!RATED.has(call.method)) return undefined;
    const target = call.target as Target;
    const rule = this.#rules.of(target, call.caller.principal.roles);
    const { rates, clock } = this.#ports;
    const taken = rates.take(keyOf(call, target), rule, clock.monotonic());
    if (taken instanceof Promise) return taken.then((settled) => this.#judge(call, rule, settled));
    return this.#judge(call, rule, taken);
  }

  /**
   * A call that waited for its client goes on: it takes a slot again, but no further token.
   * @throws SentinelError OVERLOADED
   */
  readmit(call: Call): void {
    this.#slots.take(call, this.#config);
  }

  /** The call is settled, or waits for its client. */
  release(call: Call): void {
    this.#slots.release(call);
  }

  /** @throws SentinelError RATE_LIMITED with status 429 */
  admitNewcomer(): void {
    this.#slots.admitNewcomer(this.#config);
  }

  /** Buckets made after the one with this number, oldest first. */
  *list(after: number): Generator<LimitStatus & { readonly number: number }> {
    const { rates, clock } = this.#ports;
    for (const bucket of rates.list(after, clock.monotonic())) yield limitStatus(bucket);
  }

  /** Forgets what nobody used for a while. */
  sweep(): void {
    this.#ports.rates.sweep(this.#ports.clock.monotonic());
  }

  #judge(call: Call, rule: LimitRule, { allowed, retryAfterMs }: Taken): undefined {
    if (allowed) return;
    this.#slots.release(call);
    const { kind, exposed, backend } = call.target as Target;
    this.#ports.telemetry.series("sentinel_rate_limit_rejections_total", {
      scope: rule.scope,
      gen_ai_tool_name: kind === "tool" ? exposed : "",
    }).add(1);
    const name = exposed.slice(0, 200);
    throw new SentinelError("RATE_LIMITED", `Cannot call "${name}": too many calls`, {
      backend,
      reason: `${rule.text}, for each ${isSignedIn(call.caller) ? "caller" : "session"}`,
      retryAfterMs,
      executed: "no",
      // In band, because the message was understood and the others of the client go on.
      http: 200,
    });
  }
}

/**
 * A bucket for each tool; for other methods one for each backend: URIs are the caller's to choose, so they
 * would be buckets without end.
 */
function keyOf({ method, caller }: Call, { kind, exposed, backend }: Target): string {
  const name = kind === "tool" ? exposed : `${method} ${backend}`;
  return name + SEPARATOR + callerOf(caller);
}

/** While sign-in is off nobody is anybody: each session counts for itself, and each address without one. */
export function callerOf(caller: Caller): string {
  if (isSignedIn(caller)) return caller.principal.id;
  return caller.ref === undefined ? `address ${caller.address ?? ""}` : `session ${caller.ref}`;
}

function isSignedIn({ principal }: Caller): boolean {
  return principal.roles !== undefined;
}

function limitStatus(
  { number, key, limit, used, rejected, nextMs }: BucketStatus,
): LimitStatus & { readonly number: number } {
  const end = key.indexOf(SEPARATOR);
  return {
    number,
    caller: key.slice(end + SEPARATOR.length),
    name: key.slice(0, end),
    limit: formatRate(limit),
    burst: limit.burst,
    used: Math.max(0, Math.ceil(used - EPSILON)),
    rejected,
    nextMs,
  };
}
