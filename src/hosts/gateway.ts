/** A gateway that runs, and the order in which it ends. */
import type { Snapshot } from "../contract/mod.ts";
import type { Core, FetchHandler } from "../core/mod.ts";
import type { Cancel } from "../ports/clock.ts";
import type { HttpClient } from "../ports/http_client.ts";
import type { MessageLink } from "../ports/message_link.ts";
import { type Bound, closeListener } from "./listeners.ts";
import type { Management } from "./management.ts";
import { onHangUp, onStopSignal } from "./signals.ts";
import { createStdioLink } from "./stdio_link.ts";
import type { Stores } from "./stores.ts";

export interface Gateway {
  /** Base URL of the data plane, for instance `http://127.0.0.1:8808`; undefined when nothing listens. */
  readonly url: string | undefined;
  /** Base URL of the control plane; undefined when nothing listens. */
  readonly managementUrl: string | undefined;
  /** The data plane, for a program that has a server of its own. */
  readonly fetch: FetchHandler;
  snapshot(): Snapshot;
  /** Serves a pipe of messages; resolves when its client has gone. */
  attach(link: MessageLink): Promise<void>;
  /**
   * Serves stdin and stdout; resolves when stdin ends.
   * @param token of the client, where sign-in is on
   * @throws SentinelError UNAUTHENTICATED without a valid one
   */
  stdio(token?: string): Promise<void>;
  /** Drains and ends everything. Idempotent. */
  stop(): Promise<void>;
  /**
   * Resolves when the gateway has stopped: by `stop`, by a signal, or by an operator. Rejects when it had to
   * stop because its control plane could not be loaded.
   */
  readonly finished: Promise<void>;
}

/** What a gateway is made of. */
export interface Parts {
  readonly core: Core;
  readonly http: HttpClient;
  readonly spawner: { close(): void };
  readonly replicas: { close(): void } | undefined;
  readonly ports: {
    readonly store: { close(): void };
    readonly bus?: { close(): void } | undefined;
  };
  readonly stores: Stores;
  readonly outputs: { close(): void };
  readonly pressure: { close(): void };
  readonly keepMemory: Cancel;
  readonly otel: { close(): Promise<void> };
  readonly server: Bound | undefined;
  readonly control: Bound | undefined;
  readonly management: Management | undefined;
  readonly watch: { stop(): void } | undefined;
  /** Whether signals of the process stop and reload it. */
  readonly signals: boolean;
  /** Resolves when an operator has asked for a shutdown. */
  readonly stopWanted: Promise<void>;
}

export function assemble(parts: Parts): Gateway {
  const { core, server, control } = parts;
  const { promise: finished, resolve: finish } = Promise.withResolvers<void>();
  let stopping: Promise<void> | undefined;
  const stop = () =>
    stopping ??= close(parts).finally(() => {
      unhook();
      finish(parts.management?.ready);
    });
  const unhook = parts.signals ? onSignals(core, () => void stop()) : () => {};
  void parts.stopWanted.then(stop);
  parts.management?.ready.catch(stop);
  return {
    url: server?.url,
    managementUrl: control?.url,
    fetch: core.fetch,
    snapshot: () => core.snapshot(),
    attach: (link) => core.attach(link),
    stdio: (token) => {
      const link = createStdioLink(core.config().server.max_request_size);
      return core.attach(link, token === undefined ? {} : { token });
    },
    stop,
    finished,
  };
}

/** Clients first, operators last: the control plane tells how the stop goes on until everything else is closed. */
async function close(parts: Parts): Promise<void> {
  const { core, server, management, http, spawner, stores, outputs, watch } = parts;
  const { drain_delay: delay, drain_timeout: limit } = core.config().server;
  const deadline = performance.now() + limit;
  watch?.stop();
  core.beginStop();
  await pause(Math.min(delay, limit));
  core.refuseNew();
  const closed = server?.listener.close();
  await drained(core, deadline);
  core.endCalls();
  await drained(core, performance.now() + LAST_ANSWERS_MS);
  await core.stop();
  if (server !== undefined) await closeListener(server.listener, closed);
  await management?.close();
  await parts.otel.close();
  await http.close();
  parts.replicas?.close();
  spawner.close();
  parts.pressure.close();
  parts.keepMemory();
  parts.ports.bus?.close();
  parts.ports.store.close();
  stores.close();
  outputs.close();
}

function onSignals(core: Core, stop: () => void): () => void {
  const undo = [
    onStopSignal(stop),
    onHangUp({ reload: () => reload(core, "signal"), stop }),
  ];
  return () => {
    for (const unhook of undo) unhook();
  };
}

/** Reloads on behalf of what is no person. */
export function reload(core: Core, name: "signal" | "file watch"): void {
  // Nobody waits for the answer: the core has written into log and journal why it failed.
  core.control.reload({ actor: { name } }).catch(() => {});
}

/** Between two looks at whether calls are still in flight. */
const DRAIN_LOOK_MS = 20;

/** For answers that are written down before they leave. */
const LAST_ANSWERS_MS = 500;

/** Resolves when no call is under way, at the latest at the deadline. */
async function drained(core: Core, deadline: number): Promise<void> {
  while (core.inFlight() > 0 && performance.now() < deadline) await pause(DRAIN_LOOK_MS);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
