/** All series of one metric, within bounds: nobody outside can make the gateway keep more of them. */
import { LABEL_CAPS, type MetricName, METRICS, OTHER } from "../contract/metrics.ts";
import type { LabelMatch } from "../ports/telemetry.ts";
import { Recorder } from "./recorder.ts";

/** A histogram takes a line for each bucket, so it gets fewer series. */
const MAX_SERIES = { counter: 5000, gauge: 5000, histogram: 2000 } as const;
/** Longer values are counted as `_other`. */
const MAX_VALUE_LENGTH = 200;

/** Gives who is told of each observation of the series with these labels. */
export type Mirror = (labels: Readonly<Record<string, string>>) => (value: number) => void;

type Values = Readonly<Record<string, readonly string[]>>;

export class Family {
  readonly name: MetricName;
  readonly kind: "counter" | "gauge" | "histogram";
  readonly help: string;
  readonly bounds: readonly number[];
  readonly #labels: readonly string[];
  readonly #finite: ReadonlyMap<string, ReadonlySet<string>>;
  /** Values of open labels that have a series. */
  readonly #seen = new Map<string, Set<string>>();
  readonly #series = new Map<string, Recorder>();
  #mirror: Mirror | undefined;

  constructor(name: MetricName) {
    const row = METRICS[name];
    const values: Values = "values" in row ? row.values : {};
    this.name = name;
    this.kind = row.kind;
    this.help = row.help;
    this.bounds = "buckets" in row ? row.buckets : [];
    this.#labels = row.labels;
    this.#finite = new Map(Object.entries(values).map(([label, all]) => [label, new Set(all)]));
    if (row.labels.every((label) => this.#finite.has(label))) this.#fill({}, 0);
  }

  /** Who is told of observations too, from now on; undefined: nobody. */
  set mirror(mirror: Mirror | undefined) {
    this.#mirror = mirror;
    for (const recorder of this.#series.values()) recorder.mirror = mirror?.(recorder.labels);
  }

  get series(): Iterable<Recorder> {
    return this.#series.values();
  }

  of(labels: Readonly<Record<string, string>>): Recorder {
    const exact = this.#bounded(labels, (label, value) => this.#admitted(label, value));
    const known = this.#series.get(keyOf(exact));
    if (known !== undefined) return known;
    const crowd = this.#series.size;
    if (crowd < MAX_SERIES[this.kind]) return this.#add(exact);
    const isCrowded = crowd >= 2 * MAX_SERIES[this.kind];
    return this.#add(
      this.#bounded(exact, (label, value) => isCrowded || !this.#finite.has(label) ? OTHER : value),
    );
  }

  drop(match: LabelMatch): void {
    const wanted = Object.entries(match);
    if (!wanted.every(([label]) => this.#labels.includes(label))) return;
    for (const [key, { labels }] of this.#series) {
      if (wanted.every(([label, value]) => labels[label] === value)) this.#series.delete(key);
    }
    this.#seen.clear();
    for (const { labels } of this.#series.values()) this.#note(labels);
  }

  /** One series for each combination of finite values: a rate needs a zero to start from. */
  #fill(labels: Readonly<Record<string, string>>, position: number): void {
    const label = this.#labels[position];
    if (label === undefined) return void this.#add(labels);
    for (const value of this.#finite.get(label) ?? []) {
      this.#fill({ ...labels, [label]: value }, position + 1);
    }
  }

  #add(labels: Readonly<Record<string, string>>): Recorder {
    const key = keyOf(labels);
    const recorder = this.#series.get(key) ?? new Recorder(labels, this.bounds);
    recorder.mirror = this.#mirror?.(labels);
    this.#series.set(key, recorder);
    this.#note(labels);
    return recorder;
  }

  #note(labels: Readonly<Record<string, string>>): void {
    for (const [label, value] of Object.entries(labels)) {
      if (this.#finite.has(label)) continue;
      const seen = this.#seen.get(label) ?? new Set();
      this.#seen.set(label, seen.add(value));
    }
  }

  #bounded(
    labels: Readonly<Record<string, string>>,
    admit: (label: string, value: string) => string,
  ): Record<string, string> {
    const bounded: Record<string, string> = {};
    for (const label of this.#labels) {
      const value = labels[label] ?? "";
      bounded[label] = value === "" ? "" : admit(label, value);
    }
    return bounded;
  }

  #admitted(label: string, value: string): string {
    const finite = this.#finite.get(label);
    if (finite !== undefined) return finite.has(value) ? value : OTHER;
    if (value.length > MAX_VALUE_LENGTH) return OTHER;
    const seen = this.#seen.get(label);
    if (seen === undefined || seen.has(value)) return value;
    return seen.size < (LABEL_CAPS[label] ?? LABEL_CAPS.default) ? value : OTHER;
  }
}

/** Labels stand in the order of the table, so equal labels have equal keys. */
function keyOf(labels: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.values(labels));
}
