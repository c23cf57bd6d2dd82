/** The `[[rules]]` of a configuration asked about one call that is never made. */
import { argumentsOf } from "../../core/call/arguments.ts";
import type { Target } from "../../core/catalog/types.ts";
import { isObject, type JsonObject } from "../../core/mcp/json.ts";
import { CallerIdentity, CallerRequest, CallerSession, factsOf } from "../../core/rules/facts.ts";
import type { CallRequest } from "../../core/rules/interceptor.ts";
import { RuleFailure } from "../../core/rules/chain.ts";
import { Report } from "../../core/rules/report.ts";
import { createRules, type RulesInterceptor } from "../../core/rules/rules.ts";
import { type Caller, noLoad } from "../../core/session/caller.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Series, Telemetry } from "../../ports/telemetry.ts";
import type { Ground } from "./ground.ts";
import type { PolicyQuestion } from "./judge.ts";

/** What rules of the phase `call` say. */
interface Judged {
  readonly refused: Ground | undefined;
  /** Rules that matched before, in order. */
  readonly noted: readonly Ground[];
  /** Undefined when they left the arguments alone. */
  readonly args: JsonObject | undefined;
}

const NO_REQUEST = "00000000-0000-7000-8000-000000000000";
/** A legacy client over HTTP, as most are. */
const REVISION = "2025-11-25";

export class OfflineRules {
  readonly #question: PolicyQuestion;
  readonly #target: Target;
  readonly #rules: RulesInterceptor | undefined;
  /** Names of rules that matched. */
  readonly #matched: string[] = [];
  /** Why a rule could not be evaluated. */
  #failure: { readonly name: string; readonly reason: string } | undefined;

  constructor(question: PolicyQuestion, target: Target) {
    this.#question = question;
    this.#target = target;
    const { rules, interceptors } = question.config;
    const isUsed = interceptors.order.includes("rules");
    const clock = standingClock(question.now);
    const report = new Report({ clock, log: this.#log(), telemetry: this.#telemetry() });
    this.#rules = isUsed ? createRules(rules, { clock, report }) : undefined;
  }

  /** Resolves when the rules are compiled. */
  async ready(): Promise<void> {
    await this.#rules?.ready;
  }

  /** The rule that keeps the tool out of lists, and so from being called. */
  async hidden(): Promise<Ground | undefined> {
    const request = this.#request(() => {});
    const verdict = await this.#rules?.list?.({ ...seenOf(request), items: [request.tool] });
    if (verdict === undefined || !("keep" in verdict) || verdict.keep.length > 0) return undefined;
    return this.#failed() ?? this.#ground(this.#matched.at(-1), "hides it from lists");
  }

  async judged(): Promise<Judged> {
    const notes: string[] = [];
    const request = this.#request((decision) => void notes.push(decision));
    const grounds = () => notes.map((note) => this.#groundOfNote(note));
    try {
      const verdict = await this.#rules?.call?.(request);
      if (verdict === undefined) return { refused: undefined, noted: grounds(), args: undefined };
      if ("error" in verdict) {
        const { code, details: { reason } } = verdict.error;
        const told = `${code}${reason === undefined ? "" : `: ${reason}`}`;
        const noted = grounds();
        const refused = { ...noted.at(-1) ?? NOBODY, text: `${noted.at(-1)?.text ?? ""}, ${told}` };
        return { refused, noted: noted.slice(0, -1), args: undefined };
      }
      const args = "params" in verdict ? verdict.params["arguments"] : undefined;
      return { refused: undefined, noted: grounds(), args: isObject(args) ? args : undefined };
    } catch (thrown) {
      return { refused: this.#uncheckable(thrown), noted: grounds(), args: undefined };
    }
  }

  /** Rules that will look at what the backend answers. */
  onResults(): Ground[] {
    if (this.#rules === undefined) return [];
    return this.#question.config.rules.flatMap(({ on, name, action }) =>
      on === "result" ? [this.#ground(name, `looks at the result: ${action}`)] : []
    );
  }

  #failed(): Ground | undefined {
    if (this.#failure === undefined) return undefined;
    const { name, reason } = this.#failure;
    return this.#ground(name, `could not be checked, so it hides the tool: ${reason}`);
  }

  /** The rest of the message shows the expression, which stands where the ground points to. */
  #uncheckable(thrown: unknown): Ground {
    if (!(thrown instanceof RuleFailure)) throw thrown;
    const { cause, rule } = thrown;
    const [why = ""] = (cause instanceof Error ? cause.message : String(cause)).split("\n");
    return this.#ground(rule, `${why}; what cannot be checked is refused`);
  }

  /** `rule NAME: ACTION`, as the audit keeps it. */
  #groundOfNote(note: string): Ground {
    const [, name = "", action = ""] = /^rule ([^:]+): (.*)$/.exec(note) ?? [];
    return this.#ground(name, action);
  }

  #ground(name: string | undefined, says: string): Ground {
    const index = this.#question.config.rules.findIndex((rule) => rule.name === name);
    if (index < 0) return { ...NOBODY, text: says };
    return { kind: "rule", text: `rule ${name}: ${says}`, path: ["rules", index, "name"] };
  }

  #request(note: (decision: string) => void): CallRequest {
    const { principal, args: given } = this.#question;
    const target = this.#target;
    const caller = callerOf(principal);
    const params = { name: target.exposed, arguments: given };
    const args = argumentsOf(params, target);
    return {
      identity: new CallerIdentity(principal),
      session: new CallerSession(caller),
      signal: new AbortController().signal,
      request: new CallerRequest(NO_REQUEST),
      method: "tools/call",
      tool: factsOf(target),
      params,
      args: isObject(args) ? args : {},
      note,
    };
  }

  #log() {
    return {
      write: (_event: string, fields: Readonly<Record<string, unknown>> = {}) => {
        const { name, reason } = fields;
        if (typeof reason !== "string") return;
        this.#failure = { name: typeof name === "string" ? name : "", reason };
      },
    };
  }

  /** Only matches of rules are looked at. */
  #telemetry(): Telemetry {
    const series = (_metric: string, labels: Readonly<Record<string, string>>): Series => ({
      add: (value) => {
        if (value > 0 && labels["rule"] !== undefined) this.#matched.push(labels["rule"]);
      },
      set: () => {},
      observe: () => {},
    });
    return { series, drop: () => {}, onCollect: () => () => {} };
  }
}

const NOBODY: Ground = { kind: "rule", text: "" };

function seenOf({ identity, session, signal }: CallRequest) {
  return { identity, session, signal };
}

/** Time stands, so that the same question has the same answer; a rule that waits goes on at once. */
function standingClock(now: number): Clock {
  const start = performance.now();
  return {
    now: () => now,
    // The bound of a rule's work is real time.
    monotonic: () => performance.now() - start,
    after: (_ms, run) => {
      run();
      return () => {};
    },
    every: () => () => {},
  };
}

function callerOf(principal: Caller["principal"]): Caller {
  return {
    era: "legacy",
    id: "",
    ref: undefined,
    front: "streamable_http",
    toolset: undefined,
    principal,
    revision: REVISION,
    capabilities: {},
    client: undefined,
    address: undefined,
    producers: new Map(),
    calls: undefined,
    load: noLoad(),
    canAnswer: () => false,
    wantsLog: () => false,
  };
}
