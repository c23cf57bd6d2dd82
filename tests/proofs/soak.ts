/** Mixed faults under load for a long time: nothing grows, nothing is left behind, and the ledgers agree. */
import assert from "node:assert/strict";
import process from "node:process";
import { until } from "../scenarios/until.ts";
import { LedgerLoad } from "../support/faults/ledger_load.ts";
import { laws, type RowC, rowsOf } from "../support/faults/ledgers.ts";
import {
  floorOf,
  type Point,
  type Sample,
  sampleOf,
  type Slope,
  slopeOf,
} from "../support/faults/samples.ts";
import type { Runtime } from "../support/runtime.ts";
import { CpuWaits } from "./cpu_waits.ts";
import { delivered, exportedAudit } from "./exported_audit.ts";
import { ADMIN_TOKEN } from "./managed_gateway.ts";
import { Scales } from "./scales.ts";
import { SoakFaults } from "./soak_faults.ts";
import { BACKENDS, DEADLINE_MS, IDLE_SECONDS, SoakStage } from "./soak_stage.ts";

export interface SoakOptions {
  readonly minutes: number;
  /** Calls per second. */
  readonly rate: number;
  readonly runtime?: Runtime;
  /** Default: sqlite. */
  readonly store?: "sqlite" | "redis";
}

export interface SoakReport {
  readonly minutes: number;
  readonly calls: number;
  /** How calls ended: `answered`, or a code of the error table, or how they broke off. */
  readonly ends: Readonly<Record<string, number>>;
  /** What was done, by name. */
  readonly faults: Readonly<Record<string, number>>;
  readonly before: Sample;
  readonly after: Sample;
  readonly samples: readonly Sample[];
  /** Megabytes per hour after the warm-up: of what is held on the heap, and of resident memory. */
  readonly slope: Slope;
  readonly residentSlope: Slope;
  readonly series: number;
  readonly problems: readonly string[];
  /** Whether the heap's slope is below its goal, as far as the length of the run can tell. */
  readonly isFlat: boolean;
}

const WAIT_MS = 90_000;
const SAMPLE_MS = 10_000;
const FEWEST_SAMPLES = 10;
/** Share of the samples that count as warm-up. */
const WARM_UP = 0.3;
/** Samples of which the lowest counts. */
const WINDOW = 6;
const SLOPE_GOAL = 1;
/** Between two faults. */
const PAUSE_MS = 700;
/** Files and connections that come and go by themselves: the journal's, the management API's. */
const DESCRIPTORS_SLACK = 4;
const UNHANDLED = /unhandled|uncaught|this is a defect/i;
const SHOWN = 20;

/** @throws AssertionError when the gateway does not get ready, at the start or at the end */
export async function soak(options: SoakOptions): Promise<SoakReport> {
  const { store = "sqlite", runtime } = options;
  const all = { store, ...(runtime === undefined ? {} : { runtime }) };
  await using stage = await SoakStage.start(all);
  return await new Soak(stage, options).run();
}

class Soak {
  readonly #stage: SoakStage;
  readonly #options: SoakOptions;
  readonly #faults: SoakFaults;
  readonly #samples: Sample[] = [];
  readonly #held: Point[] = [];
  readonly #scales: Scales;
  readonly #problems: string[] = [];
  readonly #begun = performance.now();

  constructor(stage: SoakStage, options: SoakOptions) {
    this.#stage = stage;
    this.#options = options;
    this.#faults = new SoakFaults(stage);
    this.#scales = new Scales(stage.gateway);
  }

  async run(): Promise<SoakReport> {
    const { gateway } = this.#stage;
    const { pid } = gateway;
    await this.#allReady();
    const before = this.#sample();
    const waits = new CpuWaits([pid, process.pid]);
    const { c, startedAt } = await this.#loaded().finally(() => waits.stop());
    await this.#faults.heal();
    await this.#allReady();
    const after = await this.#quiet(before);
    const series = await this.#metrics();
    if (gateway.pid !== pid) this.#problems.push("the gateway was another process at the end");
    await this.#judgeLedgers(c, ({ at, ms }) => waits.between(startedAt + at, startedAt + at + ms));
    const slope = this.#slopeOf(this.#held);
    return {
      minutes: this.#options.minutes,
      calls: c.length,
      ends: counted(c),
      faults: this.#faults.counts,
      before,
      after,
      samples: this.#samples,
      slope,
      residentSlope: this.#slopeOf(this.#samples.map(({ at, rssMb }) => ({ at, value: rssMb }))),
      series,
      problems: this.#problems.slice(0, SHOWN),
      isFlat: slope.growth - 2 * slope.error < SLOPE_GOAL,
    };
  }

  async #loaded(): Promise<{ readonly c: readonly RowC[]; readonly startedAt: number }> {
    const { minutes, rate } = this.#options;
    const load = await LedgerLoad.start({
      url: this.#stage.gateway.url,
      tools: BACKENDS.flatMap((name) => [`${name}__call`, `${name}__read`]),
      rate,
      clients: 16,
      connections: 64,
      act: (number, tool) => this.#faults.act(number, tool),
      leaves: (number) => this.#faults.leaves(number),
    });
    const end = performance.now() + minutes * 60_000;
    const every = Math.min(SAMPLE_MS, minutes * 60_000 / FEWEST_SAMPLES);
    const timer = setInterval(() => this.#look(), every);
    try {
      while (performance.now() < end) {
        await this.#faults.next();
        await pause(PAUSE_MS);
      }
    } finally {
      clearInterval(timer);
    }
    return { c: await load.stop(), startedAt: load.startedAt };
  }

  async #allReady(): Promise<void> {
    await until(async () => {
      const { body } = await this.#stage.gateway.ask("/backends");
      const states = body.items.map((item: Record<string, unknown>) =>
        `${item["name"]} ${item["state"]}`
      );
      assert.deepEqual(states, BACKENDS.toSorted().map((name) => `${name} ready`));
    }, WAIT_MS);
  }

  #look(): void {
    const sample = this.#sample();
    this.#samples.push(sample);
    this.#scales.weigh().then(
      ({ heapMb }) => void this.#held.push({ at: sample.at, value: heapMb }),
      (cause: unknown) => void this.#problems.push(String(cause)),
    );
    const found = UNHANDLED.exec(this.#stage.gateway.stderr);
    if (found === null) return;
    const problem = `stderr: ${this.#stage.gateway.stderr.slice(found.index - 200).slice(0, 1000)}`;
    if (!this.#problems.some((known) => known.startsWith("stderr"))) this.#problems.push(problem);
  }

  #sample(): Sample {
    return sampleOf(this.#stage.gateway.pid, (performance.now() - this.#begun) / 1000);
  }

  /** Everything that was left behind is gone; what there is then. */
  async #quiet(before: Sample): Promise<Sample> {
    const isBack = () => {
      const now = this.#sample();
      assert.equal(now.children, before.children, "processes");
      assert.ok(now.descriptors <= before.descriptors + DESCRIPTORS_SLACK, "descriptors");
    };
    await until(isBack, IDLE_SECONDS * 4000).catch((cause: unknown) => {
      this.#problems.push(`not as before: ${String(cause)}`);
    });
    this.#look();
    return this.#sample();
  }

  /** How many series `/metrics` has; each line of it is one, or says something about one. */
  async #metrics(): Promise<number> {
    const headers = { authorization: `Bearer ${ADMIN_TOKEN}` };
    const response = await fetch(`${this.#stage.gateway.management}/metrics`, { headers });
    const lines = (await response.text()).split("\n").filter((line) => line !== "");
    const wrong = lines.filter((line) => !EXPOSITION.test(line));
    for (const line of wrong.slice(0, 3)) this.#problems.push(`/metrics has the line: ${line}`);
    if (response.status !== 200) this.#problems.push(`/metrics answers ${response.status}`);
    return lines.filter((line) => !line.startsWith("#")).length;
  }

  async #judgeLedgers(c: readonly RowC[], waited: (call: RowC) => number): Promise<void> {
    const { gateway } = this.#stage;
    await delivered(gateway);
    await gateway.stop();
    const a = rowsOf(exportedAudit(gateway, this.#options.runtime));
    const ledgers = { a, b: this.#stage.reached(), c };
    this.#problems.push(...laws(ledgers, { deadlineMs: DEADLINE_MS, waited }));
    const broken = c.filter(({ outcome }) => outcome === "broken");
    for (const call of broken) this.#problems.push(`connection broke: ${JSON.stringify(call)}`);
  }

  #slopeOf(points: readonly Point[]): Slope {
    const warm = points.slice(Math.floor(points.length * WARM_UP));
    return slopeOf(floorOf(warm.map(({ at, value }) => ({ at: at / 3600, value })), WINDOW));
  }
}

/** A line of the text format: a comment, or name, labels, value and maybe an exemplar. */
const EXPOSITION = /^(# (HELP|TYPE|UNIT|EOF)|[a-z_:][a-z0-9_:]*(\{.*\})? [-+0-9.eEINnaf]+( .*)?$)/;

function counted(ends: readonly RowC[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { outcome, name, code } of ends) {
    const key = outcome === "error" ? name ?? `error ${code ?? ""}` : outcome;
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}

/** The report as a section of a page. */
export function markdownOf(report: SoakReport, runtime: Runtime): string {
  const { before, after, slope, residentSlope, samples, minutes } = report;
  const known = Number.isFinite(slope.error);
  const verdict = !known ? "too short to tell" : report.isFlat ? "flat" : "grows";
  const rows = [
    ["memory, MB", before.rssMb.toFixed(0), peak(samples, "rssMb"), after.rssMb.toFixed(0)],
    ["descriptors", before.descriptors, peak(samples, "descriptors"), after.descriptors],
    ["processes", before.children, peak(samples, "children"), after.children],
  ];
  return `### ${runtime}, ${minutes} minutes

${report.calls} calls: ${listed(report.ends)}.
What went wrong meanwhile: ${listed(report.faults)}.

| of the gateway | before | most | after |
| --- | ---: | ---: | ---: |
${rows.map((row) => `| ${row.join(" | ")} |`).join("\n")}

Held on the heap after the warm-up: ${perHour(slope)} (goal < ${SLOPE_GOAL}): ${verdict}.
Resident memory: ${perHour(residentSlope)}.
Laws of the ledgers and everything else: ${report.problems.length === 0 ? "hold" : "broken"}.
`;
}

function perHour({ growth, error }: Slope): string {
  return `${growth.toFixed(2)} ± ${(2 * error).toFixed(2)} MB per hour`;
}

function peak(samples: readonly Sample[], key: "rssMb" | "descriptors" | "children"): string {
  return Math.max(...samples.map((sample) => sample[key])).toFixed(0);
}

function listed(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts).map(([name, count]) => `${count} ${name}`).join(", ");
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
