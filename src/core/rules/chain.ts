/** One phase of a call through the interceptors that look at it, in their order. */
import { SentinelError } from "../../contract/mod.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Series } from "../../ports/telemetry.ts";
import type { Attention, Waited } from "./attention.ts";
import type { Hook, Phase, Requests, Verdicts } from "./interceptor.ts";
import type { CallTrace } from "../tracing/call_trace.ts";
import type { Report } from "./report.ts";

/** Longer than this a hook that answers at once must not hold everything else up. */
const BLOCKING_MS = 50;

/** A hook of one phase, with what it needs on each call. */
export interface Hooked<P extends Phase> {
  readonly name: string;
  readonly phase: P;
  readonly run: Hook<P>;
  readonly duration: Series;
  /** How long its promise may take; undefined: it has bounds of its own. */
  readonly limitMs: number | undefined;
}

/** Something on its way past the hooks of a phase. */
export interface Passage<P extends Phase> {
  /** What hooks see of it. */
  readonly seen: Requests[P];
  readonly attention: Attention;
  /** Of the call it belongs to, where that is traced. */
  readonly trace?: CallTrace | undefined;
  /** Puts a change in the place of what was seen; false when it has another shape. */
  change(verdict: object): boolean;
  refusal(by: string, reason: string): SentinelError;
}

export interface ChainPorts {
  readonly clock: Clock;
  readonly report: Report;
}

/** Why a rule failed: a failure that has a name of its own. */
export class RuleFailure extends Error {
  readonly rule: string;

  constructor(rule: string, cause: unknown) {
    super(`Cannot evaluate rule "${rule}": ${words(cause)}`, { cause });
    this.name = "RuleFailure";
    this.rule = rule;
  }
}

/**
 * Shows the passage to each hook. A promise only when a hook gave one.
 * @throws SentinelError POLICY_DENIED, or the error a hook asked for
 */
export function pass<P extends Phase>(
  hooks: readonly Hooked<P>[],
  passage: Passage<P>,
  ports: ChainPorts,
): undefined | Promise<undefined> {
  for (const [at, hook] of hooks.entries()) {
    const verdict = ask(hook, passage, ports);
    if (isThenable(verdict)) return passLater(hooks.slice(at), passage, { ports, verdict });
    take(hook, passage, { ports, verdict });
  }
  return undefined;
}

interface Step {
  readonly ports: ChainPorts;
  readonly verdict: unknown;
}

/** Goes on with the hook whose promise `verdict` is. */
async function passLater<P extends Phase>(
  hooks: readonly Hooked<P>[],
  passage: Passage<P>,
  { ports, verdict: first }: { readonly ports: ChainPorts; readonly verdict: PromiseLike<unknown> },
): Promise<undefined> {
  let verdict: unknown = first;
  for (const [at, hook] of hooks.entries()) {
    if (at > 0) verdict = ask(hook, passage, ports);
    if (isThenable(verdict)) {
      const started = ports.clock.monotonic();
      const waited = await passage.attention.wait(verdict, hook.limitMs);
      hook.duration.observe((ports.clock.monotonic() - started) / 1000);
      if (waited.kind === "gone") return;
      verdict = valueOf(hook, passage, { ports, waited });
    }
    take(hook, passage, { ports, verdict });
  }
}

function ask<P extends Phase>(
  hook: Hooked<P>,
  passage: Passage<P>,
  ports: ChainPorts,
): Verdicts[P] | PromiseLike<Verdicts[P]> {
  const started = ports.clock.monotonic();
  try {
    const verdict = hook.run(passage.seen);
    if (isThenable(verdict)) return verdict;
    const ms = ports.clock.monotonic() - started;
    hook.duration.observe(ms / 1000);
    if (ms > BLOCKING_MS) ports.report.slow(hook.name, hook.phase, ms);
    return verdict;
  } catch (cause) {
    throw failure(hook, passage, { ports, cause });
  }
}

function valueOf<P extends Phase>(
  hook: Hooked<P>,
  passage: Passage<P>,
  { ports, waited }: { readonly ports: ChainPorts; readonly waited: Waited<unknown> },
): unknown {
  if (waited.kind === "value") return waited.value;
  const cause = waited.kind === "failed" ? waited.cause : `no verdict within ${hook.limitMs} ms`;
  throw failure(hook, passage, { ports, cause });
}

/** @throws SentinelError for a refusal, and for a verdict of another shape */
function take<P extends Phase>(
  hook: Hooked<P>,
  passage: Passage<P>,
  { ports, verdict }: Step,
): void {
  passage.trace?.event("sentinel.interceptor", {
    "sentinel.interceptor": hook.name,
    "sentinel.phase": hook.phase,
  });
  if (verdict === undefined) return;
  if (typeof verdict === "object" && verdict !== null) {
    if ("error" in verdict && verdict.error instanceof SentinelError) throw verdict.error;
    if ("deny" in verdict && typeof verdict.deny === "string") {
      throw passage.refusal(hook.name, verdict.deny);
    }
    if (passage.change(verdict)) return;
  }
  throw failure(hook, passage, { ports, cause: "its verdict has another shape" });
}

function failure<P extends Phase>(
  hook: Hooked<P>,
  passage: Passage<P>,
  { ports, cause }: { readonly ports: ChainPorts; readonly cause: unknown },
): SentinelError {
  const name = cause instanceof RuleFailure ? cause.rule : hook.name;
  ports.report.failed(hook.name, name, { phase: hook.phase, reason: words(cause) });
  return passage.refusal(name, "it could not be checked");
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value &&
    typeof value.then === "function";
}

/** A cause for operators, not for callers. */
function words(cause: unknown): string {
  return (cause instanceof Error ? cause.message : String(cause)).slice(0, 500);
}
