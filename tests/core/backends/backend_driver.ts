/** One backend with real wires, driven without a gateway around it. */
import * as v from "valibot";
import { type BackendConfig, ConfigSchema } from "../../../src/contract/mod.ts";
import { ANONYMOUS } from "../../../src/core/auth/principal.ts";
import { Backend } from "../../../src/core/backends/backend.ts";
import type { Link, LinkReply, LinkRequest } from "../../../src/core/backends/link.ts";
import type { JsonObject } from "../../../src/core/mcp/json.ts";
import type { Caller } from "../../../src/core/session/caller.ts";
import { ModernClients } from "../../../src/core/session/modern_clients.ts";
import { SystemClock } from "../../../src/hosts/clock.ts";
import { createSpawner } from "../../../src/hosts/process/spawn.ts";
import { systemRandom } from "../../../src/hosts/random.ts";
import type { Clock } from "../../../src/ports/clock.ts";
import { Registry } from "../../../src/telemetry/registry.ts";
import type { LoggedEvent } from "../../support/core.ts";
import { hostClient } from "../../support/http_fixture_wire.ts";

export interface Driven extends AsyncDisposable {
  readonly backend: Backend;
  readonly log: readonly LoggedEvent[];
  /** URIs that were updated. */
  readonly updated: readonly string[];
  /** Resolves when the first attempt is over. */
  readonly settled: Promise<void>;
  /** Fields of the events of that name. */
  events(name: string): readonly LoggedEvent["fields"][];
  caller(capabilities?: JsonObject): Caller;
  link(caller?: Caller): Promise<Link>;
  /** Calls a tool over the link of a new caller. */
  call(name: string, more?: Partial<LinkRequest>): Promise<LinkReply>;
}

export function toolCall(name: string, more: Partial<LinkRequest> = {}): LinkRequest {
  return {
    method: "tools/call",
    params: { name, arguments: {} },
    owner: "one",
    timeoutMs: 5000,
    tool: name,
    ...more,
  };
}

export async function drive(
  given: Record<string, unknown>,
  clock: Clock = new SystemClock(),
): Promise<Driven> {
  const config = v.parse(ConfigSchema, { backends: { one: given } }).backends["one"];
  const log: LoggedEvent[] = [];
  const updated: string[] = [];
  const sink = {
    write: (event: string, fields: LoggedEvent["fields"] = {}) => void log.push({ event, fields }),
  };
  const [http, spawner] = await Promise.all([
    hostClient(),
    createSpawner({ log: sink, launcher: "none" }),
  ]);
  const ports = {
    clock,
    random: systemRandom,
    log: sink,
    telemetry: new Registry(),
    http,
    spawner,
  };
  const more = { version: "0", mask: (text: string) => text };
  const backend = new Backend({ name: "one", config: config as BackendConfig }, {
    ...ports,
    ...more,
  }, {
    changed: () => {},
    read: () => {},
    updated: (_backend, uri) => void updated.push(uri),
    logged: () => {},
    relayed: () => {},
    asked: () => Promise.reject(new Error("nobody is asked here")),
    wantedLogLevel: () => undefined,
  });
  const clients = new ModernClients(clock);
  const caller = (capabilities: JsonObject = {}) =>
    clients.caller({
      principal: ANONYMOUS,
      toolset: undefined,
      front: "streamable_http",
      address: undefined,
      envelope: { revision: "2026-07-28", capabilities, client: undefined, logLevel: undefined },
    });
  const link = async (user: Caller = caller()) => await backend.link(user);
  backend.start();
  return {
    backend,
    log,
    updated,
    settled: backend.settled(),
    events: (name) => log.filter(({ event }) => event === name).map(({ fields }) => fields),
    caller,
    link,
    call: async (name, request) => await (await link()).request(toolCall(name, request)).reply,
    [Symbol.asyncDispose]: async () => {
      await backend.stop();
      await http.close();
      spawner.close();
    },
  };
}
