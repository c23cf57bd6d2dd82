/** The core in process, with real children and a real clock: tests speak to its `fetch` as a client would. */
import * as v from "valibot";
import { type Config, ConfigSchema } from "../../src/contract/mod.ts";
import {
  type AuditStores,
  type Core,
  createCore,
  EventLog,
  type Interceptor,
} from "../../src/core/mod.ts";
import { SystemClock } from "../../src/hosts/clock.ts";
import { systemDigest } from "../../src/hosts/digest.ts";
import { createFetchClient } from "../../src/hosts/http_client/fetch_client.ts";
import { newInstance } from "../../src/hosts/instance.ts";
import { createSpawner } from "../../src/hosts/process/spawn.ts";
import { systemRandom } from "../../src/hosts/random.ts";
import { createSchemaCompiler } from "../../src/hosts/schema_compiler/create.ts";
import type { Bus } from "../../src/ports/bus.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { Journal } from "../../src/ports/journal.ts";
import type { LogLevels } from "../../src/ports/log.ts";
import type { Pressure } from "../../src/ports/pressure.ts";
import type { Replicas } from "../../src/ports/replicas.ts";
import type { SessionStore } from "../../src/ports/session_store.ts";
import type { StateStore } from "../../src/ports/state_store.ts";
import type { Tracing } from "../../src/ports/tracing.ts";
import { MemoryEventStore } from "../../src/stores/memory/event_store.ts";
import { MemoryJournal } from "../../src/stores/memory/journal.ts";
import { MemoryRateStore } from "../../src/stores/memory/rate_store.ts";
import { MemorySessionStore } from "../../src/stores/memory/session_store.ts";
import { MemoryStateStore } from "../../src/stores/memory/state_store.ts";
import { Registry } from "../../src/telemetry/registry.ts";
import { join } from "node:path";
import { EditableSource, NO_LIMITS } from "./editable_source.ts";
import { executable, REPOSITORY } from "./runtime.ts";

export interface LoggedEvent {
  readonly event: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export type ConfigInput = v.InferInput<typeof ConfigSchema>;

export interface TestCore {
  readonly core: Core;
  readonly config: Config;
  readonly log: readonly LoggedEvent[];
  /** What a reload reads. */
  readonly source: EditableSource;
  readonly journal: MemoryJournal;
  readonly telemetry: Registry;
  readonly logLevels: LogLevels;
  /** True when an operator's shutdown asked the host to stop. */
  readonly stopWanted: boolean;
  stop(): Promise<void>;
}

/** Parts a test brings itself; everything else is real, or in memory. */
export interface CoreParts {
  readonly clock?: Clock;
  readonly state?: StateStore;
  readonly journal?: Journal;
  readonly replicas?: Replicas;
  readonly sessions?: SessionStore;
  readonly bus?: Bus;
  readonly pressure?: Pressure;
  /** Without it nothing is recorded. */
  readonly audit?: AuditStores;
  readonly interceptors?: readonly Interceptor[];
  readonly tracing?: Tracing;
  /** Replaces secrets; without it there are none. */
  readonly mask?: (text: string) => string;
}

/** Configuration of a backend that is the fixture server. */
export function fixtureBackend(extra: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    command: executable("node"),
    args: [join(REPOSITORY, "tests/fixtures/backend.mjs")],
    ...extra,
  };
}

export async function startCore(given: ConfigInput, parts: CoreParts = {}): Promise<TestCore> {
  const input: ConfigInput = { limits: NO_LIMITS, ...given };
  const config = v.parse(ConfigSchema, input);
  const log: LoggedEvent[] = [];
  const clock = parts.clock ?? new SystemClock();
  const state = parts.state ?? new MemoryStateStore();
  const memoryJournal = new MemoryJournal();
  const eventLog = new EventLog(state, clock, (text) => text);
  const sink = eventLog.beside({ write: (event, fields = {}) => void log.push({ event, fields }) });
  const spawner = await createSpawner({ log: sink, launcher: "none" });
  const http = createFetchClient();
  const telemetry = new Registry();
  const source = await EditableSource.of(input);
  const logLevels = new FixedLevels();
  const { events, keep } = config.sessions.resume;
  const wanted = { stop: false };
  const core = createCore(config, {
    clock,
    random: systemRandom,
    log: sink,
    telemetry,
    http,
    spawner,
    version: "0.0.0-test",
    mask: parts.mask ?? ((text) => text),
    interceptors: parts.interceptors ?? [],
    events: new MemoryEventStore({ clock, events, keepMs: keep }),
    instance: newInstance(systemRandom),
    store: parts.sessions ?? new MemorySessionStore({ clock, random: systemRandom }),
    bus: parts.bus,
    pressure: parts.pressure,
    tracing: parts.tracing,
    rates: new MemoryRateStore(),
    replicas: parts.replicas,
    schemas: createSchemaCompiler(),
    digest: systemDigest,
    audit: parts.audit,
    state,
    journal: parts.journal ?? memoryJournal,
    eventLog,
    logLevels,
    configSource: source,
    stop: () => wanted.stop = true,
  });
  core.start();
  const stop = async () => {
    await core.stop();
    await http.close();
    spawner.close();
  };
  return {
    core,
    config,
    log,
    source,
    journal: memoryJournal,
    telemetry,
    logLevels,
    get stopWanted() {
      return wanted.stop;
    },
    stop,
  };
}

class FixedLevels implements LogLevels {
  level: LogLevels["level"] = "info";

  setLevel(level: LogLevels["level"]): void {
    this.level = level;
  }
}
