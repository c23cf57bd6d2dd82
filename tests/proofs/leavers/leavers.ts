/**
 * Clients of both eras leave at every point of a call (trust.md T55) while others go on calling: the backends of
 * those that cancel by it are told, the audit has every call, and nothing of it stays.
 */
import assert from "node:assert/strict";
import { Connection } from "../../../bench/connection.ts";
import { Session } from "../../../bench/session.ts";
import { until } from "../../scenarios/until.ts";
import { LedgerLoad } from "../../support/faults/ledger_load.ts";
import { laws, type RowC, rowsOf } from "../../support/faults/ledgers.ts";
import { type Sample, sampleOf } from "../../support/faults/samples.ts";
import type { Runtime } from "../../support/runtime.ts";
import { cpuTimeOf, cpuTimeSince } from "../cpu_time.ts";
import { delivered, exportedAudit } from "../exported_audit.ts";
import { LeaversBackend } from "./backend.ts";
import { HOLD_MS } from "./calls.ts";
import { canComeBack, type ClientStage, comeBack, leave } from "./clients.ts";
import { Notebook } from "./notebook.ts";
import { BACKENDS, fateOf, type Leaver, leaverOf, type Seen, wrongOf } from "./points.ts";
import { KEEP_S, tablesOf } from "./tables.ts";
import { type Times, timesByPoint, timesOf } from "./times.ts";
import { ADMIN_TOKEN, ManagedGateway } from "../managed_gateway.ts";
import { Scales, WEIGHED } from "../scales.ts";

export interface LeaversOptions {
  readonly leavers: number;
  /** Leavers per second. */
  readonly rate: number;
  /** Calls per second of those that stay. */
  readonly others: number;
  /** The leavers come in so many parts, and what is held is weighed after each; 1: not at all. */
  readonly parts: number;
  readonly runtime?: Runtime;
}

export interface LeaversReport {
  readonly leavers: number;
  /** Their calls that a backend got, and those of them that were cancelled. */
  readonly reached: number;
  readonly cancelled: number;
  /** Those that fetched the answer of a stream they had left. */
  readonly cameBack: number;
  /** Until backends were told. */
  readonly told: Times;
  /** The same for each point, JSON and streams apart. */
  readonly toldByPoint: Readonly<Record<string, Times>>;
  /** Of the time the gateway was ready to run, the share in which others ran: noise of the machine. */
  readonly waited: number;
  /** Calls of those that stayed. */
  readonly others: number;
  readonly before: Sample;
  readonly after: Sample;
  /** On the heap, MB, after each part. */
  readonly heldMb: readonly number[];
  /** Bytes that each leaver after the first part left on the heap. */
  readonly heldBytes: number;
  /** What does not hold whatever the machine. */
  readonly problems: readonly string[];
  /** Goals that were missed. */
  readonly missed: readonly string[];
}

const SESSIONS = 16;
/** Leavers at a time. */
const WORKERS = 64;
const WAIT_MS = 60_000;
/** Longer than a call that nobody cancels is held. */
const QUIET_MS = HOLD_MS + 20_000;
/** Of those that stay: their backends answer at once. */
const DEADLINE_MS = 10_000;
const TOLD_GOAL_MS = 100;
/** What is kept for those that come back is gone then. */
const SETTLE_MS = 3 * KEEP_S * 1000;
/** Less than the smallest thing that could be left behind, more than a heap moves by itself. */
const HELD_GOAL = 256;
/** Files and connections that come and go by themselves: the journal's, the management API's. */
const DESCRIPTORS_SLACK = 4;
const UNHANDLED = /unhandled|uncaught|this is a defect|call\.defect/i;
const IN_FLIGHT =
  /^sentinel_(?:requests|backend)_in_flight\{(?!plane="management")[^}]*\} (\S+)$/gm;
const SHOWN = 20;

/** @throws AssertionError when the backends are not ready in time */
export async function leavers(options: LeaversOptions): Promise<LeaversReport> {
  await using notebook = await Notebook.open();
  await using remote = await LeaversBackend.start("legacy", notebook.take);
  await using modern = await LeaversBackend.start("modern", notebook.take);
  const tables = tablesOf(notebook, { remote: remote.url, modern: modern.url });
  const gateway = await ManagedGateway.start(tables, options.runtime, WEIGHED);
  try {
    return await new Leaving(gateway, notebook, options).run();
  } finally {
    await gateway.remove();
  }
}

class Leaving {
  readonly #gateway: ManagedGateway;
  readonly #notebook: Notebook;
  readonly #options: LeaversOptions;
  readonly #scales: Scales;
  readonly #left: Pick<Seen, "leaver" | "leftAt">[] = [];
  readonly #others: RowC[] = [];
  readonly #problems: string[] = [];
  readonly #begun = performance.now();
  #next = 0;
  #cameBack = 0;

  constructor(gateway: ManagedGateway, notebook: Notebook, options: LeaversOptions) {
    this.#gateway = gateway;
    this.#notebook = notebook;
    this.#options = options;
    this.#scales = new Scales(gateway);
  }

  async run(): Promise<LeaversReport> {
    const { leavers: all, parts, runtime } = this.#options;
    const { pid } = this.#gateway;
    await this.#ready();
    const stage = await this.#stage();
    const before = this.#sample();
    const cpu = cpuTimeOf(pid);
    const heldMb: number[] = [];
    for (let part = 1; part <= parts; part++) {
      await this.#leaveUpTo(Math.floor(all * part / parts), stage);
      if (parts > 1) heldMb.push(await this.#weigh());
    }
    const { ran, waited } = cpuTimeSince(cpu, pid);
    const after = await this.#quiet(before);
    if (this.#gateway.pid !== pid) this.#problems.push("the gateway was started again");
    await delivered(this.#gateway);
    await this.#gateway.stop();
    const a = rowsOf(exportedAudit(this.#gateway, runtime));
    const outcomes = new Map(a.map(({ nonce, outcome }) => [nonce, outcome]));
    const seen = this.#left.map(({ leaver, leftAt }): Seen => {
      const { nonce } = leaver;
      return { leaver, leftAt, noted: this.#notebook.of(nonce), outcome: outcomes.get(nonce) };
    });
    this.#judge(seen);
    const ledgers = { a, b: this.#notebook.ledger, c: this.#others };
    this.#problems.push(...laws(ledgers, { deadlineMs: DEADLINE_MS }));
    return this.#report(seen, { waited: waited / (ran + waited), before, after, heldMb });
  }

  #report(
    seen: readonly Seen[],
    figures: Pick<LeaversReport, "waited" | "before" | "after" | "heldMb">,
  ): LeaversReport {
    const { leavers: all, parts } = this.#options;
    const told = seen.filter(({ noted }) => noted?.cancelledAt !== undefined);
    const { heldMb } = figures;
    const grown = ((heldMb.at(-1) ?? 0) - (heldMb[0] ?? 0)) * 1e6;
    const heldBytes = parts > 1 ? grown / (all - all / parts) : 0;
    const times = timesOf(told);
    return {
      leavers: seen.length,
      reached: seen.filter(({ noted }) => noted !== undefined).length,
      cancelled: told.length,
      cameBack: this.#cameBack,
      told: times,
      toldByPoint: timesByPoint(told),
      others: this.#others.length,
      ...figures,
      heldBytes,
      problems: this.#problems.slice(0, SHOWN),
      missed: [
        ...over("milliseconds until backends were told, p99", times.p99, TOLD_GOAL_MS),
        ...over("bytes held for each leaver", heldBytes, HELD_GOAL),
      ],
    };
  }

  async #ready(): Promise<void> {
    await until(async () => {
      const { body } = await this.#gateway.ask("/backends?filter=state:ready");
      assert.equal(body.items.length, BACKENDS.length);
    }, WAIT_MS);
  }

  async #stage(): Promise<ClientStage> {
    const { url } = this.#gateway;
    const sessions: Session[] = [];
    const connection = await Connection.open(url);
    for (let opened = 0; opened < SESSIONS; opened++) {
      sessions.push(await Session.open(url, connection));
    }
    connection.close();
    return { url, sessions, notebook: this.#notebook };
  }

  /** With others that call meanwhile. */
  async #leaveUpTo(end: number, stage: ClientStage): Promise<void> {
    const load = await LedgerLoad.start({
      url: stage.url,
      tools: BACKENDS.map((name) => `${name}__call`),
      rate: this.#options.others,
      prefix: `other-${this.#next}-`,
    });
    const start = performance.now();
    const first = this.#next;
    const work = async () => {
      while (this.#next < end) {
        const number = this.#next++;
        await pause(start + (number - first) * 1000 / this.#options.rate - performance.now());
        await this.#leave(leaverOf(number), stage);
      }
    };
    await Promise.all(Array.from({ length: WORKERS }, work));
    this.#others.push(...await load.stop());
    const { status } = await fetch(new URL("/ready", stage.url));
    if (status !== 200) this.#problems.push(`/ready said ${status}`);
  }

  async #leave(leaver: Leaver, stage: ClientStage): Promise<void> {
    try {
      const left = await leave(leaver, stage);
      const { at: leftAt, isStreamed } = left;
      this.#left.push({ leaver: { ...leaver, isStreamed }, leftAt });
      if (!canComeBack(leaver, left)) return;
      await comeBack(leaver, left, stage);
      this.#cameBack++;
    } catch (cause) {
      this.#problems.push(`${shown(leaver)}: ${String(cause)}`);
    }
  }

  async #weigh(): Promise<number> {
    await until(() => this.#idle(), QUIET_MS);
    await pause(SETTLE_MS);
    return (await this.#scales.weigh()).heapMb;
  }

  /** Nothing is under way. @throws AssertionError */
  async #idle(): Promise<void> {
    assert.equal(this.#notebook.open, 0, "calls that backends work on");
    const headers = { authorization: `Bearer ${ADMIN_TOKEN}` };
    const response = await fetch(`${this.#gateway.management}/metrics`, { headers });
    const gauges = [...(await response.text()).matchAll(IN_FLIGHT)];
    assert.equal(gauges.length, BACKENDS.length + 1);
    const busy = gauges.filter(([, value]) => Number(value) !== 0).map(([line]) => line);
    assert.deepEqual(busy, []);
  }

  /** Everything that was left behind is gone; what there is then. */
  async #quiet(before: Sample): Promise<Sample> {
    const isBack = async () => {
      await this.#idle();
      const now = this.#sample();
      assert.equal(now.children, before.children, "processes");
      const limit = before.descriptors + DESCRIPTORS_SLACK;
      assert.ok(now.descriptors <= limit, `${now.descriptors} descriptors, before ${limit}`);
    };
    await until(isBack, QUIET_MS).catch((cause: unknown) => {
      this.#problems.push(`not as before: ${String(cause)}`);
    });
    return this.#sample();
  }

  #judge(seen: readonly Seen[]): void {
    const { stderr } = this.#gateway;
    const found = UNHANDLED.exec(stderr);
    if (found !== null) {
      this.#problems.push(`stderr: ${stderr.slice(Math.max(0, found.index - 200)).slice(0, 1000)}`);
    }
    for (const call of seen) {
      const wrong = wrongOf(call);
      if (wrong !== undefined) this.#problems.push(`${shown(call.leaver)} ${wrong}`);
    }
    for (const call of this.#others.filter(({ outcome }) => outcome !== "answered")) {
      this.#problems.push(`call of another failed: ${JSON.stringify(call)}`);
    }
  }

  #sample(): Sample {
    return sampleOf(this.#gateway.pid, (performance.now() - this.#begun) / 1000);
  }
}

function shown(leaver: Leaver): string {
  const { nonce, era, backend, isStreamed, point, resets } = leaver;
  const form = isStreamed ? "stream" : "JSON";
  const how = resets ? "by a reset" : "in order";
  return `${nonce} (${era}, ${form}, ${backend}, left at "${point}" ${how}, ${fateOf(leaver)})`;
}

function over(what: string, value: number, goal: number): string[] {
  return value > goal ? [`${what}: ${value.toFixed(0)}, goal ≤ ${goal}`] : [];
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}
