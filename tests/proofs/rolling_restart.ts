/**
 * Two gateways over one Redis behind haproxy: restarted in turn under load, then one is killed. No call fails at a
 * restart, every session goes on at the other gateway, and what the kill cuts off is told and never sent twice.
 */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Connection } from "../../bench/connection.ts";
import { until } from "../scenarios/until.ts";
import { stopAll } from "../scenarios/stop_all.ts";
import { childBackend, readLedger } from "../support/faults/child_backend.ts";
import { Haproxy } from "../support/faults/haproxy.ts";
import { IdleSession } from "../support/faults/idle_session.ts";
import { LedgerLoad } from "../support/faults/ledger_load.ts";
import { laws, type RowC, rowsOf } from "../support/faults/ledgers.ts";
import { ScriptedBackend } from "../support/faults/scripted_backend.ts";
import { RedisServer } from "../support/redis.ts";
import type { Runtime } from "../support/runtime.ts";
import { freePort } from "../support/server_process.ts";
import { delivered, exportedAudit } from "./exported_audit.ts";
import { ManagedGateway } from "./managed_gateway.ts";

export interface RollingOptions {
  readonly restarts: number;
  /** Calls per second. */
  readonly rate: number;
  /**
   * One of the two backends is a child. A gateway is ready with the first backend that answers, at the latest
   * two seconds after its start, so that calls of a child that takes longer are refused until it is there.
   */
  readonly withChild: boolean;
  readonly runtime?: Runtime;
}

export interface RollingReport {
  readonly calls: number;
  /** Calls that were not answered while gateways were restarted. */
  readonly failed: number;
  /** Sessions that hold a stream, and how often they opened it. */
  readonly streams: number;
  readonly streamsOpened: number;
  /** Calls around the kill, and how those ended that were not answered. */
  readonly callsAtKill: number;
  readonly endsAtKill: Readonly<Record<string, number>>;
  readonly problems: readonly string[];
}

const CLIENTS = 16;
const STREAMS = 10;
const WAIT_MS = 60_000;
const DEADLINE_MS = 10_000;
/** Under load between two restarts, and before and after the kill. */
const BETWEEN_MS = 1000;
/** Longer than the balancer takes to see that a gateway is ready again. */
const SEEN_MS = 1000;
const SHOWN = 20;
/** Exit codes of a gateway that was asked to stop and had drained: its own, and that of a shell for TERM. */
const IN_ORDER = [0, 143];

/** @throws AssertionError when a gateway does not stop in order, or does not come back */
export async function rollingRestart(options: RollingOptions): Promise<RollingReport> {
  const folder = await mkdtemp(join(tmpdir(), "rolling-"));
  const ends: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true })];
  try {
    const stage = await setStage(folder, options, (end) => void ends.unshift(end));
    return await new Rolling(stage, options).run();
  } finally {
    await stopAll(ends);
  }
}

interface Stage {
  readonly gateways: readonly ManagedGateway[];
  readonly haproxy: Haproxy;
  readonly backend: ScriptedBackend;
  /** What the children note. */
  readonly ledger: string;
}

async function setStage(
  folder: string,
  { runtime, withChild }: RollingOptions,
  atEnd: (end: () => Promise<unknown>) => void,
): Promise<Stage> {
  const ledger = join(folder, "child.ledger");
  const redis = await RedisServer.start({ appendonly: true });
  atEnd(() => redis.stop());
  const backend = await ScriptedBackend.start();
  atEnd(() => backend[Symbol.asyncDispose]());
  const ports = [await freePort(), await freePort()] as const;
  const gateways: ManagedGateway[] = [];
  for (const port of ports) {
    const gateway = await ManagedGateway.start({
      server: {
        listen: `127.0.0.1:${port}`,
        request_timeout: `${DEADLINE_MS}ms`,
        drain_delay: "1s",
        drain_timeout: "10s",
      },
      sessions: { store: "redis", url: redis.url },
      backends: {
        remote: { url: backend.urlOf("mcp").href },
        other: withChild ? childBackend({ ledger }) : { url: backend.urlOf("other").href },
      },
    }, runtime);
    atEnd(() => gateway.remove());
    gateways.push(gateway);
  }
  for (const gateway of gateways) await isReady(gateway);
  const haproxy = await Haproxy.before(ports);
  atEnd(() => haproxy.stop());
  await new Promise((resolve) => setTimeout(resolve, SEEN_MS));
  return { gateways, haproxy, backend, ledger };
}

/** Both backends answer, and a load balancer is told so. */
async function isReady(gateway: ManagedGateway): Promise<void> {
  await until(async () => {
    const { body } = await gateway.ask("/backends?filter=state:ready");
    assert.equal(body.items.length, 2);
    const response = await fetch(new URL("/ready", gateway.url));
    assert.equal(response.status, 200, await response.text());
  }, WAIT_MS).catch((cause: unknown) => {
    throw new Error(`A gateway does not become ready:\n${gateway.stderr}`, { cause });
  });
}

class Rolling {
  readonly #stage: Stage;
  readonly #options: RollingOptions;
  readonly #problems: string[] = [];

  constructor(stage: Stage, options: RollingOptions) {
    this.#stage = stage;
    this.#options = options;
  }

  async run(): Promise<RollingReport> {
    const idle = await this.#openStreams();
    const rolled = await this.#roll();
    const killed = await this.#killOne();
    const streamsOpened = await this.#judgeStreams(idle);
    for (const session of idle) await session.close();
    await this.#judgeLedgers([...rolled, ...killed]);
    const failed = rolled.filter(isUnanswered);
    return {
      calls: rolled.length,
      failed: failed.length,
      streams: idle.length,
      streamsOpened,
      callsAtKill: killed.length,
      endsAtKill: counted(killed.filter(isUnanswered)),
      problems: this.#problems.slice(0, SHOWN),
    };
  }

  async #openStreams(): Promise<IdleSession[]> {
    const { url } = this.#stage.haproxy;
    const sessions: IdleSession[] = [];
    for (let number = 0; number < STREAMS; number++) {
      const connection = await Connection.open(url);
      const stream = { withStream: true, reopens: true };
      sessions.push(await IdleSession.open(url, connection, stream));
      connection.close();
    }
    return sessions;
  }

  /** Restarts in turn; no call may fail. */
  async #roll(): Promise<RowC[]> {
    const { gateways } = this.#stage;
    const load = await this.#load("r-");
    for (let restart = 0; restart < this.#options.restarts; restart++) {
      await pause(BETWEEN_MS);
      const gateway = gateways[restart % gateways.length] as ManagedGateway;
      const { code } = await gateway.stop();
      if (!IN_ORDER.includes(code)) this.#problems.push(`restart ${restart}: exit code ${code}`);
      await gateway.restart();
      await isReady(gateway);
      await pause(SEEN_MS);
    }
    await pause(BETWEEN_MS);
    const ends = await load.stop();
    for (const end of ends.filter(isUnanswered)) {
      this.#problems.push(`failed at a restart: ${JSON.stringify(end)}`);
    }
    return ends;
  }

  /** `kill -9` of one under load: its sessions go on at the other. */
  async #killOne(): Promise<RowC[]> {
    const load = await this.#load("k-");
    await pause(BETWEEN_MS);
    const killedAt = load.now;
    await this.#stage.gateways[0]?.kill();
    await pause(3 * BETWEEN_MS);
    const ends = await load.stop();
    const since = Map.groupBy(ends.filter(({ at }) => at > killedAt), ({ who }) => who);
    if (since.size < CLIENTS) {
      this.#problems.push(`only ${since.size} sessions called after the kill`);
    }
    for (const [who, calls] of since) {
      const last = calls.toSorted((a, b) => a.at - b.at).at(-1);
      if (last?.outcome !== "answered") {
        this.#problems.push(`session of ${who} did not go on: ${JSON.stringify(last)}`);
      }
    }
    for (const end of ends.filter(isUnanswered)) {
      const isTyped = end.outcome === "broken" || end.name !== undefined || end.status >= 502;
      if (!isTyped) this.#problems.push(`ended without an error: ${JSON.stringify(end)}`);
    }
    return ends;
  }

  #load(prefix: string): Promise<LedgerLoad> {
    return LedgerLoad.start({
      url: this.#stage.haproxy.url,
      tools: ["remote__call", "other__call"],
      rate: this.#options.rate,
      clients: CLIENTS,
      // Some calls take longer, so that whatever happens finds calls under way.
      act: (number) => number % 8 < 2 ? { do: "answer", ms: 250 } : undefined,
      prefix,
    });
  }

  /** How often they were opened in all. */
  async #judgeStreams(sessions: readonly IdleSession[]): Promise<number> {
    for (const [number, session] of sessions.entries()) {
      await until(() => assert.ok(session.isOpen), WAIT_MS / 10).catch(() => {
        this.#problems.push(`stream ${number} did not come back: status ${session.lastStatus}`);
      });
      const status = await session.ping();
      if (status !== 200) this.#problems.push(`session ${number} with a stream: status ${status}`);
    }
    return sessions.reduce((sum, { opened }) => sum + opened, 0);
  }

  async #judgeLedgers(c: readonly RowC[]): Promise<void> {
    const { gateways, backend, ledger } = this.#stage;
    // The killed one closes what it had begun when it starts again.
    await gateways[0]?.restart();
    for (const gateway of gateways) await delivered(gateway);
    for (const gateway of gateways) await gateway.stop();
    const a = gateways.flatMap((gateway) => rowsOf(exportedAudit(gateway, this.#options.runtime)));
    const b = [...backend.ledger, ...readLedger(ledger)];
    this.#problems.push(...laws({ a, b, c }, { deadlineMs: DEADLINE_MS }));
  }
}

function isUnanswered({ outcome }: RowC): boolean {
  return outcome !== "answered";
}

function counted(ends: readonly RowC[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { outcome, name, status } of ends) {
    const key = `${outcome} ${name ?? (status === 0 ? "" : status)}`.trim();
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
