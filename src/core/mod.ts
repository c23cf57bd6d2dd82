/** The core's door: everything a host needs to run the gateway, nothing of how it works inside. */
import type { Config, RequestId, Snapshot } from "../contract/mod.ts";
import type { EventStore } from "../ports/event_store.ts";
import type { MessageLink } from "../ports/message_link.ts";
import { uuidv7 } from "uuidv7";
import type { BackendPorts } from "./backends/ports.ts";
import type { Line } from "./call/receive.ts";
import { createSettle } from "./call/settle.ts";
import type { FrontContext } from "./front/context.ts";
import { type FetchHandler, toFetch } from "./front/fetch.ts";
import { createHandler } from "./front/handler.ts";
import type { HttpHandler } from "./front/http_message.ts";
import { createHttpPolicy } from "./front/http_policy.ts";
import { attachPipe } from "./front/pipe.ts";
import { Runtime } from "./runtime/runtime.ts";

export { bodyBroken, bodyTooLarge } from "./front/body.ts";
export type { FetchHandler } from "./front/fetch.ts";
export type { HttpHandler, HttpIncoming, HttpOutgoing } from "./front/http_message.ts";
export { toFetch } from "./front/fetch.ts";
export type { Peer } from "./front/peer.ts";
export type { Act, Control, KillScope, Refusal } from "./runtime/control.ts";
export { EventLog } from "./runtime/event_log.ts";

/** Everything the core needs from outside. */
export interface CorePorts extends BackendPorts {
  readonly events: EventStore;
}

/** The gateway behind its two doors. */
export interface Core {
  /** Everything HTTP. Never rejects. */
  readonly fetch: FetchHandler;
  /** The same without Request and Response, for hosts where these are expensive (Node). */
  readonly handle: HttpHandler;
  /** Serves a pipe of messages (stdio, WebSocket); resolves when its client has gone. */
  attach(link: MessageLink): Promise<void>;
  /** Starts the backends; returns at once. */
  start(): void;
  /** Ends sessions and backends. */
  stop(): Promise<void>;
  snapshot(): Snapshot;
  /** Calls being answered now. */
  inFlight(): number;
}

export function createCore(config: Config, ports: CorePorts): Core {
  const runtime = new Runtime(config, ports);
  const requestId = () => uuidv7() as RequestId;
  const context: FrontContext = {
    line: createLine(runtime, ports, requestId),
    sessions: runtime.sessions,
    events: ports.events,
    server: { name: config.server.name, version: ports.version },
    maxRequestBytes: config.server.max_request_size,
    overflow: (session) => ports.log.write("stream.overflow", { transport: session.front }),
  };
  const sweepEvents = ports.clock.every(SWEEP_MS, () => ports.events.sweep());
  const handle = createHandler(context, {
    policy: createHttpPolicy({
      hostname: config.server.listen.replace(/:\d+$/, ""),
      publicUrl: config.server.public_url,
      allowedOrigins: config.server.allowed_origins,
    }),
    path: config.server.path,
    legacySse: config.server.legacy_sse,
    hasToolset: (name) => Object.hasOwn(config.toolsets, name),
    requestId,
    defect: (cause, request) =>
      ports.log.write("call.defect", { request_id: request, cause: String(cause) }),
  });
  return {
    fetch: toFetch(handle),
    handle,
    attach: (link) => attachPipe(context, link),
    start: () => runtime.start(),
    stop: async () => {
      sweepEvents();
      await runtime.stop();
    },
    snapshot: () => runtime.snapshot(ports.version),
    inFlight: () => runtime.sessions.inFlight,
  };
}

/** Between two looks at what the event store may forget. */
const SWEEP_MS = 30_000;

function createLine(runtime: Runtime, ports: CorePorts, requestId: () => RequestId): Line {
  const inFlight = ports.telemetry.series("sentinel_requests_in_flight", {});
  return {
    world: () => runtime.world,
    view: (session) => runtime.view(session),
    requestId,
    monotonic: () => ports.clock.monotonic(),
    started: () => inFlight.add(1),
    settle: createSettle(ports),
    starting: () => runtime.starting,
    rootsChanged: (session) => runtime.rootsChanged(session),
  };
}
