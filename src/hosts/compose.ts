/** Wires the gateway for a host with processes and listeners: Node, Deno, Bun. */
import process from "node:process";
import { parseListen } from "../contract/config/listen.ts";
import { type Config, SentinelError, type Snapshot } from "../contract/mod.ts";
import { type Core, createCore } from "../core/mod.ts";
import type { HttpClient } from "../ports/http_client.ts";
import type { MessageLink } from "../ports/message_link.ts";
import { MemoryEventStore } from "../stores/memory/event_store.ts";
import { Registry } from "../telemetry/registry.ts";
import { SystemClock } from "./clock.ts";
import { createLazyClient } from "./http_client/lazy_client.ts";
import { createStderrSink } from "./line_sink.ts";
import { createLog, type LogLevel } from "./log.ts";
import { createSpawner } from "./process/spawn.ts";
import { systemRandom } from "./random.ts";
import { masker } from "../config/mask.ts";
import { type Listener, serve } from "./serve.ts";
import { onStopSignal } from "./signals.ts";
import { createStdioLink } from "./stdio_link.ts";
import { VERSION } from "./version.ts";

export interface GatewayOptions {
  readonly config: Config;
  /** Resolved secret values, masked in every output. */
  readonly secrets: readonly string[];
  /** Sections that are valid but have no effect yet. */
  readonly notices: readonly string[];
  /** False for `stdio`: nothing listens. */
  readonly listen: boolean;
  /** Where running children are recorded; without it strays of an earlier run are not found. */
  readonly stateDir?: string;
  readonly logLevel?: LogLevel;
  readonly logFormat?: "auto" | "pretty" | "json";
}

export interface Gateway {
  /** Base URL of the data plane, for instance `http://127.0.0.1:8808`; undefined when nothing listens. */
  readonly url: string | undefined;
  snapshot(): Snapshot;
  /** Serves a pipe of messages; resolves when its client has gone. */
  attach(link: MessageLink): Promise<void>;
  /** Serves stdin and stdout; resolves when stdin ends. */
  stdio(): Promise<void>;
  /** Drains and ends everything. Idempotent. */
  stop(): Promise<void>;
  /** Resolves when the gateway has stopped, by `stop` or by a signal. */
  readonly finished: Promise<void>;
}

/** @throws an error with `code: "EADDRINUSE"` and the like when it cannot listen */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { config, notices } = options;
  const clock = new SystemClock();
  const mask = masker(options.secrets);
  const sink = createStderrSink();
  const log = createLog({
    level: options.logLevel ?? config.telemetry.log.level,
    format: logFormat(options.logFormat ?? config.telemetry.log.format),
    mask,
    now: () => clock.now(),
    sink: (line) => sink.write(line),
  });
  const spawner = await createSpawner({
    log,
    ...(options.stateDir === undefined ? {} : { stateDir: options.stateDir }),
  });
  const http = createLazyClient(loadHttpClient);
  const { resume } = config.sessions;
  const core = createCore(config, {
    clock,
    random: systemRandom,
    log,
    telemetry: new Registry(),
    http,
    spawner,
    version: VERSION,
    mask,
    events: new MemoryEventStore({ clock, events: resume.events, keepMs: resume.keep }),
  });
  for (const notice of notices) log.write("config.no_effect", { notice });
  const listener = options.listen ? await listen(config, core) : undefined;
  await spawner.sweepStrays();
  core.start();
  log.write(
    "gateway.started",
    listener === undefined ? {} : { endpoint: `${urlOf(listener)}${config.server.path}` },
  );
  return assemble({ config, core, http, listener, spawner });
}

interface Parts {
  readonly config: Config;
  readonly core: Core;
  readonly http: HttpClient;
  readonly listener: Listener | undefined;
  readonly spawner: { close(): void };
}

function assemble({ config, core, http, listener, spawner }: Parts): Gateway {
  let stopping: Promise<void> | undefined;
  const { promise: finished, resolve: finish } = Promise.withResolvers<void>();
  const close = async () => {
    const closed = listener?.close();
    await drained(core, config.server.drain_timeout);
    await core.stop();
    if (!await settlesWithin(CLOSE_MS, closed)) listener?.abort();
    await http.close();
    spawner.close();
    unhook();
    finish();
  };
  const stop = () => stopping ??= close();
  const unhook = onStopSignal(() => void stop());
  return {
    url: listener === undefined ? undefined : urlOf(listener),
    snapshot: () => core.snapshot(),
    attach: (link) => core.attach(link),
    stdio: () => core.attach(createStdioLink(config.server.max_request_size)),
    stop,
    finished,
  };
}

function urlOf({ hostname, port }: Listener): string {
  return `http://${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
}

/** For the last bytes of answers, after which open connections are ended. */
const CLOSE_MS = 1000;

async function settlesWithin(ms: number, closed: Promise<void> | undefined): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<false>();
  const timer = setTimeout(resolve, ms, false);
  const settled = await Promise.race([Promise.resolve(closed).then(() => true), late]);
  clearTimeout(timer);
  return settled;
}

/** Between two looks at whether calls are still in flight. */
const DRAIN_LOOK_MS = 20;

async function drained(core: Core, timeoutMs: number): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (core.inFlight() > 0 && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, DRAIN_LOOK_MS));
  }
}

function listen(config: Config, core: Core): Promise<Listener> {
  const address = parseListen(config.server.listen);
  if (address === undefined) {
    throw new SentinelError("INTERNAL", `Cannot listen on "${config.server.listen}"`);
  }
  const { host: hostname, port } = address;
  return serve({
    hostname,
    port,
    fetch: core.fetch,
    handle: core.handle,
    maxBodyBytes: config.server.max_request_size,
  });
}

function logFormat(format: "auto" | "pretty" | "json"): "pretty" | "json" {
  if (format !== "auto") return format;
  return process.stderr.isTTY === true ? "pretty" : "json";
}

/** Bun's own fetch is its cheapest client; elsewhere undici costs half of it, and sends a POST only once. */
async function loadHttpClient(): Promise<HttpClient> {
  if ("Bun" in globalThis) {
    return (await import("./http_client/fetch_client.ts")).createFetchClient();
  }
  return await (await import("./http_client/undici_client.ts")).createUndiciClient();
}
