/** Rules as functions. Loaded when there is a rule: the language costs as much to load as the rest of a start. */
import type { RulePhase } from "../../contract/rules.ts";
import { type Action, compileAction, type RuleConfig } from "./actions.ts";
import { RuleFailure } from "./chain.ts";
import { Expressions, type Variables } from "./expression.ts";
import type { Meter } from "./meter.ts";

export interface Rule {
  readonly name: string;
  readonly action: RuleConfig["action"];
  /** @throws RuleFailure when it cannot be evaluated */
  holds(variables: Variables): boolean;
  /** @throws RuleFailure when it cannot be done */
  readonly act: Action;
}

export type Rules = Readonly<Record<RulePhase, readonly Rule[]>>;

/** @throws RuleFailure for a rule that does not compile */
export function compileRules(configured: readonly RuleConfig[], meter: Meter): Rules {
  const expressions = new Expressions(meter);
  const of = (phase: RulePhase) =>
    configured.filter(({ on }) => on === phase).map((rule) => compileRule(rule, expressions));
  return { call: of("call"), result: of("result"), list: of("list") };
}

function compileRule(rule: RuleConfig, expressions: Expressions): Rule {
  const { name } = rule;
  const when = named(name, () => expressions.compile(rule.when, rule.on));
  const act = named(name, () => compileAction(rule, expressions));
  return {
    name,
    action: rule.action,
    holds: (variables) =>
      named(name, () => {
        const value = when(variables);
        if (typeof value === "boolean") return value;
        throw new TypeError("its expression is neither true nor false");
      }),
    act: (subject) => named(name, () => act(subject)),
  };
}

function named<Value>(rule: string, run: () => Value): Value {
  try {
    return run();
  } catch (cause) {
    throw new RuleFailure(rule, cause);
  }
}
