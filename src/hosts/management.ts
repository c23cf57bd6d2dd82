/** The control plane of a gateway: its API behind the listener, and where this user's commands find it. */
import process from "node:process";
import { uuidv7 } from "uuidv7";
import { type Core, type CorePorts, toFetch } from "../core/mod.ts";
import type { Manage } from "../manage/mod.ts";
import type { Cancel } from "../ports/clock.ts";
import type { Registry } from "../telemetry/registry.ts";
import { type Bound, closeListener } from "./listeners.ts";
import { announce, createToken } from "./local_gateway.ts";
import { type Mask, maskedHandler } from "./mask.ts";
import { collectProcessGauges, runtime } from "./process_gauges.ts";
import type { ProcessSpawner } from "./process/spawn.ts";
import { liveSettings } from "./settings.ts";
import { VERSION } from "./version.ts";

export interface ManagementOptions {
  readonly bound: Bound;
  readonly core: Core;
  readonly ports: CorePorts;
  readonly registry: Registry;
  /** Its children are measured. */
  readonly spawner: Pick<ProcessSpawner, "running">;
  /** Learns the token that is lent to commands. */
  readonly mask: Mask;
  /** Where commands of this user look; without it none finds the gateway by itself. */
  readonly stateDir: string | undefined;
  /** URL for MCP clients. */
  readonly endpoint: string | undefined;
  /** The configuration file, where there is one. */
  readonly file: string | undefined;
}

export interface Management {
  /** Resolves when requests are answered; until then they wait. Rejects when that cannot be. */
  readonly ready: Promise<void>;
  /** Ends streams and answers what is under way; nobody finds or reaches it afterwards. */
  close(): Promise<void>;
}

/**
 * Tells this user's commands where the management API is, and opens its door. It is loaded meanwhile: the
 * start does not wait for it.
 * @throws when the record for local commands cannot be written
 */
export function openManagement(options: ManagementOptions): Management {
  const { bound, mask, ports } = options;
  const localToken = createToken(ports.random);
  mask.learn([localToken]);
  const withdraw = announceLocally(options, localToken);
  const endGauges = collectGauges(options);
  const opened = openDoor(options, localToken);
  return {
    ready: opened.then(() => {}),
    close: async () => {
      withdraw();
      endGauges();
      // When it could not be opened, `ready` has said so, and nothing is to be ended.
      (await opened.catch(() => undefined))?.closeStreams();
      await closeListener(bound.listener);
    },
  };
}

async function openDoor(options: ManagementOptions, localToken: string): Promise<Manage> {
  const { bound, core, ports: { clock, log, telemetry } } = options;
  const { createManage } = await import("../manage/mod.ts");
  const manage = createManage({
    ...factsAndMetrics(options),
    clock,
    log,
    telemetry,
    control: core.control,
    settings: liveSettings({ config: () => core.config(), localToken, hostnames: bound.hostnames }),
    requestId: uuidv7,
  });
  const handle = maskedHandler(manage.handle, options.mask);
  bound.door.open(handle, toFetch(handle));
  log.write("management.started", { endpoint: bound.url });
  return manage;
}

function factsAndMetrics({ core, registry, endpoint }: ManagementOptions) {
  const { prometheus } = core.config().telemetry.metrics;
  const { runtime: name, runtime_version: version } = runtime();
  return {
    facts: {
      version: VERSION,
      runtime: { name, version },
      pid: process.pid,
      endpoint: () => endpoint,
    },
    metrics: prometheus ? (accept: string | undefined) => registry.expose(accept) : undefined,
  };
}

function collectGauges({ spawner, registry }: ManagementOptions): Cancel {
  return collectProcessGauges({
    telemetry: registry,
    children: () => spawner.running(),
  });
}

function announceLocally(options: ManagementOptions, token: string): () => void {
  const { stateDir, core, bound, endpoint, file } = options;
  if (stateDir === undefined) return () => {};
  return announce(stateDir, {
    name: core.control.name,
    startedAt: core.snapshot().startedAt,
    management: bound.url,
    token,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(file === undefined ? {} : { config: file }),
  });
}
