/** CEL expressions of rules. Loaded with the first rule: the parser costs as much as the rest of the core. */
import { Environment } from "@marcbachmann/cel-js";
import {
  EXPRESSION_LIMITS,
  literalPattern,
  nodesOf,
  RULE_FUNCTIONS,
  RULE_TYPES,
  RULE_VARIABLES,
  type RulePhase,
  type RuleType,
} from "../../contract/rules.ts";
import { CallerIdentity, CallerRequest, CallerSession, ToolFacts } from "./facts.ts";
import { LinearRegex } from "./linear_regex.ts";
import type { Meter } from "./meter.ts";

/** What an expression may read; members are getters, so that what it does not read costs nothing. */
export type Variables = object;

/** @throws Error when it cannot be evaluated for these variables */
export type Expression = (variables: Variables) => unknown;

/** What this file reads of the parser's nodes, beside their public members. */
interface TunableNode {
  readonly args: unknown[];
  readonly meta: {
    readonly alternate?: { readonly op: string; readonly args: { condition?: Condition } };
  };
}

/** Asked before each step through a list. */
type Condition = (found: unknown) => unknown;

const TYPES: Readonly<Record<RuleType, new (...args: never[]) => object>> = {
  Tool: ToolFacts,
  Identity: CallerIdentity,
  Session: CallerSession,
  Request: CallerRequest,
};

/** In place of `matches`, which is not linear and cannot be replaced under its own name. */
const MATCHES = "matchesLinear";

/** Compiles expressions that may read the variables of a phase. */
export class Expressions {
  readonly #meter: Meter;
  readonly #regex: LinearRegex;
  readonly #environments = new Map<RulePhase, Environment>();

  constructor(meter: Meter) {
    this.#meter = meter;
    this.#regex = new LinearRegex(meter);
  }

  /** @throws Error for a text that is no expression over these variables */
  compile(text: string, phase: RulePhase): Expression {
    const parsed = this.#environment(phase).parse(text);
    const loops: TunableNode[] = [];
    for (const node of nodesOf(parsed.ast)) {
      const tunable = node as unknown as TunableNode;
      const pattern = literalPattern(node);
      if (pattern !== undefined) this.#regex.prepare(pattern.text);
      if (node.op === "rcall" && tunable.args[0] === "matches") tunable.args[0] = MATCHES;
      if (tunable.meta.alternate?.op === "comprehension") loops.push(tunable);
    }
    const { valid, error } = parsed.check();
    if (!valid) throw error ?? new Error("it does not compile");
    for (const loop of loops) this.#count(loop);
    return (variables) => {
      const value: unknown = parsed(variables);
      // An operator may have taken the failure for an answer.
      if (this.#meter.exhausted) this.#meter.step();
      return value;
    };
  }

  /** A quantifier goes on after an element that fails, but not after a condition that does. */
  #count({ meta }: TunableNode): void {
    const args = meta.alternate?.args;
    if (args === undefined) return;
    const goesOn = args.condition ?? (() => true);
    args.condition = (found) => {
      this.#meter.step();
      return goesOn(found);
    };
  }

  #environment(phase: RulePhase): Environment {
    const environment = this.#environments.get(phase) ?? this.#declare(phase);
    this.#environments.set(phase, environment);
    return environment;
  }

  #declare(phase: RulePhase): Environment {
    const environment = new Environment({
      homogeneousAggregateLiterals: false,
      limits: EXPRESSION_LIMITS,
    });
    for (const [name, fields] of Object.entries(RULE_TYPES)) {
      environment.registerType(name, { ctor: TYPES[name as RuleType], fields });
    }
    for (const [name, type] of Object.entries(RULE_VARIABLES[phase])) {
      environment.registerVariable(name, type);
    }
    const matches = { handler: this.#regex.matches, async: false };
    return environment
      .registerFunction(`string.${MATCHES}(string): bool`, matches)
      .registerFunction(RULE_FUNCTIONS.min, { handler: least, async: false })
      .registerFunction(RULE_FUNCTIONS.max, { handler: greatest, async: false });
  }
}

function least(one: unknown, other: unknown): unknown {
  return numeric(one) <= numeric(other) ? one : other;
}

function greatest(one: unknown, other: unknown): unknown {
  return numeric(one) >= numeric(other) ? one : other;
}

function numeric(value: unknown): number | bigint {
  if (typeof value === "number" || typeof value === "bigint") return value;
  throw new TypeError("min and max take numbers");
}
