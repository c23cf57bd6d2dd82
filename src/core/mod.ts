/** The core's door: everything a host needs to run the gateway, nothing of how it works inside. */
import type { Config, RequestId, Snapshot } from "../contract/mod.ts";
import type { ConfigSource } from "../ports/config_source.ts";
import type { EventStore } from "../ports/event_store.ts";
import type { Journal } from "../ports/journal.ts";
import type { LogLevels } from "../ports/log.ts";
import type { MessageLink } from "../ports/message_link.ts";
import type { RateStore } from "../ports/rate_store.ts";
import type { SchemaCompiler } from "../ports/schema_compiler.ts";
import type { StateStore } from "../ports/state_store.ts";
import { uuidv7 } from "uuidv7";
import { createAuthenticator } from "./auth/authenticator.ts";
import { createProtectedResource } from "./auth/protected_resource.ts";
import type { BackendPorts } from "./backends/ports.ts";
import type { Line } from "./call/receive.ts";
import { createRefusalCount } from "./call/metrics.ts";
import { createSettle } from "./call/settle.ts";
import type { FrontContext } from "./front/context.ts";
import { type FetchHandler, toFetch } from "./front/fetch.ts";
import { createHandler } from "./front/handler.ts";
import type { HttpHandler } from "./front/http_message.ts";
import { createHttpPolicy } from "./front/http_policy.ts";
import { attachPipe, type PipeOptions } from "./front/pipe.ts";
import { collectGauges } from "./runtime/gauges.ts";
import { CallFeed } from "./runtime/call_feed.ts";
import type { Control } from "./runtime/control.ts";
import type { EventLog } from "./runtime/event_log.ts";
import { Operator } from "./runtime/operator.ts";
import { perConfig } from "./runtime/per_config.ts";
import { Runtime } from "./runtime/runtime.ts";
import { snapshotOf } from "./runtime/snapshot.ts";

export { bodyBroken, bodyTooLarge } from "./front/body.ts";
export type { FetchHandler } from "./front/fetch.ts";
export type { HttpHandler, HttpIncoming, HttpOutgoing } from "./front/http_message.ts";
export { toFetch } from "./front/fetch.ts";
export { checkHost } from "./front/http_policy.ts";
export type { Peer } from "./front/peer.ts";
export type { Act, Control, KillScope, KillTarget, Refusal } from "./runtime/control.ts";
export { EventLog } from "./runtime/event_log.ts";

/** Everything the core needs from outside. */
export interface CorePorts extends BackendPorts {
  readonly events: EventStore;
  readonly rates: RateStore;
  readonly schemas: SchemaCompiler;
  readonly state: StateStore;
  readonly journal: Journal;
  /** The same that `log` keeps its events in. */
  readonly eventLog: EventLog;
  readonly logLevels: LogLevels;
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
  const runtime = new Runtime(config, ports);
  const feed = new CallFeed();
  const operator = new Operator({ ...ports, runtime, feed, source: ports.configSource });
  const endGauges = collectGauges(ports.telemetry, () => ({
    world: runtime.world,
    state: operator.state,
    sessions: runtime.sessions,
    configHash: operator.configHash,
  }));
  const context = createContext(runtime, ports, feed);
  const endSweep = ports.clock.every(SWEEP_MS, () => {
    ports.events.sweep();
    runtime.limits.sweep();
  });
  const handle = createDataHandler(context, runtime, ports);
  return {
    fetch: toFetch(handle),
    handle,
    control: operator,
    attach: (link, options) => attachPipe(context, link, options),
    start: () => runtime.start(),
    beginStop: () => runtime.beginStop(),
    stop: async () => {
      endSweep();
      operator.stop();
      await runtime.stop();
      endGauges();
    },
    snapshot: () => snapshotOf(runtime, operator, ports.version),
    config: () => runtime.world.config,
    inFlight: () => runtime.sessions.inFlight,
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

function createDataHandler(context: FrontContext, runtime: Runtime, ports: CorePorts): HttpHandler {
  const { server } = runtime.world.config;
  const policy = perConfig(runtime, (config) =>
    createHttpPolicy({
      hostname: config.server.listen.replace(/:\d+$/, ""),
      publicUrl: config.server.public_url,
      allowedOrigins: config.server.allowed_origins,
    }));
  return createHandler(context, {
    policy,
    resource: perConfig(runtime, createProtectedResource),
    path: server.path,
    legacySse: server.legacy_sse,
    hasToolset: (name) => Object.hasOwn(runtime.world.config.toolsets, name),
    requestId,
    refused: createRefusalCount(ports.telemetry),
    defect: (cause, request) =>
      ports.log.write("call.defect", { request_id: request, cause: String(cause) }),
  });
}

function createLine(runtime: Runtime, ports: CorePorts, feed: CallFeed): Line {
  const { clock, log, telemetry } = ports;
  return {
    world: () => runtime.world,
    view: (session) => runtime.view(session),
    requestId,
    monotonic: () => clock.monotonic(),
    settle: createSettle({ clock, log, telemetry, traffic: runtime.traffic, feed }),
    starting: () => runtime.starting,
    rootsChanged: (session) => runtime.rootsChanged(session),
  };
}
