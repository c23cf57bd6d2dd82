/** The interceptors of one configuration: what every call passes on its way and back. */
import { type Config, SentinelError } from "../../contract/mod.ts";
import type { Clock } from "../../ports/clock.ts";
import type { AskReply, LinkReply } from "../backends/link.ts";
import type { Call } from "../call/call.ts";
import type { Target } from "../catalog/types.ts";
import { Attention } from "./attention.ts";
import { type ChainPorts, type Hooked, pass } from "./chain.ts";
import { factsOf, type ToolFacts } from "./facts.ts";
import type { Hook, Interceptor, Phase } from "./interceptor.ts";
import {
  askPassage,
  callPassage,
  listPassage,
  refusedQuestion,
  replyPassage,
  resultPassage,
} from "./passages.ts";
import { createRedact } from "./redact_secrets.ts";
import { Report, type ReportPorts } from "./report.ts";
import { createRules } from "./rules.ts";
import { type Question, SeenList } from "./seen.ts";

export interface InterceptorPorts extends ReportPorts {
  /** Replaces known secrets in a text. */
  readonly mask: (text: string) => string;
  /** Those of the program that embeds the gateway, in its order. */
  readonly interceptors?: readonly Interceptor[] | undefined;
}

type Phases = { readonly [P in Phase]: readonly Hooked<P>[] };

const BUILT_IN = ["rules", "redact"];

export class Interceptors {
  /** Resolves when rules are compiled; calls that come earlier wait. Rejects with CONFIG_INVALID. */
  readonly ready: Promise<void>;
  readonly #clock: Clock;
  readonly #ports: ChainPorts;
  readonly #phases: Phases;
  /** Of those that look at results. */
  readonly #skips: readonly ((text: string) => boolean)[];

  /** @throws SentinelError CONFIG_INVALID when `interceptors.order` names one there is not */
  constructor(
    { rules, interceptors }: Pick<Config, "rules" | "interceptors">,
    ports: InterceptorPorts,
  ) {
    const { clock, mask, interceptors: own = [] } = ports;
    checkNames(interceptors.order, own);
    const report = new Report(ports);
    this.#clock = clock;
    this.#ports = { clock, report };
    const builtIn = createRules(rules, this.#ports);
    this.ready = builtIn?.ready.catch(refuseRules) ?? Promise.resolve();
    // Who waits for it is told; otherwise the calls will be.
    this.ready.catch(() => {});
    const known = [...builtIn === undefined ? [] : [builtIn], createRedact(mask), ...own];
    const chain = ordered(known, interceptors.order);
    // A rate needs a zero to start from.
    for (const { name } of chain) report.failures(name, 0);
    for (const { name, action } of rules) report.matches({ rule: name, action }, 0);
    const hooks = <P extends Phase>(phase: P) =>
      chain.flatMap((one) => hooked(one, phase, { report, limitMs: interceptors.timeout }));
    this.#phases = {
      call: hooks("call"),
      result: hooks("result"),
      list: hooks("list"),
      ask: hooks("ask"),
      reply: hooks("reply"),
    };
    this.#skips = chain.filter(({ result }) => result !== undefined)
      .map((one) => one.skipsResult?.bind(one) ?? (() => false));
  }

  /** A request on its way to a backend. @throws SentinelError when it is refused */
  call(call: Call): undefined | Promise<undefined> {
    const { call: hooks } = this.#phases;
    if (hooks.length === 0) return undefined;
    return pass(hooks, callPassage(call, this.#attention(call)), this.#ports);
  }

  /** An answer on its way back, the same object unless a hook changed it. @throws SentinelError when it is refused */
  result(call: Call, answer: LinkReply): LinkReply | Promise<LinkReply> {
    const { result: hooks } = this.#phases;
    if (hooks.length === 0 || this.#isSkipped(answer)) return answer;
    const { passage, answered } = resultPassage(call, this.#attention(call), answer);
    const passing = pass(hooks, passage, this.#ports);
    return passing === undefined ? answered() : passing.then(answered);
  }

  #isSkipped(answer: LinkReply): boolean {
    return !("error" in answer) && this.#skips.every((skips) => skips(answer.result));
  }

  /** Whether lists are looked at. */
  get looksAtLists(): boolean {
    return this.#phases.list.length > 0;
  }

  /** The targets that a list shows the caller. @throws SentinelError when one of the interceptors failed */
  listed(call: Looking, targets: readonly Target[]): Shown | Promise<Shown> {
    const attention = this.#attention(call);
    const seen = new SeenList(call.caller, attention, targets.map(factsOf));
    const passing = pass(this.#phases.list, listPassage(seen, attention), this.#ports);
    const shown = (): Shown => {
      const kept = new Set<ToolFacts>(seen.items);
      return (target) => kept.has(factsOf(target));
    };
    return passing === undefined ? shown() : passing.then(shown);
  }

  /** Whether a list would show the target. What cannot be judged is not shown, like what is not there. */
  shows(call: Call, target: Target): boolean | Promise<boolean> {
    if (!this.looksAtLists) return true;
    try {
      const shown = this.listed(call, [target]);
      return shown instanceof Promise
        ? shown.then((later) => later(target), () => false)
        : shown(target);
    } catch {
      return false;
    }
  }

  /** A backend's question on its way to the client, and the answer back. `put` asks. */
  async ask(
    question: Question,
    put: (ask: Question["ask"]) => Promise<AskReply>,
  ): Promise<AskReply> {
    const asked = await this.asked(question);
    if (asked === undefined) return refusedQuestion(question);
    return await this.replied(question, await put(asked));
  }

  /** A backend's question as the client may be asked it; undefined when it is refused. */
  async asked(question: Question): Promise<Question["ask"] | undefined> {
    const { ask: hooks } = this.#phases;
    if (hooks.length === 0) return question.ask;
    const { passage, asked } = askPassage(question, this.#attentionOf(question));
    const allowed = await unlessDenied(() => pass(hooks, passage, this.#ports));
    return allowed ? asked() : undefined;
  }

  /** The client's answer as the backend may know it. */
  async replied(question: Question, reply: AskReply): Promise<AskReply> {
    const { reply: hooks } = this.#phases;
    if (hooks.length === 0 || "error" in reply) return reply;
    const { passage, replied } = replyPassage(
      question,
      this.#attentionOf(question),
      reply.result,
    );
    const allowed = await unlessDenied(() => pass(hooks, passage, this.#ports));
    return allowed ? replied() : refusedQuestion(question);
  }

  #attentionOf({ ask }: Question): Attention {
    return new Attention((stop) => onAbort(ask.signal, stop), this.#clock);
  }

  #attention(call: Pick<Call, "onCancel">): Attention {
    return new Attention((stop) => call.onCancel(stop), this.#clock);
  }
}

/** Who looks at a list: a call, or a listen. */
export type Looking = Pick<Call, "caller" | "onCancel">;

/** Whether a target is among those a list shows. */
export type Shown = (target: Target) => boolean;

interface HookOptions {
  readonly report: Report;
  readonly limitMs: number;
}

function hooked<P extends Phase>(
  interceptor: Interceptor,
  phase: P,
  { report, limitMs }: HookOptions,
): Hooked<P>[] {
  const { name } = interceptor;
  const run = interceptor[phase] as Hook<P> | undefined;
  if (run === undefined) return [];
  return [{
    name,
    phase,
    run: run.bind(interceptor),
    duration: report.duration(name, phase),
    // A rule waits because it is told to, at most a minute.
    limitMs: BUILT_IN.includes(name) ? undefined : limitMs,
  }];
}

/** Those the order names first; of the others only those of the program still run, in its own order. */
function ordered(known: readonly Interceptor[], order: readonly string[]): Interceptor[] {
  const named = order.flatMap((name) => known.filter((one) => one.name === name));
  const rest = known.filter(({ name }) => !order.includes(name) && !BUILT_IN.includes(name));
  return [...named, ...rest];
}

/** Files are checked before they get here; a program may have brought its own configuration. */
function refuseRules(cause: unknown): never {
  const message = cause instanceof Error ? cause.message : String(cause);
  throw new SentinelError("CONFIG_INVALID", "Cannot use the rules", {
    reason: message,
    more: { issues: [{ code: "wrong_value", path: "rules", message, hint: "" }] },
  });
}

function checkNames(order: readonly string[], own: readonly Interceptor[]): void {
  const names = [...BUILT_IN, ...own.map(({ name }) => name)];
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new TypeError(`Cannot use two interceptors named "${twice}"`);
  const unknown = order.find((name) => !names.includes(name));
  if (unknown === undefined) return;
  const message = `there is no interceptor "${unknown}"`;
  const hint = `known: ${names.join(", ")}`;
  throw new SentinelError("CONFIG_INVALID", `Cannot order the interceptors: ${message}; ${hint}`, {
    reason: `${message}; ${hint}`,
    more: { issues: [{ code: "unknown_name", path: "interceptors.order", message, hint }] },
  });
}

/** False when a hook denied it; other failures pass. */
async function unlessDenied(passing: () => undefined | Promise<undefined>): Promise<boolean> {
  try {
    await passing();
    return true;
  } catch (cause) {
    if (cause instanceof SentinelError && cause.code === "POLICY_DENIED") return false;
    throw cause;
  }
}

function onAbort(signal: AbortSignal, run: () => void): void {
  if (signal.aborted) run();
  else signal.addEventListener("abort", run, { once: true });
}
