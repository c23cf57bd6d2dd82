/** Everything the core reaches the outside world through, opened in order. */
import type { Config } from "../contract/mod.ts";
import type { CorePorts } from "../core/mod.ts";
import type { Cancel, Clock } from "../ports/clock.ts";
import type { HttpClient } from "../ports/http_client.ts";
import type { Replicas } from "../ports/replicas.ts";
import { MemoryEventStore } from "../stores/memory/event_store.ts";
import { MemoryRateStore } from "../stores/memory/rate_store.ts";
import { Registry } from "../telemetry/registry.ts";
import type { GatewayOptions, GatewaySource } from "./compose.ts";
import { openAuditStores } from "./audit_stores.ts";
import { openBus } from "./bus.ts";
import { createConfigSource } from "./config_source.ts";
import { giveBackFreeMemory } from "./deno/free_memory.ts";
import { systemDigest } from "./digest.ts";
import { createLazyClient } from "./http_client/lazy_client.ts";
import { type MeasuredPressure, measurePressure } from "./pressure.ts";
import { newInstance } from "./instance.ts";
import { Mask, maskedState } from "./mask.ts";
import { createOutputs, type Outputs } from "./outputs.ts";
import { createSpawner, type ProcessSpawner } from "./process/spawn.ts";
import { quietFile } from "./quiet_file.ts";
import { Otel, type OtelOptions } from "./otel/otel.ts";
import { systemRandom } from "./random.ts";
import { openReplicas } from "./replicas.ts";
import { openSessionStore } from "./session_store.ts";
import { createSchemaCompiler } from "./schema_compiler/create.ts";
import { openStores, type Stores } from "./stores.ts";
import { VERSION } from "./version.ts";

/** Takes back one step of a start that fails later. */
export type Undo = () => void | Promise<void>;

export interface OpenPorts {
  readonly ports: CorePorts;
  readonly replicas: Replicas | undefined;
  readonly stores: Stores;
  readonly outputs: Outputs;
  readonly spawner: ProcessSpawner;
  readonly http: HttpClient;
  readonly registry: Registry;
  readonly mask: Mask;
  readonly pressure: MeasuredPressure;
  /** Ends the giving back of memory. */
  readonly keepMemory: Cancel;
  readonly otel: Otel;
  /** Resolves when an operator has asked for a shutdown. */
  readonly stopWanted: Promise<void>;
}

/** @throws SentinelError AUDIT_UNAVAILABLE when the state folder cannot be used */
export async function openPorts(
  options: GatewayOptions,
  clock: Clock,
  undo: Undo[],
): Promise<OpenPorts> {
  const { config, source, stateDir } = options;
  const stores = await openStores(stateDir, { source: source.identity, name: config.server.name });
  undo.push(() => stores.close());
  const mask = new Mask(options.secrets);
  const outputs = createOutputs({ config, clock, mask, state: stores.state });
  undo.push(() => outputs.close());
  const { log, logLevels, eventLog } = outputs;
  const spawner = await createSpawner({ log, ...(stateDir === undefined ? {} : { stateDir }) });
  undo.push(() => spawner.close());
  const audit = await openAudit(config, stores, undo);
  const replicas = await openReplicas(config, clock);
  undo.push(() => replicas?.close());
  const instance = newInstance(systemRandom);
  const bus = await openBus(config, clock, instance);
  undo.push(() => bus?.close());
  const store = await openSessionStore(config, { clock, folder: stores.folder });
  undo.push(() => store.close());
  const pressure = measurePressure();
  undo.push(() => pressure.close());
  const keepMemory = "Deno" in globalThis ? giveBackFreeMemory(clock) : () => {};
  undo.push(keepMemory);
  const http = createLazyClient(loadHttpClient);
  const meters = createMeters(config, { clock, log, mask: mask.apply, instance });
  const { promise: stopWanted, resolve: stop } = Promise.withResolvers<void>();
  const ports: CorePorts = {
    log,
    logLevels,
    eventLog,
    clock,
    random: systemRandom,
    telemetry: meters.registry,
    tracing: meters.otel,
    pressure,
    http,
    spawner,
    version: VERSION,
    mask: mask.apply,
    events: createEvents(config, clock),
    instance,
    store,
    bus,
    rates: new MemoryRateStore(),
    replicas,
    schemas: createSchemaCompiler(),
    digest: systemDigest,
    state: maskedState(stores.state, mask),
    journal: stores.journal,
    audit,
    interceptors: options.interceptors ?? [],
    configSource: await createConfigSource({ ...settled(source, clock), first: config, mask }),
    stop,
  };
  const parts = { replicas, stores, outputs, spawner, http, pressure, keepMemory };
  return { ports, mask, stopWanted, ...parts, ...meters };
}

async function openAudit({ audit }: Config, { folder }: Stores, undo: Undo[]) {
  const opened = await openAuditStores(audit, folder);
  undo.push(() => opened?.sink.close());
  undo.push(() => opened?.journal.close());
  return opened;
}

function createEvents({ sessions }: Config, clock: Clock): MemoryEventStore {
  const { events, keep: keepMs } = sessions.resume;
  return new MemoryEventStore({ clock, events, keepMs });
}

function createMeters({ telemetry }: Config, options: Omit<OtelOptions, "registry">) {
  const registry = new Registry({ toolLabel: telemetry.metrics.tool_label === "on" });
  return { registry, otel: new Otel({ ...options, registry }) };
}

/** The source, read only when nobody is writing it. */
function settled(source: GatewaySource, clock: Clock): GatewaySource {
  const { read, text, identity } = source;
  if (read === undefined || text === undefined) return source;
  return {
    ...source,
    read: async () => {
      await quietFile(identity, clock);
      return await read();
    },
  };
}

/** Bun's own fetch is its cheapest client; elsewhere undici costs half of it, and sends a POST only once. */
export async function loadHttpClient(): Promise<HttpClient> {
  if ("Bun" in globalThis) {
    return (await import("./http_client/fetch_client.ts")).createFetchClient();
  }
  return await (await import("./http_client/undici_client.ts")).createUndiciClient();
}
