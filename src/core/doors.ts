/** What the doors of the core need of everything behind them. */
import type { ErrorName, RequestId } from "../contract/mod.ts";
import { uuidv7 } from "uuidv7";
import type { Audit } from "./audit/audit.ts";
import { createRefusalRows } from "./audit/refusals.ts";
import { createAuthenticator } from "./auth/authenticator.ts";
import { createProtectedResource } from "./auth/protected_resource.ts";
import { createRefusalCount } from "./call/metrics.ts";
import type { Line } from "./call/receive.ts";
import { createSettle } from "./call/settle.ts";
import { BodyDeadlines } from "./front/body_deadlines.ts";
import type { FrontContext } from "./front/context.ts";
import { createHandler, type Refused } from "./front/handler.ts";
import type { HttpHandler } from "./front/http_message.ts";
import { createHttpPolicy } from "./front/http_policy.ts";
import type { Probes } from "./front/health.ts";
import type { Intake } from "./front/intake.ts";
import type { CorePorts } from "./mod.ts";
import { Others } from "./replicas/others.ts";
import type { CallFeed } from "./runtime/call_feed.ts";
import { perConfig } from "./runtime/per_config.ts";
import type { Runtime } from "./runtime/runtime.ts";

function requestId(): RequestId {
  return uuidv7() as RequestId;
}

/** What every door shares beside the runtime. */
export interface DoorParts {
  readonly feed: CallFeed;
  readonly intake: Intake;
}

export function createContext(runtime: Runtime, ports: CorePorts, parts: DoorParts): FrontContext {
  const { name } = runtime.world.config.server;
  const context: FrontContext = {
    line: createLine(runtime, ports, parts),
    authenticate: createAuthenticator({ ...ports, config: () => runtime.world.config }),
    sessions: runtime.sessions,
    clients: runtime.clients,
    parked: runtime.parked,
    listens: runtime.listens,
    events: ports.events,
    store: ports.store,
    ...(ports.sessionless === undefined ? {} : { sessionless: ports.sessionless }),
    intake: parts.intake,
    bodies: new BodyDeadlines(ports.clock, () => runtime.world.config.server.body_timeout),
    server: { name, version: ports.version },
    maxRequestBytes: () => runtime.world.config.server.max_request_size,
    heartbeatMs: () => runtime.world.config.sessions.heartbeat,
    admitNewcomer: () => runtime.limits.admitNewcomer(),
    overflow: (session) => {
      ports.telemetry.series("sentinel_stream_events_dropped_total", { kind: "client_sse" }).add(1);
      ports.log.write("stream.overflow", { transport: session.front });
    },
  };
  const { bus } = ports;
  return bus === undefined
    ? context
    : { ...context, others: new Others(context, { ...ports, bus }) };
}

/** The ports, with what is made of them. */
type Made = Omit<CorePorts, "audit"> & {
  readonly audit: Audit | undefined;
  readonly probes: Probes;
};

export function createDataHandler(
  context: FrontContext,
  runtime: Runtime,
  ports: Made,
): HttpHandler {
  const { server } = runtime.world.config;
  return createHandler(context, {
    probes: ports.probes,
    policy: perConfig(runtime, (config) => createHttpPolicy(config, ports.hostnames)),
    resource: perConfig(runtime, createProtectedResource),
    path: server.path,
    legacySse: server.legacy_sse,
    websocket: server.websocket,
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

function createLine(runtime: Runtime, ports: CorePorts, { feed }: DoorParts): Line {
  const { clock, log, telemetry, tracing } = ports;
  return {
    running: runtime.running,
    tracing,
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
