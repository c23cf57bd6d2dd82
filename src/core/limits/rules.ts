/** Which limit a call falls under. */
import type { Config } from "../../contract/mod.ts";
import { formatRate } from "../../contract/units.ts";
import type { BucketLimit } from "../../ports/rate_store.ts";
import type { Principal } from "../auth/principal.ts";
import type { Target } from "../catalog/types.ts";
import { compilePatterns, type Matcher, specificity } from "../patterns.ts";

type LimitsConfig = Config["limits"];
type LimitConfig = LimitsConfig["default"];

/** A limit of the configuration. */
export interface LimitRule extends BucketLimit {
  readonly scope: "caller_tool" | "role";
  /** Its key and value in the configuration, for answers. */
  readonly text: string;
}

interface ToolRule {
  readonly matches: Matcher;
  readonly rule: LimitRule;
}

/** `[limits]` compiled once. */
export class LimitRules {
  readonly #default: LimitRule;
  /** Most specific first. */
  readonly #tools: readonly ToolRule[];
  readonly #roles: ReadonlyMap<string, LimitRule>;
  readonly #known = new WeakMap<Target, LimitRule>();

  constructor({ default: fallback, tools, roles }: LimitsConfig) {
    this.#default = ruleOf("limits.default", fallback);
    this.#tools = Object.entries(tools)
      .toSorted(([a], [b]) => specificity(b) - specificity(a))
      .map(([pattern, limit]) => ({
        matches: compilePatterns([pattern]),
        rule: ruleOf(`limits.tools."${pattern}"`, limit),
      }));
    this.#roles = new Map(
      Object.entries(roles).map(([role, limit]) => [
        role,
        ruleOf(`limits.roles.${role}`, limit, "role"),
      ]),
    );
  }

  /**
   * A limit of one of the caller's roles goes before everything else, the best of them if there are several;
   * then for tools the most specific pattern; then the default.
   */
  of(target: Target, roles: Principal["roles"]): LimitRule {
    return this.#ofRoles(roles) ?? this.#ofTarget(target);
  }

  #ofRoles(roles: Principal["roles"] = []): LimitRule | undefined {
    if (this.#roles.size === 0) return undefined;
    let best: LimitRule | undefined;
    for (const role of roles) {
      const rule = this.#roles.get(role);
      if (rule !== undefined && (best === undefined || isBetter(rule, best))) best = rule;
    }
    return best;
  }

  #ofTarget(target: Target): LimitRule {
    if (this.#tools.length === 0 || target.kind !== "tool") return this.#default;
    const known = this.#known.get(target);
    if (known !== undefined) return known;
    const rule = this.#tools.find(({ matches }) => matches(target.exposed))?.rule ?? this.#default;
    this.#known.set(target, rule);
    return rule;
  }
}

function isBetter(rule: LimitRule, than: LimitRule): boolean {
  const difference = rule.count / rule.perMs - than.count / than.perMs;
  return difference > 0 || (difference === 0 && rule.burst > than.burst);
}

function ruleOf(
  key: string,
  { rate, burst = rate.count }: LimitConfig,
  scope: LimitRule["scope"] = "caller_tool",
): LimitRule {
  const { count, perMs } = rate;
  return { count, perMs, burst, scope, text: `${key} = ${formatRate(rate)}, burst ${burst}` };
}
