/** A runtime with real backends and a clock that a test moves, and clients that listen to it. */
import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import * as v from "valibot";
import { ConfigSchema } from "../../../src/contract/mod.ts";
import { NO_RECORDER } from "../../../src/core/audit/recorder.ts";
import { ANONYMOUS, type Principal } from "../../../src/core/auth/principal.ts";
import type { ListenChannel } from "../../../src/core/bridge/listen_hub.ts";
import type { JsonObject } from "../../../src/core/mcp/json.ts";
import type { RequestMessage } from "../../../src/core/mcp/message.ts";
import { Runtime } from "../../../src/core/runtime/runtime.ts";
import { systemDigest } from "../../../src/hosts/digest.ts";
import { createFetchClient } from "../../../src/hosts/http_client/fetch_client.ts";
import { createSpawner } from "../../../src/hosts/process/spawn.ts";
import { MemorySessionStore } from "../../../src/stores/memory/session_store.ts";
import { systemRandom } from "../../../src/hosts/random.ts";
import { interpreter } from "../../../src/hosts/schema_compiler/interpreter.ts";
import type { Interceptor } from "../../../src/core/rules/interceptor.ts";
import { MemoryRateStore } from "../../../src/stores/memory/rate_store.ts";
import { MemoryStateStore } from "../../../src/stores/memory/state_store.ts";
import { Registry } from "../../../src/telemetry/registry.ts";
import type { ConfigInput, LoggedEvent } from "../../support/core.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import type { Rpc } from "../../support/http_session.ts";

export interface TestRuntime {
  readonly runtime: Runtime;
  readonly clock: FakeClock;
  readonly telemetry: Registry;
  readonly log: readonly LoggedEvent[];
  /** Puts another configuration in force, with the backends that run. */
  apply(input: ConfigInput): void;
  stop(): Promise<void>;
}

/** Returns when its backends have answered. */
export async function startRuntime(
  input: ConfigInput,
  interceptors: readonly Interceptor[] = [],
): Promise<TestRuntime> {
  const events: LoggedEvent[] = [];
  const log = {
    write: (event: string, fields: Record<string, unknown> = {}) =>
      void events.push({ event, fields }),
  };
  const clock = new FakeClock();
  const telemetry = new Registry();
  const http = createFetchClient();
  const spawner = await createSpawner({ log, launcher: "none" });
  const runtime = new Runtime(v.parse(ConfigSchema, input), {
    clock,
    random: systemRandom,
    log,
    telemetry,
    http,
    spawner,
    version: "0.0.0-test",
    mask: (text) => text,
    interceptors,
    rates: new MemoryRateStore(),
    schemas: interpreter,
    digest: systemDigest,
    recorder: NO_RECORDER,
    state: new MemoryStateStore(),
    instance: "0123456789ab",
    store: new MemorySessionStore({ clock, random: systemRandom }),
  });
  runtime.start();
  await runtime.starting;
  return {
    runtime,
    clock,
    telemetry,
    log: events,
    apply: (changed) => runtime.apply(v.parse(ConfigSchema, changed), runtime.world.backends),
    stop: async () => {
      await runtime.stop();
      await http.close();
      spawner.close();
    },
  };
}

/** Somebody who holds these roles. */
export function holderOf(roles: readonly string[], extra: Partial<Principal> = {}): Principal {
  return { id: `i ${roles}`, subject: "s", roles, roleKey: roles.join(" "), ...extra };
}

/** The client's end of a listen. */
class Reader implements ListenChannel {
  readonly texts: string[] = [];
  ended = false;
  /** It does not read: nothing is taken any more. */
  stuck = false;

  get messages(): readonly Rpc[] {
    return this.texts.map((text) => JSON.parse(text) as Rpc);
  }

  /** Methods of what came after the acknowledgement. */
  get told(): readonly unknown[] {
    return this.messages.slice(1).map(({ method, params }) => params?.uri ?? method);
  }

  get acknowledged(): unknown {
    return this.messages[0]?.["params"]?.notifications;
  }

  send(text: string): boolean {
    assert.equal(this.ended, false, "nothing is sent after the end");
    if (this.stuck) return false;
    this.texts.push(text);
    return true;
  }

  end(): void {
    assert.equal(this.ended, false, "it ends once");
    this.ended = true;
  }
}

export interface Opening {
  readonly principal?: Principal;
  readonly toolset?: string;
  readonly address?: string;
  /** JSON text. */
  readonly id?: string;
}

/** Opens a listen without waiting for anything. */
export function open(runtime: Runtime, notifications: unknown, opening: Opening = {}) {
  const { principal = ANONYMOUS, toolset, address, id = "1" } = opening;
  const caller = runtime.clients.caller({
    principal,
    toolset,
    address,
    front: "streamable_http",
    envelope: {
      revision: "2026-07-28",
      capabilities: {},
      client: undefined,
      logLevel: undefined,
    },
  });
  const params: JsonObject = { notifications };
  const message: RequestMessage = {
    kind: "request",
    id,
    method: "subscriptions/listen",
    params,
    size: 0,
  };
  const reader = new Reader();
  const listen = runtime.listens.open(caller, message, reader);
  return { listen, reader };
}

/** Opens one and waits for its acknowledgement. */
export async function listenTo(runtime: Runtime, notifications: unknown, opening: Opening = {}) {
  const opened = open(runtime, notifications, opening);
  await until(() => opened.reader.texts.length > 0);
  return opened;
}

/** Waits for what comes from a real backend; the test's own time limit ends a wait in vain. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await setImmediate();
}
