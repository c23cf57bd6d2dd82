/** What looking costs: a large gateway whose control plane is asked each second, beside itself left alone. */
import { mkdirSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type Configs, LIMITS } from "./configs.ts";
import { Connection } from "./connection.ts";
import { BenchError } from "./errors.ts";
import { Load, type Slice } from "./load.ts";
import type { Options, RuntimeName } from "./options.ts";
import type { Pinning } from "./pinning.ts";
import { type Running, start } from "./process.ts";
import { PROGRAMS, run } from "./runtimes.ts";
import { Session } from "./session.ts";
import { median } from "./stats.ts";
import { cpuBetween, usageOf } from "./usage.ts";

/** How large the gateway is. */
export const SCALE = { backends: 500, toolsOfBackend: 20, sessions: 10_000 } as const;

const IN_FLIGHT = 32;
/** Two looks fall into each, the first one after half a pause. */
const SLICE_MS = 2000;
const LOOK_EVERY_MS = 1000;
const READY_MS = 60_000;
const TOKEN = "bench-token-0123456789abcdef0123456789abcdef";

const MANAGE = "/manage/v1";
const PAGES = [
  `${MANAGE}/status`,
  `${MANAGE}/backends`,
  `${MANAGE}/capabilities`,
  `${MANAGE}/sessions`,
  `${MANAGE}/events`,
  "/metrics",
] as const;
type Page = (typeof PAGES)[number];

/** First page of a list, or a whole answer. */
export interface PageTime {
  readonly page: Page;
  readonly bytes: number;
  /** Medians in milliseconds. */
  readonly quietMs: number;
  readonly loadedMs: number;
}

/** One runtime's gateway; slices in the order of the rounds. */
export interface Polled {
  readonly runtime: RuntimeName;
  /** From its spawn until every backend was ready and every tool in the catalog. */
  readonly readyMs: number;
  /** CPU time of one look at a gateway without calls, milliseconds. */
  readonly lookCpuMs: number;
  readonly pages: readonly PageTime[];
  readonly alone: readonly Slice[];
  readonly polled: readonly Slice[];
}

interface Setting {
  readonly options: Options;
  readonly pinning: Pinning;
  readonly configs: Configs;
}

/** Measures the runtimes one after the other: two such gateways at once would be another test. */
export async function measurePolled(setting: Setting): Promise<Polled[]> {
  const command = run("bun", PROGRAMS.many, String(SCALE.toolsOfBackend));
  const backends = await start(setting.pinning.onLoadCore(command));
  try {
    const results: Polled[] = [];
    for (const runtime of setting.options.runtimes) {
      results.push(await measureOne(runtime, backends.url, setting));
    }
    return results;
  } finally {
    await backends.stop();
  }
}

async function measureOne(
  runtime: RuntimeName,
  backends: URL,
  { options, pinning, configs }: Setting,
): Promise<Polled> {
  const management = `http://127.0.0.1:${await freePort()}`;
  const config = writeConfig(configs, backends, management);
  const command = run(runtime, PROGRAMS.gateway, "server", "--config", config, "--json");
  const running = await start(pinning.onTargetCore(command));
  try {
    const poller = new Poller(management);
    await poller.untilReady();
    const readyMs = performance.now() - running.spawnedAt;
    await openSessions(running);
    const load = await Load.open(running, { inFlight: IN_FLIGHT });
    await load.run(options.warmUpMs);
    const lookCpuMs = await measureLooks(running, poller, options.rounds);
    const slices = await measureRounds(load, poller, options.rounds);
    return { runtime, readyMs, lookCpuMs, pages: poller.times(), ...slices };
  } finally {
    await running.stop();
  }
}

async function measureLooks({ pid }: Running, poller: Poller, looks: number): Promise<number> {
  const before = usageOf(pid);
  for (let look = 0; look < looks; look++) await poller.look("quiet");
  return cpuBetween(before, usageOf(pid)) / 1e6 / looks;
}

/** Alone and polled take turns in coming first, so that a drift of the machine falls on both. */
async function measureRounds(load: Load, poller: Poller, rounds: number) {
  const alone: Slice[] = [];
  const polled: Slice[] = [];
  const runPolled = async () => {
    const stop = poller.start();
    polled.push(await load.run(SLICE_MS));
    await stop();
  };
  for (let round = 0; round < rounds; round++) {
    if (round % 2 === 1) await runPolled();
    alone.push(await load.run(SLICE_MS));
    if (round % 2 === 0) await runPolled();
  }
  return { alone, polled };
}

async function openSessions({ url }: Running): Promise<void> {
  let left = SCALE.sessions;
  const open = async () => {
    const connection = await Connection.open(url);
    while (left-- > 0) await Session.open(url, connection);
    connection.close();
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, open));
}

/** Asks for the pages that the screens of an operator show. */
class Poller {
  readonly #base: string;
  readonly #bytes = new Map<Page, number>();
  readonly #ms = { quiet: new Map<Page, number[]>(), loaded: new Map<Page, number[]>() };

  constructor(base: string) {
    this.#base = base;
  }

  /** @throws BenchError when not everything is ready in time */
  async untilReady(): Promise<void> {
    const limit = performance.now() + READY_MS;
    const wanted = `${SCALE.backends} ready, ${SCALE.backends * SCALE.toolsOfBackend} tools`;
    for (;;) {
      const { backends, catalog } = JSON.parse(await this.#get(`${MANAGE}/status`)) as {
        backends: { states: Record<string, number> };
        catalog: { tools: number };
      };
      const found = `${backends.states["ready"] ?? 0} ready, ${catalog.tools} tools`;
      if (found === wanted) return;
      if (performance.now() > limit) {
        throw new BenchError(`Cannot measure: wanted ${wanted} within a minute, got ${found}`);
      }
      await delay(50);
    }
  }

  /** Asks for all pages, one after the other. */
  async look(when: "quiet" | "loaded"): Promise<void> {
    for (const page of PAGES) {
      const begun = performance.now();
      const text = await this.#get(page);
      const times = this.#ms[when];
      times.set(page, [...times.get(page) ?? [], performance.now() - begun]);
      this.#bytes.set(page, text.length);
    }
  }

  /** Looks each second until the returned function is called. */
  start(): () => Promise<void> {
    const end = new AbortController();
    const pause = (ms: number) => delay(ms, undefined, { signal: end.signal }).catch(() => {});
    const looking = (async () => {
      await pause(LOOK_EVERY_MS / 2);
      while (!end.signal.aborted) {
        const rest = pause(LOOK_EVERY_MS);
        await this.look("loaded");
        await rest;
      }
    })();
    return async () => {
      end.abort();
      await looking;
    };
  }

  times(): PageTime[] {
    return PAGES.map((page) => ({
      page,
      bytes: this.#bytes.get(page) ?? 0,
      quietMs: median(this.#ms.quiet.get(page) ?? []),
      loadedMs: median(this.#ms.loaded.get(page) ?? []),
    }));
  }

  async #get(path: string): Promise<string> {
    const headers = { authorization: `Bearer ${TOKEN}` };
    const response = await fetch(this.#base + path, { headers });
    const text = await response.text();
    if (response.ok) return text;
    throw new BenchError(`Cannot read ${path}: status ${response.status}, ${text.slice(0, 200)}`);
  }
}

function writeConfig({ state }: Configs, backends: URL, management: string): string {
  mkdirSync(state, { recursive: true });
  const config = join(state, "polled.toml");
  const token = join(state, "polled.token");
  const names = Array.from({ length: SCALE.backends }, (_, n) => `backend-${n}`);
  writeFileSync(token, TOKEN, { mode: 0o600 });
  writeFileSync(
    config,
    `version = 1

[server]
listen = "127.0.0.1:0"

[management]
listen = "${new URL(management).host}"
tokens = [{ name = "bench", scope = "read", value = "\${file:${token}}" }]

[sessions]
max = ${SCALE.sessions * 2}

${LIMITS}
${names.map((name) => `[backends.${name}]\nurl = "${backends.origin}/${name}"\n`).join("\n")}`,
  );
  return config;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
