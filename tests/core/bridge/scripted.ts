/** Calls through the whole line with a fake clock, to a backend whose every message the test decides. */
import * as v from "valibot";
import {
  type BackendConfig,
  ConfigSchema,
  type RequestId,
  type SentinelError,
} from "../../../src/contract/mod.ts";
import { CallGuard } from "../../../src/core/backends/call_guard.ts";
import type { Exchange, Link, LinkReply, LinkRequest } from "../../../src/core/backends/link.ts";
import { Bridge } from "../../../src/core/bridge/bridge.ts";
import { ParkedCalls } from "../../../src/core/bridge/parked_calls.ts";
import { ParkingReply } from "../../../src/core/bridge/parked_reply.ts";
import { resumeParked } from "../../../src/core/bridge/resume.ts";
import type { Round } from "../../../src/core/bridge/round.ts";
import type { Call, Outcome, Reply } from "../../../src/core/call/call.ts";
import { type Line, receiveRequest } from "../../../src/core/call/receive.ts";
import { RunningCalls } from "../../../src/core/call/running.ts";
import { createEntry } from "../../../src/core/catalog/entry.ts";
import type { Target, View } from "../../../src/core/catalog/types.ts";
import type { FrontContext } from "../../../src/core/front/context.ts";
import { Limits } from "../../../src/core/limits/limits.ts";
import type { JsonObject } from "../../../src/core/mcp/json.ts";
import { LATEST_MODERN } from "../../../src/core/mcp/envelope.ts";
import type { Interceptor } from "../../../src/core/rules/interceptor.ts";
import { Interceptors } from "../../../src/core/rules/interceptors.ts";
import { KillSwitches } from "../../../src/core/runtime/kill_switches.ts";
import type { World } from "../../../src/core/runtime/world.ts";
import type { Caller, InFlight } from "../../../src/core/session/caller.ts";
import { ModernClients } from "../../../src/core/session/modern_clients.ts";
import { Session } from "../../../src/core/session/session.ts";
import { systemRandom } from "../../../src/hosts/random.ts";
import { MemoryRateStore } from "../../../src/stores/memory/rate_store.ts";
import { MemorySessionStore } from "../../../src/stores/memory/session_store.ts";
import { MemoryStateStore } from "../../../src/stores/memory/state_store.ts";
import { Registry } from "../../../src/telemetry/registry.ts";
import type { ConfigInput } from "../../support/core.ts";
import { NO_LIMITS } from "../../support/editable_source.ts";
import { FakeClock, settle } from "../../support/fake_clock.ts";

export const EVERYTHING: JsonObject = {
  elicitation: { form: {}, url: {} },
  sampling: {},
  roots: {},
};
export const DONE = '{"content":[]}';
export const FORM: JsonObject = { message: "Who?", requestedSchema: { type: "object" } };

/** One request that reached the backend. */
export interface Reached {
  readonly request: LinkRequest;
  /** Why it was cancelled, if so. */
  cancelled: string | undefined;
  answer(reply: LinkReply): void;
}

export class ScriptedLink implements Link {
  readonly era: Link["era"];
  readonly revision: string;
  readonly capabilities: JsonObject = { logging: {}, tools: {} };
  readonly instructions = undefined;
  readonly open = true;
  readonly received = 0;
  readonly reached: Reached[] = [];
  #waiting: { readonly count: number; readonly resolve: () => void }[] = [];

  constructor(era: Link["era"]) {
    this.era = era;
    this.revision = era === "modern" ? LATEST_MODERN : "2025-11-25";
  }

  get inFlight(): number {
    return 0;
  }

  get last(): Reached {
    return this.reached.at(-1) as Reached;
  }

  request(request: LinkRequest): Exchange {
    const { promise, resolve, reject } = Promise.withResolvers<LinkReply>();
    const reached: Reached = { request, cancelled: undefined, answer: resolve };
    this.reached.push(reached);
    for (const { count, resolve: arrived } of this.#waiting) {
      if (this.reached.length >= count) arrived();
    }
    return {
      reply: promise,
      tookMs: 0,
      cancel: (reason) => {
        reached.cancelled ??= reason;
        reject(new Error(reason));
      },
    };
  }

  /** Resolves when so many requests have come. */
  async until(count: number): Promise<void> {
    if (this.reached.length >= count) return;
    await new Promise<void>((resolve) => this.#waiting.push({ count, resolve }));
  }

  notify(): void {}

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** One request of a modern client, with what came back. */
export class TestRound implements Round {
  readonly id: string;
  readonly notified: [string, JsonObject][] = [];
  readonly outcomes: Outcome[] = [];
  /** Resolves when the answer is there. */
  readonly answered: Promise<void>;
  #finish!: () => void;
  #leave: ((reason: string) => void) | undefined;

  constructor(id: string) {
    this.id = id;
    this.answered = new Promise((resolve) => this.#finish = resolve);
  }

  notify(method: string, params: JsonObject): void {
    this.notified.push([method, params]);
  }

  beat(): void {}

  onGone(run: (reason: string) => void): void {
    this.#leave = run;
  }

  finish(_call: Call, outcome: Outcome): void {
    this.outcomes.push(outcome);
    this.#finish();
  }

  close(): void {
    throw new Error("the call is not another replica's");
  }

  refuse(error: SentinelError): void {
    this.outcomes.push({ kind: "refused", error });
    this.#finish();
  }

  /** The client goes away. */
  leave(): void {
    if (this.outcomes.length === 0) this.#leave?.("the client went away");
  }

  /** The answer, parsed; undefined when there is none yet. */
  get result(): JsonObject | undefined {
    const [outcome] = this.outcomes;
    return outcome?.kind === "result" ? JSON.parse(outcome.result) as JsonObject : undefined;
  }

  get token(): string {
    return String(this.result?.["requestState"]);
  }

  get error(): SentinelError | undefined {
    const [outcome] = this.outcomes;
    return outcome?.kind === "refused" ? outcome.error : undefined;
  }
}

export interface Ended {
  readonly call: Call;
  readonly outcome: Outcome;
}

export interface Asker {
  readonly principal?: string;
  readonly capabilities?: JsonObject;
  readonly logLevel?: string;
}

export interface SetUp {
  readonly bridge?: ConfigInput["bridge"];
  readonly limits?: ConfigInput["limits"];
  readonly interceptors?: readonly Interceptor[];
}

const TOOL = {
  name: "t",
  inputSchema: { type: "object", properties: { a: {} } },
};

/** A gateway of one tool `b__t`, one prompt and one resource, all of backend `b`. */
export class Scripted {
  readonly clock = new FakeClock();
  readonly telemetry = new Registry();
  readonly link: ScriptedLink;
  readonly parked: ParkedCalls;
  readonly kills = new KillSwitches(new MemoryStateStore());
  readonly ended: Ended[] = [];
  /** Calls whose link was given back. */
  givenBack = 0;
  /** Times an intent was written. */
  intents = 0;
  /** What nobody sees any more. */
  readonly hidden = new Set<string>();
  readonly line: Line;
  readonly #clients: ModernClients;
  readonly #world: World;
  #lastId = 0;

  constructor(era: Link["era"], { bridge, limits, interceptors = [] }: SetUp = {}) {
    const { clock, telemetry } = this;
    const config = v.parse(ConfigSchema, {
      backends: { b: { url: "http://127.0.0.1:1/mcp" } },
      limits: limits ?? NO_LIMITS,
      bridge: bridge ?? {},
      catalog: { validate_arguments: false },
    });
    const ports = {
      clock,
      telemetry,
      random: systemRandom,
      log: { write: () => {} },
      mask: (text: string) => text,
      interceptors,
      instance: "0123456789ab",
      store: new MemorySessionStore({ clock, random: systemRandom }),
    };
    this.link = new ScriptedLink(era);
    this.parked = new ParkedCalls({ ...ports, bounds: () => config.bridge });
    this.#clients = new ModernClients(clock);
    const own = config.backends["b"] as BackendConfig;
    const backend = {
      name: "b",
      config: own,
      guard: new CallGuard({
        backend: "b",
        ports,
        config: () => own,
        changed: () => {},
        unresponsive: () => {},
      }),
      link: () => this.link,
      giveBack: () => this.givenBack++,
      wantLogLevel: () => {},
      awaitCompletion: () => {},
    };
    this.#world = {
      revision: 1,
      config,
      backends: new Map([["b", backend]]),
      kills: this.kills,
      pins: { holds: () => false },
      limits: new Limits(config.limits, { ...ports, rates: new MemoryRateStore() }),
      interceptors: new Interceptors(config, ports),
      bridge: new Bridge(ports),
      recorder: {
        intent: () => {
          this.intents++;
        },
      },
    } as unknown as World;
    this.line = this.#createLine();
  }

  get #context(): FrontContext {
    return { line: this.line, parked: this.parked } as unknown as FrontContext;
  }

  modern({ principal = "anna", capabilities = EVERYTHING, logLevel }: Asker = {}): Caller {
    return this.#clients.caller({
      principal: { id: principal, subject: principal, roles: [], roleKey: "" },
      toolset: undefined,
      front: "streamable_http",
      address: "127.0.0.1",
      envelope: { revision: LATEST_MODERN, capabilities, client: undefined, logLevel },
      calls: new Map<string, InFlight>(),
    });
  }

  session({ capabilities = EVERYTHING, logLevel }: Asker = {}): Session {
    const session = new Session({
      id: "id" as Session["id"],
      ref: "s1",
      number: 1,
      instance: "0123456789ab",
      front: "streamable_http",
      toolset: undefined,
      principal: { id: "anna", subject: "anna", roles: [], roleKey: "" },
      clock: this.clock,
    });
    session.capabilities = capabilities;
    if (logLevel !== undefined) session.setLogLevel(logLevel);
    return session;
  }

  /** A request of a modern client, on the way that its front takes. */
  async request(params: JsonObject = {}, caller = this.modern(), method = "tools/call") {
    const round = new TestRound(String(++this.#lastId));
    const named = method === "resources/read" ? { uri: "r://1" } : { name: "b__t" };
    const message = {
      kind: "request",
      id: round.id,
      method,
      params: { ...named, ...params },
      size: 0,
    } as const;
    if (!resumeParked(this.#context, caller, message, round)) {
      round.onGone((reason) => {
        for (const call of caller.calls?.values() ?? []) call.cancel(reason);
      });
      receiveRequest(this.line, caller, message, new ParkingReply(round, this.parked));
    }
    await settle();
    return round;
  }

  /** A call of a legacy session. */
  async call(
    session: Session,
    reply: Partial<Reply>,
    given: Partial<Given> = {},
  ): Promise<Ended[]> {
    const { method = "tools/call", params = {} } = given;
    const named = method === "resources/read" ? { uri: "r://1" } : { name: "b__t" };
    const id = String(++this.#lastId);
    receiveRequest(
      this.line,
      session,
      { kind: "request", id, method, params: { ...named, ...params }, size: 0 },
      {
        notify: () => {},
        beat: () => {},
        ask: () => Promise.reject(new Error("nobody is asked")),
        finish: () => {},
        ...reply,
      },
    );
    await settle();
    return this.ended;
  }

  /** Lets what was begun go as far as it can, then moves time. */
  async pass(ms: number): Promise<void> {
    await settle();
    await this.clock.advance(ms);
  }

  /** How often clients were asked, by how it ended. */
  rounds(): Record<string, number> {
    return Object.fromEntries(
      this.telemetry.read("sentinel_bridge_rounds_total").filter(({ value }) => value > 0)
        .map(({ labels, value }) => [`${labels["bridge"]} ${labels["result"]}`, value]),
    );
  }

  /** What the gauge of parked calls shows. */
  get shownParked(): number | undefined {
    return this.telemetry.read("sentinel_parked_calls")[0]?.value;
  }

  #createLine(): Line {
    const view = this.#createView();
    let requests = 0;
    return {
      running: new RunningCalls(),
      world: () => this.#world,
      view: () => view,
      requestId: () => `request-${++requests}` as RequestId,
      monotonic: () => this.clock.monotonic(),
      now: () => this.clock.now(),
      settle: (call, outcome) => {
        call.caller.load.inFlight--;
        this.ended.push({ call, outcome });
        return outcome;
      },
      starting: () => undefined,
      rootsChanged: () => {},
    };
  }

  #createView(): View {
    const target = (kind: Target["kind"], exposed: string, item: JsonObject): Target => {
      const original = kind === "resource" ? exposed : "t";
      const created: Target = { kind, backend: "b", original, exposed, defaults: undefined };
      createEntry(created, item, { era: "legacy" });
      return created;
    };
    const tool = target("tool", "b__t", TOOL);
    const prompt = target("prompt", "b__t", { name: "t" });
    const resource = target("resource", "r://1", { uri: "r://1", name: "r" });
    const shown = (one: Target) => (name: string) =>
      name === one.exposed && !this.hidden.has(name) ? one : undefined;
    return {
      meta: "{}",
      tool: shown(tool),
      prompt: shown(prompt),
      resource: shown(resource),
      held: () => undefined,
    } as unknown as View;
  }
}

interface Given {
  readonly method: string;
  readonly params: JsonObject;
}
