/** The core's door: everything a host needs to run the gateway, nothing of how it works inside. */
import type { Config, ErrorName, RequestId, Snapshot } from "../contract/mod.ts";
import type { ConfigSource } from "../ports/config_source.ts";
import type { Digest } from "../ports/digest.ts";
import type { EventStore } from "../ports/event_store.ts";
import type { Journal } from "../ports/journal.ts";
import type { LogLevels } from "../ports/log.ts";
import type { MessageLink } from "../ports/message_link.ts";
import type { RateMirror } from "../ports/rate_store.ts";
import type { Replicas } from "../ports/replicas.ts";
import type { SchemaCompiler } from "../ports/schema_compiler.ts";
import type { StateStore } from "../ports/state_store.ts";
import { uuidv7 } from "uuidv7";
import { Audit, type AuditStores } from "./audit/audit.ts";
import { createRefusalRows } from "./audit/refusals.ts";
import { NO_RECORDER } from "./audit/recorder.ts";
import { createAuthenticator } from "./auth/authenticator.ts";
import { createProtectedResource } from "./auth/protected_resource.ts";
import type { BackendPorts } from "./backends/ports.ts";
import type { Line } from "./call/receive.ts";
import { createRefusalCount } from "./call/metrics.ts";
import { createSettle } from "./call/settle.ts";
import type { FrontContext } from "./front/context.ts";
import { type FetchHandler, toFetch } from "./front/fetch.ts";
import { createHandler, type Refused } from "./front/handler.ts";
import type { HttpHandler } from "./front/http_message.ts";
import { SharedRates } from "./limits/shared_rates.ts";
import { createHttpPolicy } from "./front/http_policy.ts";
import { attachPipe, type PipeOptions } from "./front/pipe.ts";
import { collectGauges } from "./runtime/gauges.ts";
import { CallFeed } from "./runtime/call_feed.ts";
import type { Control } from "./runtime/control.ts";
import type { EventLog } from "./runtime/event_log.ts";
import { Operator } from "./runtime/operator.ts";
import { Sharing } from "./runtime/sharing.ts";
import type { Interceptor } from "./rules/interceptor.ts";
import { perConfig } from "./runtime/per_config.ts";
import { Runtime } from "./runtime/runtime.ts";
import { snapshotOf } from "./runtime/snapshot.ts";

export { bodyBroken, bodyTooLarge } from "./front/body.ts";
export type { FetchHandler } from "./front/fetch.ts";
export type { HttpHandler, HttpIncoming, HttpOutgoing } from "./front/http_message.ts";
export { toFetch } from "./front/fetch.ts";
export { checkHost } from "./front/http_policy.ts";
export type { Peer } from "./front/peer.ts";
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
  /** A stop was asked for: state `stopping`, no further operations; calls go on. Idempotent. */
  beginStop(): void;
  /** Ends sessions and backends. */
  stop(): Promise<void>;
  snapshot(): Snapshot;
  /** The configuration in force. */
  config(): Config;
  /** Calls being answered now. */
  inFlight(): number;
}

export function createCore(config: Config, ports: CorePorts): Core {
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
  const operator: Operator = new Operator({
    ...ports,
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
    inFlight: runtime.inFlight,
    configHash: operator.configHash,
  }));
  const context = createContext(runtime, ports, feed);
  const endSweep = ports.clock.every(SWEEP_MS, () => {
    ports.events.sweep();
    runtime.sweep();
  });
  const handle = createDataHandler(context, runtime, { ...ports, audit });
  return {
    fetch: toFetch(handle),
    handle,
    control: operator,
    attach: (link, options) => attachPipe(context, link, options),
    start: () => {
      audit?.start();
      runtime.start();
    },
    beginStop: () => runtime.beginStop(),
    stop: async () => {
      endSweep();
      operator.stop();
      await runtime.stop();
      sharing?.stop();
      await audit?.stop();
      endGauges();
    },
    snapshot: () => snapshotOf(runtime, operator, ports.version),
    config: () => runtime.world.config,
    inFlight: () => runtime.inFlight,
  };
}

/** Between two looks at what the stores may forget. */
const SWEEP_MS = 30_000;

function requestId(): RequestId {
  return uuidv7() as RequestId;
}

function createContext(runtime: Runtime, ports: CorePorts, feed: CallFeed): FrontContext {
  const { name } = runtime.world.config.server;
  return {
    line: createLine(runtime, ports, feed),
    authenticate: createAuthenticator({ ...ports, config: () => runtime.world.config }),
    sessions: runtime.sessions,
    clients: runtime.clients,
    parked: runtime.parked,
    listens: runtime.listens,
    events: ports.events,
    server: { name, version: ports.version },
    maxRequestBytes: () => runtime.world.config.server.max_request_size,
    admitNewcomer: () => runtime.limits.admitNewcomer(),
    overflow: (session) => {
      ports.telemetry.series("sentinel_stream_events_dropped_total", { kind: "client_sse" }).add(1);
      ports.log.write("stream.overflow", { transport: session.front });
    },
  };
}

/** The ports, with what is made of them. */
type Made = Omit<CorePorts, "audit"> & { readonly audit: Audit | undefined };

function createDataHandler(context: FrontContext, runtime: Runtime, ports: Made): HttpHandler {
  const { server } = runtime.world.config;
  return createHandler(context, {
    policy: perConfig(runtime, createHttpPolicy),
    resource: perConfig(runtime, createProtectedResource),
    path: server.path,
    legacySse: server.legacy_sse,
    hasToolset: (name) => Object.hasOwn(runtime.world.config.toolsets, name),
    requestId,
    refused: onRefused(ports),
    defect: (cause, request) =>
      ports.log.write("call.defect", { request_id: request, cause: String(cause) }),
  });
}

/** Refusals that say who knocked; the others are mistakes of clients, and only counted. */
const RECORDED: ReadonlySet<ErrorName> = new Set([
  "UNAUTHENTICATED",
  "INSUFFICIENT_SCOPE",
  "ORIGIN_OR_HOST_REFUSED",
  "ADDRESS_REFUSED",
]);

function onRefused({ telemetry, audit, clock }: Made): (refused: Refused) => void {
  const count = createRefusalCount(telemetry);
  const record = createRefusalRows((refusal) => audit?.refusal(refusal), clock);
  return ({ request, error, method, path, address }) => {
    count(error.code);
    if (!RECORDED.has(error.code)) return;
    const why = error.cause instanceof Error ? error.cause.message : error.message;
    const actor = { name: "unknown", ...(address === undefined ? {} : { address }) };
    record({ request, code: error.code, why, method, path, actor });
  };
}

function createLine(runtime: Runtime, ports: CorePorts, feed: CallFeed): Line {
  const { clock, log, telemetry } = ports;
  return {
    world: () => runtime.world,
    view: (session) => runtime.view(session),
    requestId,
    monotonic: () => clock.monotonic(),
    now: () => clock.now(),
    settle: createSettle({ clock, log, telemetry, traffic: runtime.traffic, feed }),
    starting: () => runtime.starting,
    rootsChanged: (session) => runtime.rootsChanged(session),
  };
}
