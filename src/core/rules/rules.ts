/** The built-in interceptor `rules`: the `[[rules]]` of the configuration, in order. */
import type { SentinelError } from "../../contract/mod.ts";
import type { Clock } from "../../ports/clock.ts";
import { hasDotSegments } from "../catalog/uri_spelling.ts";
import type { RuleConfig } from "./actions.ts";
import { RuleFailure } from "./chain.ts";
import type { Rule, Rules } from "./compile.ts";
import type {
  CallRequest,
  Interceptor,
  ListRequest,
  ResultRequest,
  TargetFacts,
  Verdicts,
} from "./interceptor.ts";
import { Meter } from "./meter.ts";
import type { Report } from "./report.ts";
import { ListScope } from "./scope.ts";
import { callSubject, resultSubject, type Subject } from "./subjects.ts";

export interface RulesPorts {
  readonly clock: Clock;
  readonly report: Report;
}

export interface RulesInterceptor extends Interceptor {
  /** Resolves when the rules are compiled; calls that come earlier wait. Rejects when one does not compile. */
  readonly ready: Promise<void>;
}

interface Refused {
  readonly error: SentinelError;
}

/** Undefined without rules. */
export function createRules(
  configured: readonly RuleConfig[],
  ports: RulesPorts,
): RulesInterceptor | undefined {
  if (configured.length === 0) return undefined;
  const engine = new RuleEngine(configured, ports);
  const has = (phase: RuleConfig["on"]) => configured.some(({ on }) => on === phase);
  return {
    name: "rules",
    ready: engine.ready,
    ...(has("call")
      ? { call: (request) => engine.with((rules) => engine.call(rules, request)) }
      : {}),
    ...(has("result")
      ? { result: (request) => engine.with((rules) => engine.result(rules, request)) }
      : {}),
    ...(has("list")
      ? { list: (request) => engine.with((rules) => engine.list(rules, request)) }
      : {}),
  };
}

class RuleEngine {
  readonly ready: Promise<void>;
  readonly #clock: Clock;
  readonly #report: Report;
  readonly #meter: Meter;
  #rules: Rules | undefined = undefined;

  constructor(configured: readonly RuleConfig[], { clock, report }: RulesPorts) {
    this.#clock = clock;
    this.#report = report;
    this.#meter = new Meter(clock);
    this.ready = this.#load(configured);
    // Who waits for it is told; without anybody the calls will be.
    this.ready.catch(() => {});
  }

  with<Answer>(judge: (rules: Rules) => Answer | Promise<Answer>): Answer | Promise<Answer> {
    if (this.#rules !== undefined) return judge(this.#rules);
    return this.ready.then(() => judge(this.#rules as Rules));
  }

  call(rules: Rules, request: CallRequest): Verdicts["call"] | Promise<Verdicts["call"]> {
    const { kind, name } = request.tool;
    if (kind === "resource" && hasDotSegments(name)) {
      throw new TypeError("the URI leads elsewhere than its text says");
    }
    const { subject, verdict } = callSubject(request, this.#clock);
    return this.#judge(rules.call, subject, verdict);
  }

  /** Errors of backends are no results: they have nothing that rules could read. */
  result(rules: Rules, request: ResultRequest): Verdicts["result"] | Promise<Verdicts["result"]> {
    if (request.isError) return undefined;
    const { subject, verdict } = resultSubject(request, this.#clock);
    return this.#judge(rules.result, subject, verdict);
  }

  list(rules: Rules, request: ListRequest): Verdicts["list"] {
    const keep = request.items.filter((item) => this.#shows(rules.list, request, item));
    return keep.length === request.items.length ? undefined : { keep };
  }

  #judge<Change>(
    rules: readonly Rule[],
    subject: Subject,
    verdict: () => Change,
  ): Change | Refused | Promise<Change | Refused> {
    this.#meter.reset();
    for (const [at, rule] of rules.entries()) {
      if (!rule.holds(subject.scope)) continue;
      this.#matched(rule, subject);
      const step = rule.act(subject);
      if (step === undefined) continue;
      if ("allow" in step) break;
      if ("error" in step) return step;
      return this.#wait(step.waitMs, subject.signal)
        .then(() => this.#judge(rules.slice(at + 1), subject, verdict));
    }
    return verdict();
  }

  /** What cannot be judged is not shown. */
  #shows(rules: readonly Rule[], request: ListRequest, item: TargetFacts): boolean {
    if (item.kind === "resource" && hasDotSegments(item.name)) return false;
    const scope = new ListScope(request, item, this.#clock);
    this.#meter.reset();
    try {
      const decisive = rules.find((rule) => this.#decides(rule, scope));
      return decisive?.action !== "deny";
    } catch (cause) {
      const name = cause instanceof RuleFailure ? cause.rule : "rules";
      const reason = cause instanceof Error ? cause.message : String(cause);
      this.#report.failed("rules", name, { phase: "list", item: item.name, reason });
      return false;
    }
  }

  #decides(rule: Rule, scope: ListScope): boolean {
    if (!rule.holds(scope)) return false;
    this.#report.matched(rule.name, rule.action);
    if (rule.action === "warn") this.#report.warned(rule.name, { item: scope.tool.name });
    return rule.action !== "warn";
  }

  #matched({ name, action }: Rule, { scope, note }: Subject): void {
    this.#report.matched(name, action);
    note(`rule ${name}: ${action}`);
    if (action !== "warn") return;
    const { tool, method, request, identity } = scope;
    this.#report.warned(name, {
      request_id: request.id,
      mcp_method_name: method,
      tool: tool.name,
      backend: tool.backend,
      principal: identity.id,
    });
  }

  #wait(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#clock.after(ms, resolve);
      signal.addEventListener("abort", cancel, { once: true });
    });
  }

  async #load(configured: readonly RuleConfig[]): Promise<void> {
    try {
      const { compileRules } = await import("./compile.ts");
      this.#rules = compileRules(configured, this.#meter);
    } catch (cause) {
      const name = cause instanceof RuleFailure ? cause.rule : "rules";
      const reason = cause instanceof Error ? cause.message : String(cause);
      this.#report.failed("rules", name, { reason });
      throw cause;
    }
  }
}
