/**
 * Clients that are slow in every way of trust.md T14, thousands at once, while others call: each is dropped as
 * docs/runtimes.md says, and the others lose nothing.
 */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stopAll } from "../../scenarios/stop_all.ts";
import { until } from "../../scenarios/until.ts";
import { childBackend, readLedger } from "../../support/faults/child_backend.ts";
import { LedgerLoad } from "../../support/faults/ledger_load.ts";
import { laws, type RowC, rowsOf } from "../../support/faults/ledgers.ts";
import { sampleOf } from "../../support/faults/samples.ts";
import { ScriptedBackend } from "../../support/faults/scripted_backend.ts";
import { RUNTIME, type Runtime } from "../../support/runtime.ts";
import { delivered, exportedAudit } from "../exported_audit.ts";
import { over, p99Of, raiseDescriptors } from "../idle_sessions.ts";
import { ManagedGateway } from "../managed_gateway.ts";
import { isInOwnNetwork } from "./own_network.ts";
import { isReader, type Kind, KINDS } from "./connection.ts";
import { type Fates, SlowCrowd } from "./crowd.ts";

export interface SlowOptions {
  /** Connections of each kind; one that only sends comes back when it was closed. */
  readonly each: number;
  /** Of each kind, opened in a second. */
  readonly perSecond: number;
  /** Calls per second of the others. */
  readonly rate: number;
  /** How long each load without the slow ones lasts, before and after them. */
  readonly seconds: number;
  /** How long the attack goes on once all of them are there. */
  readonly attackSeconds: number;
  /** Characters of a large answer and of each message of a stream: more than the system takes for its reader. */
  readonly bytes: number;
  /** Between two messages of a stream, of which there are three, milliseconds. */
  readonly pauseMs: number;
  /** `server.body_timeout`, milliseconds; default 30 s. */
  readonly bodyMs?: number;
  readonly runtime?: Runtime;
}

export interface SlowReport {
  readonly fates: Fates;
  /** Streams the gateway ended because too much waited for their reader, or for too long; 1000 at most. */
  readonly overflows: number;
  /** Whether packets had the size that networks have; on the usual loopback the system takes megabytes. */
  readonly ownNetwork: boolean;
  readonly calls: number;
  /** Milliseconds, medians over windows of a thousand calls: without the slow ones, before and after, and with them. */
  readonly p99Alone: number;
  readonly p99With: number;
  /** Resident memory of the gateway, MB: before, the most during the attack, and when all have left. */
  readonly memoryMb: Readings;
  readonly descriptors: Readings;
  /** What does not hold whatever the machine. */
  readonly problems: readonly string[];
  /** Goals that were missed. */
  readonly missed: readonly string[];
}

export interface Readings {
  readonly before: number;
  readonly most: number;
  readonly after: number;
}

const BODY_MS = 30_000;
const WAIT_MS = 60_000;
/** Reading ten thousand descriptors takes long enough to show in the calls of this process. */
const SAMPLE_MS = 10_000;
const P99_GOAL = 2;
/** The gateway looks at what is too slow once in a second, Bun at its connections every four. */
const LOOK_MS = { node: 1000, deno: 1000, bun: 4000 };
/** Who does not read is not told: we look ourselves. */
const OUR_LOOK_MS = 2000;
/** What a busy machine may be late. */
const GRACE_MS = 5000;
/** Connections to backends that the pools may keep. */
const SPARE_DESCRIPTORS = 16;
const UNHANDLED = /unhandled|uncaught|this is a defect/i;

/** When each is closed after what docs/runtimes.md says, milliseconds; absent: it stays. */
function closedAfter(runtime: Runtime, bodyMs: number): Partial<Record<Kind, number>> {
  if (runtime === "deno") return {};
  const head = runtime === "node" ? 15_000 : 12_000;
  return { silent: head, head, body: bodyMs, answer: 65_000, stream: 65_000 };
}

/** @throws AssertionError when the gateway is not ready in time, or keeps descriptors */
export async function slowClients(options: SlowOptions): Promise<SlowReport> {
  const folder = await mkdtemp(join(tmpdir(), "slow-"));
  const ends: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true })];
  try {
    const backend = await ScriptedBackend.start();
    ends.unshift(() => backend[Symbol.asyncDispose]());
    const ledger = join(folder, "child.ledger");
    const gateway = await ManagedGateway.start(
      {
        server: { body_timeout: `${options.bodyMs ?? BODY_MS}ms` },
        backends: {
          remote: { url: backend.urlOf("mcp").href },
          // Its answers cost the process that measures nothing; a ping waits behind all of them.
          large: {
            ...childBackend({ ledger }),
            health: { interval: "30m" },
            limits: { in_flight: 3 * options.each },
          },
        },
      },
      options.runtime,
    );
    ends.unshift(() => gateway.remove());
    return await new Slow({ gateway, backend, ledger }, options).run();
  } finally {
    await stopAll(ends);
  }
}

interface Stage {
  readonly gateway: ManagedGateway;
  readonly backend: ScriptedBackend;
  readonly ledger: string;
}

interface Shown {
  readonly event: string;
}

class Slow {
  readonly #stage: Stage;
  readonly #options: SlowOptions;
  readonly #runtime: Runtime;
  readonly #problems: string[] = [];
  readonly #calls: RowC[] = [];

  constructor(stage: Stage, options: SlowOptions) {
    this.#stage = stage;
    this.#options = options;
    this.#runtime = options.runtime ?? RUNTIME;
  }

  async run(): Promise<SlowReport> {
    const { gateway } = this.#stage;
    raiseDescriptors(gateway.pid);
    await this.#ready();
    await this.#alone();
    const alone = [...await this.#alone()];
    const before = sampleOf(gateway.pid, 0);
    const { fates, during, most } = await this.#attack();
    const after = await this.#left(before.descriptors);
    alone.push(...await this.#alone());
    const overflows = await this.#overflows();
    this.#judgeFates(fates);
    await this.#judgeCalls();
    const figures = {
      fates,
      overflows,
      ownNetwork: isInOwnNetwork(),
      calls: this.#calls.length,
      p99Alone: p99Of(alone),
      p99With: p99Of(during),
      memoryMb: { before: before.rssMb, most: most.rssMb, after: after.rssMb },
      descriptors: {
        before: before.descriptors,
        most: most.descriptors,
        after: after.descriptors,
      },
    };
    return { ...figures, problems: this.#problems.slice(0, 20), missed: this.#missed(figures) };
  }

  async #ready(): Promise<void> {
    await until(async () => {
      const { body } = await this.#stage.gateway.ask("/backends?filter=state:ready");
      assert.equal(body.items.length, 2);
    }, WAIT_MS);
  }

  /** A load without the slow ones: the calls that ended. */
  async #alone(): Promise<readonly RowC[]> {
    const load = await this.#load();
    await pause(this.#options.seconds * 1000);
    return await this.#ended(load);
  }

  #load(): Promise<LedgerLoad> {
    const { url } = this.#stage.gateway;
    const prefix = `${this.#calls.length}-`;
    return LedgerLoad.start({ url, tools: ["remote__call"], rate: this.#options.rate, prefix });
  }

  async #ended(load: LedgerLoad): Promise<readonly RowC[]> {
    const ends = await load.stop();
    this.#calls.push(...ends);
    return ends;
  }

  /** What became of the slow ones, the calls meanwhile, and the most the gateway had of everything. */
  async #attack() {
    const { gateway } = this.#stage;
    const { each, perSecond, bytes, pauseMs } = this.#options;
    const most = { rssMb: 0, descriptors: 0 };
    const sample = () => {
      const { rssMb, descriptors } = sampleOf(gateway.pid, 0);
      most.rssMb = Math.max(most.rssMb, rssMb);
      most.descriptors = Math.max(most.descriptors, descriptors);
    };
    const sampling = setInterval(sample, SAMPLE_MS);
    const large = { tool: "large__call", bytes, pauseMs };
    const crowd = SlowCrowd.start({ url: gateway.url.href, each, perSecond, large });
    try {
      raiseDescriptors(crowd.pid);
      const load = await this.#load();
      await crowd.areThere(WAIT_MS + 2 * each / perSecond * 1000);
      sample();
      await pause(this.#options.attackSeconds * 1000);
      await this.#judgeHealth();
      const during = await this.#ended(load);
      return { fates: await crowd.leave(), during, most };
    } finally {
      clearInterval(sampling);
      await crowd[Symbol.asyncDispose]();
    }
  }

  async #judgeHealth(): Promise<void> {
    const { status, body } = await fetch(new URL("/ready", this.#stage.gateway.url));
    await body?.cancel();
    if (status !== 200) this.#problems.push(`/ready said ${status} meanwhile`);
  }

  /** Once the descriptors are back. */
  #left(descriptors: number) {
    return until(() => {
      const sample = sampleOf(this.#stage.gateway.pid, 0);
      const most = descriptors + SPARE_DESCRIPTORS;
      assert.ok(sample.descriptors <= most, `${sample.descriptors} descriptors, ${most} at most`);
      return sample;
    }, WAIT_MS);
  }

  async #overflows(): Promise<number> {
    const { body } = await this.#stage.gateway.ask("/events?limit=1000");
    return body.items.filter(({ event }: Shown) => event === "stream.overflow").length;
  }

  #judgeFates(fates: Fates): void {
    const { bodyMs = BODY_MS } = this.#options;
    const limits = closedAfter(this.#runtime, bodyMs);
    for (const kind of KINDS) {
      const { closed, oldestMs, wrong, wrongly } = fates[kind];
      const held = Math.max(closed.most, oldestMs);
      const limit = limits[kind] ?? Number.POSITIVE_INFINITY;
      if (held > limit + GRACE_MS) {
        this.#problems.push(`${kind}: held for ${held} ms, documented ${limit}`);
      }
      if (wrong > 0) {
        this.#problems.push(`${kind}: ${wrong} not answered as they should: ${wrongly}`);
      }
    }
    const { oldestUntoldMs } = fates.body;
    if (oldestUntoldMs > bodyMs + GRACE_MS) {
      this.#problems.push(`body: not told for ${oldestUntoldMs} ms that it is too slow`);
    }
  }

  async #judgeCalls(): Promise<void> {
    const { gateway, backend, ledger } = this.#stage;
    for (const call of this.#calls.filter(({ outcome }) => outcome !== "answered")) {
      this.#problems.push(`call failed: ${JSON.stringify(call)}`);
    }
    await delivered(gateway);
    await gateway.stop();
    if (UNHANDLED.test(gateway.stderr)) this.#problems.push(gateway.stderr.slice(-1000));
    const a = rowsOf(exportedAudit(gateway, this.#runtime));
    const b = [...backend.ledger, ...readLedger(ledger)];
    this.#problems.push(...laws({ a, b, c: this.#calls }, { deadlineMs: WAIT_MS }));
  }

  #missed({ fates, p99Alone, p99With }: Pick<SlowReport, "fates" | "p99Alone" | "p99With">) {
    const limits = closedAfter(this.#runtime, this.#options.bodyMs ?? BODY_MS);
    const late = KINDS.flatMap((kind) => {
      const limit = limits[kind] ?? Number.POSITIVE_INFINITY;
      const looks = LOOK_MS[this.#runtime] + (isReader(kind) ? OUR_LOOK_MS : 0);
      return over(`${kind}: ms until closed`, fates[kind].closed.most, limit + looks);
    });
    return [...late, ...over("p99 ÷ p99 without them", p99With / p99Alone, P99_GOAL)];
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
