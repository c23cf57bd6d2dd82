/** The circuits of one backend: its own, and one for each tool that failed lately. */
import { type BackendConfig, type BackendStatus, SentinelError } from "../../contract/mod.ts";
import type { CircuitState } from "../../contract/status.ts";
import type { Call } from "../call/call.ts";
import { Breaker } from "./breaker.ts";
import type { LinkReply } from "./link.ts";
import type { BackendPorts } from "./ports.ts";
import { type Verdict, verdictOfFailure, verdictOfReply } from "./verdict.ts";

/** Tools with a circuit of their own; the longest known that is closed goes first. */
const MAX_TOOLS = 500;
const MAX_REASON = 200;

export interface CircuitsOptions {
  readonly backend: string;
  readonly ports: Pick<BackendPorts, "clock" | "random" | "log" | "telemetry">;
  /** In force now. */
  readonly settings: () => BackendConfig["health"];
  /** Something that operators see has changed. */
  readonly changed: () => void;
  /** The circuit of the backend as a whole closed. */
  readonly closed: () => void;
}

/** A call that others wait for: what it shows decides the circuits it probes. */
export interface Probe {
  readonly backend: Breaker | undefined;
  readonly tool: Breaker | undefined;
}

export class Circuits {
  readonly #options: CircuitsOptions;
  readonly #whole: Breaker;
  readonly #tools = new Map<string, Breaker>();
  /** All calls of a lost connection fail with one error: it is one failure. */
  #lastError: SentinelError | undefined;
  #lastReason: string | undefined;
  readonly #toolReasons = new WeakMap<Breaker, string>();

  constructor(options: CircuitsOptions) {
    this.#options = options;
    const { backend, ports: { telemetry } } = options;
    this.#whole = this.#breaker(undefined);
    // A rate needs a zero to start from.
    for (const scope of ["backend", "tool"] as const) {
      for (const state of ["closed", "open", "half_open"] as const) {
        const labels = { sentinel_backend: backend, scope, state };
        telemetry.series("sentinel_backend_circuit_transitions_total", labels).add(0);
      }
    }
  }

  /** Of the backend as a whole. */
  get state(): CircuitState {
    return this.#whole.state;
  }

  /** Milliseconds until a ping may probe; undefined while the circuit is closed. */
  get probeIn(): number | undefined {
    if (this.#whole.state === "closed") return undefined;
    return this.#whole.retryAfter(this.#now());
  }

  get status(): BackendStatus["circuit"] {
    const { state, until } = this.#whole;
    const tools = [...this.#tools].filter(([, breaker]) => breaker.state !== "closed")
      .map(([tool]) => tool);
    if (state !== "open") return { state, tools };
    const at = this.#options.ports.clock.now() + until - this.#now();
    return { state, until: new Date(at).toISOString(), tools };
  }

  /**
   * Lets a call pass; it may be the probe.
   * @throws SentinelError CIRCUIT_OPEN
   */
  enter(call: Call): void {
    if (this.#whole.state === "closed" && this.#tools.size === 0) return;
    const now = this.#now();
    const tool = this.#toolOf(call);
    const ofTool = tool?.enter(now) ?? "pass";
    if (tool !== undefined && ofTool === "refused") throw this.#refusal(now, tool, call);
    const ofBackend = this.#whole.enter(now);
    if (ofBackend === "refused") {
      if (ofTool === "probe") tool?.probed(now, undefined);
      throw this.#refusal(now, this.#whole, call);
    }
    if (ofTool === "pass" && ofBackend === "pass") return;
    call.probe = {
      backend: ofBackend === "probe" ? this.#whole : undefined,
      tool: ofTool === "probe" ? tool : undefined,
    };
  }

  /** The backend answered the call, at `now` (monotonic ms). */
  answered(call: Call, reply: LinkReply, now: number): void {
    const verdict = verdictOfReply(reply);
    if (verdict === "well" && call.probe === undefined) return this.#well(call, now);
    const said = "error" in reply ? `it answered ${reply.error.code} ${reply.error.message}` : "";
    this.#judge(call, { verdict, reason: said.slice(0, MAX_REASON), now });
  }

  /** The call was sent, or could not be, and there is no answer. */
  failed(call: Call, error: SentinelError, now: number): void {
    const verdict = verdictOfFailure(error);
    if (verdict === undefined) return this.leave(call);
    const isSame = error === this.#lastError && call.probe === undefined;
    this.#lastError = error;
    if (!isSame) this.#judge(call, { verdict, reason: error.message.slice(0, MAX_REASON), now });
  }

  /** The call has ended without showing anything: the next one is the probe. */
  leave(call: Call): void {
    const { probe } = call;
    if (probe === undefined) return;
    call.probe = undefined;
    const now = this.#now();
    probe.backend?.probed(now, undefined);
    probe.tool?.probed(now, undefined);
  }

  /** Whether a ping may be sent: `"probe"` when it decides, `"refused"` while another probe is under way. */
  enterPing(): ReturnType<Breaker["enter"]> {
    return this.#whole.enter(this.#now());
  }

  /** How a ping that was the probe ended. */
  pinged(succeeded: boolean): void {
    this.#whole.pinged(this.#now(), succeeded);
  }

  /** The way of nearly all calls. */
  #well(call: Call, now: number): void {
    this.#whole.succeeded(now);
    if (this.#tools.size === 0) return;
    const tool = this.#toolOf(call);
    if (tool === undefined) return;
    tool.succeeded(now);
    if (tool.isForgettable(now)) this.#tools.delete(call.target?.original ?? "");
  }

  #judge(call: Call, { verdict, reason, now }: Judgement): void {
    const { probe, target } = call;
    call.probe = undefined;
    const isTool = target?.kind === "tool";
    // What a backend answers shows that it is there: an error of a tool is that tool's own.
    const backendFailed = verdict === "backend" || (verdict === "answer" && !isTool);
    if (backendFailed) this.#lastReason = reason;
    const before = this.state;
    report(this.#whole, now, { isProbe: probe?.backend !== undefined, failed: backendFailed });
    if (!isTool) return;
    const failed = verdict !== "well";
    const tool = failed ? this.#failing(target.original) : this.#toolOf(call);
    if (tool === undefined) return;
    if (failed) this.#toolReasons.set(tool, reason);
    const isProbe = probe?.tool !== undefined;
    // What has just opened the backend's own circuit needs no second one.
    if (before === "closed" && this.state === "open" && !isProbe) return;
    report(tool, now, { isProbe, failed });
  }

  #toolOf({ target }: Call): Breaker | undefined {
    return target?.kind === "tool" ? this.#tools.get(target.original) : undefined;
  }

  #failing(tool: string): Breaker {
    const known = this.#tools.get(tool);
    if (known !== undefined) return known;
    if (this.#tools.size >= MAX_TOOLS) this.#forgetOne();
    const breaker = this.#breaker(tool);
    this.#tools.set(tool, breaker);
    return breaker;
  }

  #forgetOne(): void {
    const [oldest] = this.#tools.keys();
    const closed = [...this.#tools].find(([, { state }]) => state === "closed")?.[0];
    this.#tools.delete(closed ?? oldest ?? "");
  }

  #breaker(tool: string | undefined): Breaker {
    const { settings, ports: { random } } = this.#options;
    const breaker: Breaker = new Breaker({
      settings,
      fraction: () => random.fraction(),
      changed: (state, openMs) => this.#came({ breaker, tool, state, openMs }),
    });
    return breaker;
  }

  #came({ breaker, tool, state, openMs }: Change): void {
    const { backend, ports: { log, telemetry }, changed, closed } = this.#options;
    const scope = tool === undefined ? "backend" : "tool";
    const labels = { sentinel_backend: backend, scope, state } as const;
    telemetry.series("sentinel_backend_circuit_transitions_total", labels).add(1);
    const fields = { backend, ...(tool === undefined ? {} : { tool }) };
    if (state === "open") {
      const reason = this.#reasonOf(breaker);
      log.write("backend.circuit_opened", { ...fields, reason, open_ms: Math.round(openMs ?? 0) });
    }
    if (state === "closed") log.write("backend.circuit_closed", fields);
    if (state === "closed" && tool === undefined) closed();
    changed();
  }

  #reasonOf(breaker: Breaker): string | undefined {
    return breaker === this.#whole ? this.#lastReason : this.#toolReasons.get(breaker);
  }

  #refusal(now: number, breaker: Breaker, { target }: Call): SentinelError {
    const { backend } = this.#options;
    const what = breaker === this.#whole
      ? `backend "${backend}": its circuit`
      : `"${target?.exposed.slice(0, 200)}": the circuit of the tool`;
    const reason = this.#reasonOf(breaker);
    return new SentinelError("CIRCUIT_OPEN", `Cannot call ${what} is open`, {
      backend,
      executed: "no",
      retryAfterMs: breaker.retryAfter(now),
      ...(reason === undefined ? {} : { reason }),
    });
  }

  #now(): number {
    return this.#options.ports.clock.monotonic();
  }
}

interface Judgement {
  readonly verdict: Verdict;
  /** What is told of a failure. */
  readonly reason: string;
  readonly now: number;
}

interface Change {
  readonly breaker: Breaker;
  /** Undefined: the backend as a whole. */
  readonly tool: string | undefined;
  readonly state: CircuitState;
  readonly openMs: number | undefined;
}

function report(
  breaker: Breaker,
  now: number,
  { isProbe, failed }: { readonly isProbe: boolean; readonly failed: boolean },
): void {
  if (isProbe) breaker.probed(now, !failed);
  else if (failed) breaker.failed(now);
  else breaker.succeeded(now);
}
