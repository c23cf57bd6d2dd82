/** What a soak runs on: backends of every kind, each behind something that can go wrong, and one gateway. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { childBackend, readLedger } from "../support/faults/child_backend.ts";
import { FaultProxy } from "../support/faults/fault_proxy.ts";
import type { RowB } from "../support/faults/ledgers.ts";
import { ScriptedBackend, type ScriptedOptions } from "../support/faults/scripted_backend.ts";
import { RedisServer } from "../support/redis.ts";
import type { Runtime } from "../support/runtime.ts";
import { ManagedGateway, type Tables } from "./managed_gateway.ts";
import { WEIGHED } from "./scales.ts";

export const DEADLINE_MS = 3000;
/** Sessions that were left behind end after this time. */
export const IDLE_SECONDS = 15;

const REMOTE: Readonly<Record<string, ScriptedOptions>> = {
  plain: {},
  stateful: { sessions: true },
  modern: { era: "modern" },
};
const CHILDREN: Readonly<Record<string, readonly string[]>> = {
  child: [],
  stubborn: ["--stubborn", "--grandchild"],
};

export const BACKENDS: readonly string[] = [...Object.keys(REMOTE), ...Object.keys(CHILDREN)];
export const CHILD_NAMES: readonly string[] = Object.keys(CHILDREN);

export interface SoakStageOptions {
  readonly store: "sqlite" | "redis";
  readonly runtime?: Runtime;
}

export class SoakStage implements AsyncDisposable {
  readonly gateway: ManagedGateway;
  readonly backends: readonly ScriptedBackend[];
  readonly proxies: readonly FaultProxy[];
  /** What children do with calls that say nothing of it, while the file is there. */
  readonly script: string;
  readonly #ledger: string;
  readonly #tables: Tables;
  readonly #stack: AsyncDisposableStack;

  private constructor(parts: Parts, gateway: ManagedGateway) {
    this.gateway = gateway;
    this.backends = parts.backends;
    this.proxies = parts.proxies;
    this.script = parts.script;
    this.#ledger = parts.ledger;
    this.#tables = parts.tables;
    this.#stack = parts.stack;
  }

  static async start({ store, runtime }: SoakStageOptions): Promise<SoakStage> {
    const stack = new AsyncDisposableStack();
    try {
      const folder = await mkdtemp(join(tmpdir(), "soak-"));
      stack.defer(() => rm(folder, { recursive: true, force: true }));
      const parts = await partsIn(folder, store, stack);
      const gateway = await ManagedGateway.start(parts.tables, runtime, WEIGHED);
      stack.defer(() => gateway.remove());
      return new SoakStage(parts, gateway);
    } catch (cause) {
      await stack.disposeAsync();
      throw cause;
    }
  }

  /** Text of the configuration file in its nth version: one backend is connected anew with each. */
  textOf(generation: number): string {
    const backends = this.#tables["backends"] as Record<string, Tables>;
    const headers = { "X-Generation": String(generation) };
    const plain = { ...backends["plain"], headers };
    return this.gateway.textOf({ ...this.#tables, backends: { ...backends, plain } });
  }

  /** Ledger B. */
  reached(): RowB[] {
    return [...this.backends.flatMap(({ ledger }) => ledger), ...readLedger(this.#ledger)];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

interface Parts {
  readonly backends: readonly ScriptedBackend[];
  readonly proxies: readonly FaultProxy[];
  readonly script: string;
  readonly ledger: string;
  readonly tables: Tables;
  readonly stack: AsyncDisposableStack;
}

async function partsIn(
  folder: string,
  store: SoakStageOptions["store"],
  stack: AsyncDisposableStack,
): Promise<Parts> {
  const script = join(folder, "script.json");
  const ledger = join(folder, "child.ledger");
  const backends: ScriptedBackend[] = [];
  const proxies: FaultProxy[] = [];
  const tables: Record<string, Tables> = {};
  for (const [name, options] of Object.entries(REMOTE)) {
    const backend = stack.use(await ScriptedBackend.start(options));
    const proxy = stack.use(await FaultProxy.before(backend.urlOf("mcp")));
    backends.push(backend);
    proxies.push(proxy);
    tables[name] = { ...QUICK, url: proxy.url.href };
  }
  for (const [name, args] of Object.entries(CHILDREN)) {
    tables[name] = {
      ...QUICK,
      ...childBackend({ ledger, script, args }),
      stop: { grace: "500ms" },
    };
  }
  const sessions = await sessionsIn(store, stack);
  return {
    backends,
    proxies,
    script,
    ledger,
    stack,
    tables: {
      server: { request_timeout: `${DEADLINE_MS}ms` },
      reload: { debounce: "20ms" },
      sessions: { ...sessions, idle_timeout: `${IDLE_SECONDS}s`, resume: { keep: "5s" } },
      telemetry: { log: { level: "error" } },
      backends: tables,
    },
  };
}

const QUICK = {
  health: { interval: "2s", timeout: "1s" },
  restart: { base: "200ms", max: "2s", reset_after: "5s" },
};

async function sessionsIn(
  store: SoakStageOptions["store"],
  stack: AsyncDisposableStack,
): Promise<Tables> {
  if (store === "sqlite") return { store };
  const redis = await RedisServer.start({ appendonly: true });
  stack.defer(() => redis.stop());
  return { store, url: redis.url };
}
