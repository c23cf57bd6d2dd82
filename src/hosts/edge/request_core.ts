/** A core for one request, and its end. */
import { type Core, type CorePorts, createCore, EventLog } from "../../core/mod.ts";
import { SentinelError } from "../../contract/mod.ts";
import type { ConfigSource } from "../../ports/config_source.ts";
import type { Log } from "../../ports/log.ts";
import { MemoryEventStore } from "../../stores/memory/event_store.ts";
import { HttpReplicas, readTable } from "../../stores/redis/http_replicas.ts";
import { HttpServer } from "../../stores/redis/http_server.ts";
import type { Keys } from "../../stores/redis/keys.ts";
import { RedisSessionStore } from "../../stores/redis/session_store.ts";
import { interpreter } from "../schema_compiler/interpreter.ts";
import { VERSION } from "../version.ts";
import { RequestClock } from "./clock.ts";
import { edgeHttp } from "./http.ts";
import type { Isolate } from "./isolate.ts";
import { NoSessions } from "./no_sessions.ts";
import { newInstance, webRandom } from "./random.ts";
import { webDigest } from "./sha256.ts";
import { noTelemetry } from "./telemetry.ts";
import { SESSIONLESS } from "./unsupported.ts";

/** Kill switches of other replicas are read again after that. */
const TABLE_MS = 5000;
/** Between two looks for calls that an isolate left without a row. */
const LOST_LOOK_MS = 5 * 60_000;
/** Between two looks at what is waited for. */
const LOOK_MS = 20;
/** What every request would say of its core, which is no gateway of its own. */
const UNSAID: ReadonlySet<string> = new Set([
  "backend.ready",
  "backend.starting",
  "backend.stopped",
  "gateway.stopped",
  "gateway.stopping",
]);

export interface RequestCore {
  readonly core: Core;
  /** Resolves when first connections are decided. */
  readonly started: () => Promise<void>;
  /** Ends it when its calls are answered, and writes what is left. Never rejects. */
  readonly end: () => Promise<void>;
}

/** @param hostname the request came to: who has been routed here may use that name */
export async function openCore(isolate: Isolate, hostname: string): Promise<RequestCore> {
  const clock = new RequestClock();
  const { config } = isolate.settings;
  const { redis, audit } = isolate;
  const endpoints = redis === undefined ? [] : [redis.endpoint];
  const http = edgeHttp(config, isolate.issuerKeys, endpoints);
  const server = redis && new HttpServer({ ...redis, http, clock });
  const log = quiet(isolate.log);
  const { events, keep: keepMs } = config.sessions.resume;
  const common = { clock, random: webRandom };
  const ports: CorePorts = {
    ...common,
    log,
    logLevels: isolate.log,
    eventLog: new EventLog(isolate.state, clock, isolate.mask.apply),
    telemetry: noTelemetry,
    http,
    spawner: undefined,
    memory: isolate.backends,
    version: VERSION,
    mask: isolate.mask.apply,
    events: new MemoryEventStore({ clock, events, keepMs }),
    instance: newInstance(),
    store: server === undefined || redis === undefined
      ? new NoSessions(isolate.stateKey, common)
      : new RedisSessionStore({ ...common, server, keys: redis.keys, events, keepMs }),
    ...(redis === undefined ? { sessionless: SESSIONLESS } : {}),
    hostnames: new Set([hostname]),
    rates: isolate.rates,
    replicas: server && redis && await replicasOf(isolate, server, { keys: redis.keys, clock }),
    schemas: interpreter,
    digest: webDigest,
    state: isolate.state,
    journal: isolate.journal,
    audit: audit && { journal: audit, sink: audit.sink },
    configSource: sourceOf(isolate),
    stop: () => {},
  };
  const core = createCore(config, ports);
  core.start();
  return {
    core,
    started: () => pausedWhile(() => core.snapshot().state === "starting", clock),
    end: () => end(core, { isolate, clock, log }),
  };
}

/** What the other replicas have switched off holds here too, a few seconds later. */
async function replicasOf(
  isolate: Isolate,
  server: HttpServer,
  { keys, clock }: { readonly keys: Keys; readonly clock: RequestClock },
): Promise<HttpReplicas> {
  const age = clock.monotonic() - (isolate.table?.at ?? -Infinity);
  if (age >= TABLE_MS) {
    try {
      isolate.table = { entries: await readTable(server, keys), at: clock.monotonic() };
    } catch {
      // What was read before holds; that the server is away is told by its health.
    }
  }
  return new HttpReplicas(server, keys, isolate.table?.entries);
}

function sourceOf({ settings: { hash } }: Isolate): ConfigSource {
  const why = "a new configuration is a new deployment";
  return {
    name: "SENTINEL_CONFIG",
    hash,
    read: () =>
      Promise.reject(
        new SentinelError("OPERATION_DISABLED", `Cannot reload: ${why}`, { reason: why }),
      ),
    view: () => ({}),
  };
}

function quiet(log: Log): Log {
  return {
    write: (event, fields) => {
      if (!UNSAID.has(event)) log.write(event, fields);
    },
  };
}

interface EndParts {
  readonly isolate: Isolate;
  readonly clock: RequestClock;
  readonly log: Log;
}

async function end(core: Core, { isolate, clock, log }: EndParts): Promise<void> {
  const { audit } = isolate;
  try {
    await pausedWhile(() => core.inFlight() > 0, clock);
    await core.stop();
    await audit?.synced();
    await closeLost(isolate, clock, log);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    log.write("audit.store_failed", { store: audit?.sink.kind, reason });
  } finally {
    clock.end();
  }
}

async function pausedWhile(holds: () => boolean, clock: RequestClock): Promise<void> {
  while (holds()) await new Promise<void>((resolve) => void clock.after(LOOK_MS, resolve));
}

/** Calls of isolates that are gone: one look in a while is enough. */
async function closeLost(isolate: Isolate, clock: RequestClock, log: Log): Promise<void> {
  const now = clock.monotonic();
  if (isolate.audit === undefined || now - isolate.lookedAt < LOST_LOOK_MS) return;
  isolate.lookedAt = now;
  const calls = await isolate.audit.closeLost();
  if (calls > 0) log.write("audit.recovered", { calls });
}
