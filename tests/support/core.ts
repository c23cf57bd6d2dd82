/** The core in process, with real children and a real clock: tests speak to its `fetch` as a client would. */
import * as v from "valibot";
import { type Config, ConfigSchema } from "../../src/contract/mod.ts";
import { type Core, createCore } from "../../src/core/mod.ts";
import { SystemClock } from "../../src/hosts/clock.ts";
import { createFetchClient } from "../../src/hosts/http_client/fetch_client.ts";
import { createSpawner } from "../../src/hosts/process/spawn.ts";
import { systemRandom } from "../../src/hosts/random.ts";
import { MemoryEventStore } from "../../src/stores/memory/event_store.ts";
import { Registry } from "../../src/telemetry/registry.ts";
import { join } from "node:path";
import { executable, REPOSITORY } from "./runtime.ts";

export interface LoggedEvent {
  readonly event: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface TestCore {
  readonly core: Core;
  readonly config: Config;
  readonly log: readonly LoggedEvent[];
  stop(): Promise<void>;
}

/** Configuration of a backend that is the fixture server. */
export function fixtureBackend(extra: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    command: executable("node"),
    args: [join(REPOSITORY, "tests/fixtures/backend.mjs")],
    ...extra,
  };
}

export async function startCore(input: v.InferInput<typeof ConfigSchema>): Promise<TestCore> {
  const config = v.parse(ConfigSchema, input);
  const log: LoggedEvent[] = [];
  const clock = new SystemClock();
  const sink = { write: (event: string, fields = {}) => void log.push({ event, fields }) };
  const spawner = await createSpawner({ log: sink, launcher: "none" });
  const http = createFetchClient();
  const { events, keep } = config.sessions.resume;
  const core = createCore(config, {
    clock,
    random: systemRandom,
    log: sink,
    telemetry: new Registry(),
    http,
    spawner,
    version: "0.0.0-test",
    mask: (text) => text,
    events: new MemoryEventStore({ clock, events, keepMs: keep }),
  });
  core.start();
  const stop = async () => {
    await core.stop();
    await http.close();
    spawner.close();
  };
  return { core, config, log, stop };
}
