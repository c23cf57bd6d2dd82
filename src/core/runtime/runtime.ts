/** Owns backends, catalog, sessions and the world; the only writer of state. */
import type { Config, RefusedItem, RuntimeState, Snapshot } from "../../contract/mod.ts";
import { Backend, type BackendEvents } from "../backends/backend.ts";
import type { BackendPorts } from "../backends/ports.ts";
import { buildCatalog } from "../catalog/catalog.ts";
import type { Catalog, View } from "../catalog/types.ts";
import { encodeNotification } from "../mcp/codec.ts";
import { Sessions } from "../session/registry.ts";
import type { Session } from "../session/session.ts";
import { mostVerbose } from "../session/log_levels.ts";
import { notifyListChanges } from "../session/list_changes.ts";
import type { World } from "./world.ts";

/** How long lists wait for first handshakes after the start (design.md 6). */
const START_MS = 2000;

export class Runtime {
  readonly sessions: Sessions;
  readonly #ports: BackendPorts;
  readonly #backends: ReadonlyMap<string, Backend>;
  readonly #startedAt: number;
  #world: World;
  #state: RuntimeState = "starting";
  #starting: Promise<void> | undefined;

  constructor(config: Config, ports: BackendPorts) {
    this.#ports = ports;
    this.#startedAt = ports.clock.now();
    const events = this.#backendEvents();
    this.#backends = new Map(
      Object.entries(config.backends).map((
        [name, backend],
      ) => [name, new Backend(name, backend, ports, events)]),
    );
    this.#world = {
      revision: 1,
      config,
      catalog: this.#merge(config, undefined),
      backends: this.#backends,
    };
    this.sessions = new Sessions({
      clock: ports.clock,
      random: ports.random,
      telemetry: ports.telemetry,
      max: config.sessions.max,
      idleMs: config.sessions.idle_timeout,
      heartbeatMs: config.sessions.heartbeat,
      onOpen: (session) => ports.log.write("session.opened", { transport: session.front }),
      onClose: (session) => this.#closed(session),
    });
  }

  get world(): World {
    return this.#world;
  }

  /** Resolves when first handshakes are decided, at most 2 s after the start; undefined afterwards. */
  get starting(): Promise<void> | undefined {
    return this.#starting;
  }

  /** Starts all backends at once; none delays another or the start. */
  start(): void {
    const enabled = [...this.#backends.values()].filter((backend) => backend.config.enabled);
    for (const backend of enabled) backend.start();
    this.#starting = this.#firstHandshakes(enabled);
  }

  async #firstHandshakes(backends: readonly Backend[]): Promise<void> {
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const cancel = this.#ports.clock.after(START_MS, resolve);
    await Promise.race([Promise.all(backends.map((backend) => backend.decided())), late]);
    cancel();
    this.#starting = undefined;
    this.#changed();
  }

  /** Ends sessions, then backends. Idempotent. */
  async stop(): Promise<void> {
    if (this.#state === "stopping" || this.#state === "stopped") return;
    this.#state = "stopping";
    this.#ports.log.write("gateway.stopping");
    this.sessions.close("the gateway is stopping");
    await Promise.all([...this.#backends.values()].map((backend) => backend.stop()));
    this.#state = "stopped";
    this.#ports.log.write("gateway.stopped");
  }

  /** What a session sees. Its toolset cannot vanish: toolsets are fixed while the gateway runs. */
  view(session: Session): View {
    return this.#world.catalog.view(session.toolset) as View;
  }

  rootsChanged(session: Session): void {
    for (const backend of this.#backends.values()) backend.rootsChanged(session);
  }

  snapshot(version: string): Snapshot {
    const { catalog, config, revision } = this.#world;
    const { tool, prompt, resource, template } = catalog.counts;
    return {
      name: config.server.name,
      version,
      state: this.#state,
      reasons: [],
      revision,
      startedAt: new Date(this.#startedAt).toISOString(),
      backends: [...this.#backends.values()].map((backend) => backend.status()),
      sessions: this.sessions.size,
      catalog: {
        revision: catalog.revision,
        tools: tool,
        prompts: prompt,
        resources: resource,
        templates: template,
        refused: catalog.refused,
      },
    };
  }

  #backendEvents(): BackendEvents {
    return {
      changed: () => this.#changed(),
      updated: (_backend, uri, sessions) => {
        const text = encodeNotification("notifications/resources/updated", { uri });
        for (const session of sessions) session.channel?.send(text);
      },
      logged: (backend, params, owner) => {
        const text = encodeNotification("notifications/message", params);
        for (const session of owner === undefined ? this.sessions : [owner]) {
          if (this.#sees(session, backend) && session.wantsLog(params)) session.channel?.send(text);
        }
      },
      relayed: (session, method, params) =>
        void session.channel?.send(encodeNotification(method, params)),
      asked: (session, ask) => session.ask(ask),
      wantedLogLevel: () => mostVerbose(this.sessions),
    };
  }

  #sees(session: Session, backend: Backend): boolean {
    return session.initialized && this.view(session).backends.includes(backend.name);
  }

  #changed(): void {
    if (this.#state === "stopping" || this.#state === "stopped") return;
    const { config, catalog, backends, revision } = this.#world;
    const merged = this.#merge(config, catalog);
    this.#state = this.#stateOf();
    this.#world = { revision: revision + 1, config, catalog: merged, backends };
    if (merged.revision === catalog.revision) return;
    this.#ports.log.write("catalog.changed", {
      revision: merged.revision,
      tools: merged.counts.tool,
    });
    for (const refused of newlyRefused(merged, catalog)) {
      this.#ports.log.write("catalog.refused", { ...refused });
    }
    for (const warning of added(merged.warnings, catalog.warnings)) {
      this.#ports.log.write("catalog.warning", { warning });
    }
    for (const session of this.sessions) notifyListChanges(session, this.view(session));
  }

  #stateOf(): RuntimeState {
    const enabled = [...this.#backends.values()].filter((backend) => backend.config.enabled);
    const up = enabled.filter((backend) => backend.up).length;
    if (up === enabled.length) return "ready";
    if (this.#starting !== undefined) return "starting";
    return "degraded";
  }

  #merge(config: Config, previous: Catalog | undefined): Catalog {
    return buildCatalog({
      catalog: config.catalog,
      serverName: config.server.name,
      instructions: config.server.instructions,
      toolsets: config.toolsets,
      backends: [...this.#backends.values()]
        .filter((backend) => backend.config.enabled)
        .map(({ name, config: own, found }) => ({ name, config: own, found })),
    }, previous);
  }

  #closed(session: Session): void {
    for (const backend of this.#backends.values()) backend.release(session);
    this.#ports.log.write("session.closed", { transport: session.front });
  }
}

function added(now: readonly string[], before: readonly string[]): readonly string[] {
  return now.filter((text) => !before.includes(text));
}

function newlyRefused(catalog: Catalog, previous: Catalog): readonly RefusedItem[] {
  const known = new Set(previous.refused.map((item) => JSON.stringify(item)));
  return catalog.refused.filter((item) => !known.has(JSON.stringify(item)));
}
