/** How calls are recorded: `[audit]` with its exceptions by role and tool, compiled once. */
import type { Config } from "../../contract/mod.ts";
import type { Target } from "../catalog/types.ts";
import { compilePatterns, type Matcher, specificity } from "../patterns.ts";

type AuditConfig = Config["audit"];

/** What holds for one call. */
export type RecordingPolicy = Pick<
  AuditConfig,
  "when_full" | "durability" | "arguments" | "results"
>;
type Exception = AuditConfig["policy"]["roles"][string];

const KEYS = ["when_full", "durability", "arguments", "results"] as const;

/** From lenient to strict: of several roles the strictest value holds. */
const STRICTNESS: { readonly [Key in (typeof KEYS)[number]]: readonly string[] } = {
  when_full: ["drop-and-count", "refuse-calls"],
  durability: ["process", "power"],
  arguments: ["none", "hash", "redacted", "full"],
  results: ["none", "hash", "redacted", "full"],
};

export class RecordingPolicies {
  readonly #common: RecordingPolicy;
  /** Most specific first. */
  readonly #tools: readonly { readonly matches: Matcher; readonly exception: Exception }[];
  readonly #roles: AuditConfig["policy"]["roles"];
  readonly #isUniform: boolean;

  constructor(config: AuditConfig) {
    const { tools, roles } = config.policy;
    this.#common = config;
    this.#roles = roles;
    this.#tools = Object.entries(tools)
      .toSorted(([a], [b]) => specificity(b) - specificity(a))
      .map(([pattern, exception]) => ({ matches: compilePatterns([pattern]), exception }));
    this.#isUniform = this.#tools.length === 0 && Object.keys(roles).length === 0;
  }

  of(target: Target | undefined, roles: readonly string[] | undefined): RecordingPolicy {
    return this.#isUniform ? this.#common : this.#exceptional(target, roles ?? []);
  }

  /** For each key: the most specific tool pattern that says something, then the strictest role, then `[audit]`. */
  #exceptional(target: Target | undefined, roles: readonly string[]): RecordingPolicy {
    const ofTool = target?.kind === "tool"
      ? this.#tools.filter(({ matches }) => matches(target.exposed))
      : [];
    const ofRoles = roles.map((role) => Object.hasOwn(this.#roles, role) ? this.#roles[role] : {});
    const found: Record<string, string> = {};
    for (const key of KEYS) {
      found[key] = ofTool.find(({ exception }) => exception[key] !== undefined)?.exception[key] ??
        strictest(STRICTNESS[key], ofRoles.map((exception) => exception?.[key])) ??
        this.#common[key];
    }
    return found as unknown as RecordingPolicy;
  }
}

function strictest(
  order: readonly string[],
  values: readonly (string | undefined)[],
): string | undefined {
  return order.findLast((value) => values.includes(value));
}
