/** What a rule does when its expression is true. */
import { type Config, SentinelError } from "../../contract/mod.ts";
import { parseTargetPath } from "../../contract/rules.ts";
import { fromCel } from "./cel_value.ts";
import type { Expression, Expressions } from "./expression.ts";
import { compileFields } from "./fields.ts";
import { refusalOf } from "./refusal.ts";
import type { Subject } from "./subjects.ts";

export type RuleConfig = Config["rules"][number];

/** What comes of an action: nothing, no further rules, a refusal, or a wait. */
export type Step =
  | undefined
  | { readonly allow: true }
  | { readonly error: SentinelError }
  | { readonly waitMs: number };

export type Action = (subject: Subject) => Step;

/** When a refusal that says so may be retried. */
const RETRY_MS = 1000;

/** @throws Error for an expression that does not compile */
export function compileAction(rule: RuleConfig, expressions: Expressions): Action {
  switch (rule.action) {
    case "allow":
      return () => ({ allow: true });
    case "deny":
      return ({ tool, executed }) => ({
        error: refusalOf("POLICY_DENIED", tool, { ...by(rule, "a rule forbids it"), executed }),
      });
    case "approve":
      return ({ tool, executed }) => ({
        error: refusalOf("APPROVAL_REQUIRED", tool, {
          ...by(rule, "it needs an approval"),
          executed,
        }),
      });
    case "warn":
      return () => undefined;
    case "redact":
      return redact(rule);
    case "transform":
      return transform(rule, expressions);
    case "delay":
      return () => ({ waitMs: rule.for ?? 0 });
    case "fault":
      return fault(rule);
  }
}

function by({ name, message }: RuleConfig, otherwise: string) {
  return { by: name, reason: message ?? otherwise };
}

function redact({ name, fields }: RuleConfig): Action {
  const covered = compileFields(fields);
  const cover = `«redacted: rule ${name}»`;
  return (subject) => {
    subject.redact((data) => covered(data, cover));
    return undefined;
  };
}

interface Setting {
  readonly path: readonly string[];
  readonly value: Expression;
}

function transform(rule: RuleConfig, expressions: Expressions): Action {
  const settings = Object.entries(rule.set).map(([target, text]): Setting => {
    const path = parseTargetPath(target, rule.on);
    if (path === undefined) throw new TypeError(`"${target}" is no place to set`);
    return { path, value: expressions.compile(text, rule.on) };
  });
  return (subject) => {
    for (const { path, value } of settings) {
      subject.assign(path, fromCel(value(subject.scope)));
    }
    return undefined;
  };
}

function fault(rule: RuleConfig): Action {
  const code = rule.error ?? "INTERNAL";
  const { reason } = by(rule, "a rule injects this fault");
  const retry = code === "RATE_LIMITED" || code === "CIRCUIT_OPEN"
    ? { retryAfterMs: RETRY_MS }
    : {};
  return ({ tool, executed }) => ({
    error: new SentinelError(code, `Cannot reach "${tool.name.slice(0, 200)}": ${reason}`, {
      backend: tool.backend,
      reason,
      executed,
      ...retry,
      more: { rule: rule.name },
    }),
  });
}
