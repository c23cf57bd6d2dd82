/** Wires the gateway for a host with processes and listeners: Node, Deno, Bun. */
import type { ParsedConfig } from "../config/parse.ts";
import { type Config, SentinelError } from "../contract/mod.ts";
import { type Core, createCore, type Interceptor } from "../core/mod.ts";
import type { Clock } from "../ports/clock.ts";
import { SystemClock } from "./clock.ts";
import { ConfigWatch } from "./config_watch.ts";
import { assemble, type Gateway, reload } from "./gateway.ts";
import {
  bindManagement,
  bindServer,
  type Bound,
  closeListener,
  renewCertificates,
} from "./listeners.ts";
import { openManagement } from "./management.ts";
import { openPorts, type Undo } from "./ports.ts";

/** Where a configuration came from, and how it is read again. */
export interface GatewaySource {
  /** For people: the file, or what else it came from. */
  readonly name: string;
  /** Absolute path of the file, without one of the working directory: what the gateway's state belongs to. */
  readonly identity: string;
  /** Text of the file, as it was read; absent without a file. */
  readonly text?: string;
  /** Loads it anew, as at the start; absent without a file. Rejects with an error in words. */
  readonly read?: () => Promise<ParsedConfig>;
}

export interface GatewayOptions {
  readonly config: Config;
  readonly source: GatewaySource;
  /** Resolved secret values, masked in every output. */
  readonly secrets: readonly string[];
  /** Sections that are valid but have no effect yet. */
  readonly notices: readonly string[];
  /** False for `stdio`: nothing listens. */
  readonly listen: boolean;
  /** Where state, journal and running children are recorded; without it everything is in memory. */
  readonly stateDir?: string;
  /** Of the program around it. */
  readonly interceptors?: readonly Interceptor[];
  /** Whether signals of the process stop and reload it; default true. */
  readonly signals?: boolean;
}

/**
 * @throws ListenFailure with the `code` of the system, such as `EADDRINUSE`, when it cannot listen; SentinelError
 *   CONFIG_INVALID for unusable TLS files, AUDIT_UNAVAILABLE for an unusable state folder
 */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const undo: Undo[] = [];
  try {
    return await start(options, undo);
  } catch (thrown) {
    for (const step of undo.reverse()) await step();
    throw thrown;
  }
}

async function start(options: GatewayOptions, undo: Undo[]): Promise<Gateway> {
  const { config, source, notices, stateDir } = options;
  if (!options.listen && config.audit.store === "stdout") throw stdoutIsTaken();
  const clock = new SystemClock();
  const server = options.listen ? await bound(bindServer(config, clock), undo) : undefined;
  const control = options.listen ? await bound(bindManagement(config, clock), undo) : undefined;
  const opened = await openPorts(options, clock, undo);
  const { ports: { log }, spawner } = opened;
  const core = createCore(config, { ...opened.ports, hostnames: server?.hostnames });
  undo.push(() => core.stop());
  for (const notice of notices) log.write("config.no_effect", { notice });
  await spawner.sweepStrays();
  core.start();
  server?.door.open(core.handle, core.fetch);
  const endpoint = server === undefined ? undefined : `${server.url}${config.server.path}`;
  const management = control === undefined ? undefined : openManagement({
    ...opened,
    bound: control,
    core,
    stateDir,
    endpoint,
    file: source.text === undefined ? undefined : source.identity,
  });
  const renewals = await renewCertificates([server, control], { clock, log });
  undo.push(() => renewals.stop());
  const configWatch = watch(options, core, clock);
  log.write("gateway.started", endpoint === undefined ? {} : { endpoint });
  opened.otel.start(() => core.config());
  return assemble({
    ...opened,
    core,
    server,
    control,
    management,
    signals: options.signals ?? true,
    watch: {
      stop: () => {
        configWatch?.stop();
        renewals.stop();
      },
    },
  });
}

function stdoutIsTaken(): SentinelError {
  return new SentinelError(
    "CONFIG_INVALID",
    "Cannot record to stdout: the client is served there",
    {
      reason: 'choose another audit.store, such as "sqlite"',
    },
  );
}

async function bound(binding: Promise<Bound>, undo: Undo[]): Promise<Bound> {
  const found = await binding;
  undo.push(() => closeListener(found.listener));
  return found;
}

function watch({ config, source }: GatewayOptions, core: Core, clock: Clock) {
  const { identity: file, text, read } = source;
  if (!config.reload.watch || text === undefined || read === undefined) return undefined;
  return new ConfigWatch({
    file,
    text,
    debounceMs: () => core.config().reload.debounce,
    clock,
    changed: () => reload(core, "file watch"),
  });
}
