/** The core's door: everything a host needs to run the gateway, nothing of how it works inside. */
import type { Config, Snapshot } from "../contract/mod.ts";
import type { Readiness } from "../contract/readiness.ts";
import type { Bus } from "../ports/bus.ts";
import type { Cancel } from "../ports/clock.ts";
import type { ConfigSource } from "../ports/config_source.ts";
import type { Digest } from "../ports/digest.ts";
import type { EventStore } from "../ports/event_store.ts";
import type { Journal } from "../ports/journal.ts";
import type { LogLevels } from "../ports/log.ts";
import type { MessageLink } from "../ports/message_link.ts";
import type { Pressure } from "../ports/pressure.ts";
import type { RateMirror } from "../ports/rate_store.ts";
import type { Replicas } from "../ports/replicas.ts";
import type { SchemaCompiler } from "../ports/schema_compiler.ts";
import type { SessionStore } from "../ports/session_store.ts";
import type { StateStore } from "../ports/state_store.ts";
import type { Tracing } from "../ports/tracing.ts";
import { Audit, type AuditStores } from "./audit/audit.ts";
import { NO_RECORDER } from "./audit/recorder.ts";
import type { BackendPorts } from "./backends/ports.ts";
import { createContext, createDataHandler } from "./doors.ts";
import type { FrontContext } from "./front/context.ts";
import { type FetchHandler, toFetch } from "./front/fetch.ts";
import type { HttpHandler } from "./front/http_message.ts";
import { Intake } from "./front/intake.ts";
import { SharedRates } from "./limits/shared_rates.ts";
import { Shedding } from "./limits/shedding.ts";
import { attachPipe, type PipeOptions } from "./front/pipe.ts";
import { collectGauges } from "./runtime/gauges.ts";
import { CallFeed } from "./runtime/call_feed.ts";
import type { Control } from "./runtime/control.ts";
import { Drain } from "./runtime/drain.ts";
import type { EventLog } from "./runtime/event_log.ts";
import { Operator } from "./runtime/operator.ts";
import { readinessOf } from "./runtime/readiness.ts";
import { Sharing } from "./runtime/sharing.ts";
import type { Interceptor } from "./rules/interceptor.ts";
import { Runtime } from "./runtime/runtime.ts";
import { watchedStore } from "./session/watched_store.ts";
import { snapshotOf } from "./runtime/snapshot.ts";

export { bodyBroken, bodyTooLarge } from "./front/body.ts";
export { BodyDeadlines } from "./front/body_deadlines.ts";
export type { FetchHandler } from "./front/fetch.ts";
export type { HttpHandler, HttpIncoming, HttpOutgoing } from "./front/http_message.ts";
export { toFetch, toUpgrade } from "./front/fetch.ts";
export type { Upgrade } from "./front/upgrade.ts";
export { WEBSOCKET_PATH } from "./front/endpoints.ts";
export { checkHost } from "./front/http_policy.ts";
export type { Peer } from "./front/peer.ts";
export { BackendMemory } from "./backends/memory.ts";
export type {
  Act,
  AuditAccess,
  Control,
  KillScope,
  KillTarget,
  Refusal,
} from "./runtime/control.ts";
export type { AuditStores } from "./audit/audit.ts";
export type {
  AskRequest,
  CallRequest,
  IdentityFacts,
  Interceptor,
  ListRequest,
  ReplyRequest,
  ResultRequest,
  SessionFacts,
  TargetFacts,
} from "./rules/interceptor.ts";
export { EventLog } from "./runtime/event_log.ts";

/** Everything the core needs from outside. */
export interface CorePorts extends BackendPorts {
  readonly events: EventStore;
  /** Names the data plane is reached by, in lower case, beside those of the configuration; asked each time. */
  readonly hostnames?: ReadonlySet<string> | undefined;
  /** Name of this replica, 12 hexadecimal digits; another one at each start. */
  readonly instance: string;
  /** Of sessions, beside this gateway's memory. */
  readonly store: SessionStore;
  /**
   * Present: no session can be kept, and what to configure for it, in words. A legacy client may still send single
   * requests.
   */
  readonly sessionless?: string;
  /** Absent: no spans are made; what callers say of their traces still goes on to backends. */
  readonly tracing?: Tracing | undefined;
  /** Absent: there are no other replicas. */
  readonly bus?: Bus | undefined;
  /** Absent: nothing measures it, and no request is refused for it. */
  readonly pressure?: Pressure | undefined;
  readonly rates: RateMirror;
  /** Absent: this gateway is the only one. */
  readonly replicas?: Replicas | undefined;
  readonly schemas: SchemaCompiler;
  readonly state: StateStore;
  readonly journal: Journal;
  /** Absent: nothing is recorded (`audit.store = "off"`). */
  readonly audit: AuditStores | undefined;
  readonly digest: Digest;
  /** The same that `log` keeps its events in. */
  readonly eventLog: EventLog;
  readonly logLevels: LogLevels;
  /** Of the program that embeds the gateway; they run in this order, after those `interceptors.order` names. */
  readonly interceptors?: readonly Interceptor[];
  /** Absent: there is nothing to reload. */
  readonly configSource: ConfigSource | undefined;
  /** Asks the host to stop the gateway: an operator wants a shutdown. */
  readonly stop: () => void;
}

/** The gateway behind its doors. */
export interface Core {
  /** Everything HTTP. Never rejects. */
  readonly fetch: FetchHandler;
  /** The same without Request and Response, for hosts where these are expensive (Node). */
  readonly handle: HttpHandler;
  /** What operators see and do. */
  readonly control: Control;
  /**
   * Serves a pipe of messages (stdio, WebSocket); resolves when its client has gone.
   * @throws SentinelError UNAUTHENTICATED when sign-in is on and the token is not valid
   */
  attach(link: MessageLink, options?: PipeOptions): Promise<void>;
  /** Starts the backends; returns at once. */
  start(): void;
  /**
   * A stop was asked for: state `stopping`, `/ready` says so, no further operations; requests are served.
   * Idempotent, as the two that follow.
   */
  beginStop(): void;
  /** New requests are refused, calls that are under way go on; streams that wait for nothing end. */
  refuseNew(): void;
  /** Every call that is left is answered with STOPPING. */
  endCalls(): void;
  /** Ends sessions and backends. */
  stop(): Promise<void>;
  snapshot(): Snapshot;
  /** The configuration in force. */
  config(): Config;
  /** Calls that are not answered yet. */
  inFlight(): number;
}

export function createCore(config: Config, given: CorePorts): Core {
  const ports = { ...given, store: watchedStore(given) };
  const audit = ports.audit && new Audit(config.audit, { ...ports, ...ports.audit }, {
    revision: () => runtime.world.revision,
    config: () => operator.configHash,
  });
  const { replicas } = ports;
  const rates = replicas === undefined ? ports.rates : new SharedRates({ ...ports, replicas });
  const runtime: Runtime = new Runtime(config, { ...ports, rates, recorder: audit ?? NO_RECORDER });
  const { kills } = runtime;
  const changed = () => runtime.changed();
  const sharing = replicas && new Sharing({ ...ports, replicas, kills, changed });
  const feed = new CallFeed();
  const shedding = new Shedding(ports, () => runtime.world.config.limits);
  const intake = new Intake(shedding);
  const drain = new Drain({ runtime, intake });
  const readiness = (): Readiness =>
    readinessOf({ ...readinessParts(runtime, ports, shedding), state: operator.state, audit });
  const operator: Operator = new Operator({
    ...ports,
    readiness,
    audit,
    runtime,
    feed,
    sharing,
    source: ports.configSource,
  });
  const endGauges = collectGauges(ports.telemetry, () => ({
    world: runtime.world,
    state: operator.state,
    sessions: runtime.sessions,
    inFlight: runtime.running.size,
    configHash: operator.configHash,
  }));
  const context = createContext(runtime, ports, { feed, intake });
  const endSweep = ports.clock.every(SWEEP_MS, () => {
    ports.events.sweep();
    ports.store.sweep();
    runtime.sweep();
  });
  const handle = createDataHandler(context, runtime, {
    ...ports,
    audit,
    probes: { state: () => operator.state, readiness },
  });
  const ends = [endSweep, endGauges];
  const door = { context, handle, ends };
  return assembled({ ...door, ports, runtime, operator, audit, sharing, shedding, drain });
}

function readinessParts(runtime: Runtime, { store }: CorePorts, shedding: Shedding) {
  return {
    world: runtime.world,
    isStarting: runtime.starting !== undefined,
    storeFailure: store.failure,
    refusingMs: shedding.lasting,
  };
}

/** What a core is made of. */
interface Parts {
  readonly ports: CorePorts;
  readonly runtime: Runtime;
  readonly operator: Operator;
  readonly audit: Audit | undefined;
  readonly sharing: Sharing | undefined;
  readonly shedding: Shedding;
  readonly drain: Drain;
  readonly context: FrontContext;
  readonly handle: HttpHandler;
  readonly ends: readonly Cancel[];
}

function assembled(parts: Parts): Core {
  const { ports, runtime, operator, audit, drain, context, handle } = parts;
  return {
    fetch: toFetch(handle),
    handle,
    control: operator,
    attach: (link, options) => attachPipe(context, link, options),
    start: () => {
      audit?.start();
      runtime.start();
    },
    beginStop: () => drain.begin(),
    refuseNew: () => drain.refuse(),
    endCalls: () => drain.endCalls(),
    stop: () => stop(parts),
    snapshot: () => snapshotOf(runtime, operator, ports.version),
    config: () => runtime.world.config,
    inFlight: () => runtime.running.size,
  };
}

async function stop(parts: Parts): Promise<void> {
  const { runtime, operator, audit, drain, context } = parts;
  drain.endCalls();
  drain.dismiss();
  parts.shedding.stop();
  context.bodies.stop();
  operator.stop();
  await runtime.stop();
  await runtime.sessions.flush();
  parts.sharing?.stop();
  context.others?.close();
  await audit?.stop();
  for (const end of parts.ends) end();
}

/** Between two looks at what the stores may forget. */
const SWEEP_MS = 30_000;
