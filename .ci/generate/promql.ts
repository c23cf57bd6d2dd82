/**
 * Queries for Prometheus, made of the metric table: a metric, label or value that the table does not have does not
 * compile, and neither does a grouping by a label that the series have not.
 */
import { type LabelOf, type Labels, type MetricName, METRICS } from "../../src/contract/metrics.ts";

/** What the scrape adds to every series. */
export type TargetLabel = "job" | "instance";

/** An expression whose result has these labels. */
export interface Vector<Label extends string = string> {
  readonly text: string;
  /** Only for the compiler: never set. */
  readonly labels?: (label: Label) => Label;
}

/** An expression of which nobody says what it has. */
interface Text {
  readonly text: string;
}

type NameOf<Kind extends string> = {
  [M in MetricName]: (typeof METRICS)[M]["kind"] extends Kind ? M : never;
}[MetricName];
type Counter = NameOf<"counter">;
type Gauge = NameOf<"gauge">;
type Histogram = NameOf<"histogram">;
type Of<M extends MetricName> = Vector<LabelOf<M> | TargetLabel>;

/** One value, one of several, or none of them. */
type Match<Value extends string> =
  | Value
  | readonly Value[]
  | { readonly not: Value | readonly Value[] };
/** Which series of a metric; without a label all of them. */
export type Where<M extends MetricName> = {
  readonly [Label in LabelOf<M>]?: Match<Labels<M>[Label]>;
};

/** What all queries of one file have in common. */
export interface Scope {
  /** Matchers of every series, such as `job=~"$job"`. */
  readonly target: readonly string[];
  /** Matchers of the series that have the label. */
  readonly labels: Readonly<Record<string, string>>;
  /** Range that rates are taken over, such as `5m`. */
  readonly window: string;
}

/** Rules look at everything. */
const EVERYTHING: Scope = { target: [], labels: {}, window: "5m" };

/** The series of the metric table, as one file asks for them. */
export class Series {
  readonly #scope: Scope;

  constructor(scope: Scope = EVERYTHING) {
    this.#scope = scope;
  }

  /** The same with another range. */
  over(window: string): Series {
    return new Series({ ...this.#scope, window });
  }

  gauge<M extends Gauge>(metric: M, where: Where<M> = {}): Of<M> {
    return { text: this.#select(metric, metric, where) };
  }

  /** Per second. */
  rate<M extends Counter>(metric: M, where: Where<M> = {}): Of<M> {
    return this.#ranged("rate", this.#select(metric, metric, where));
  }

  increase<M extends Counter>(metric: M, where: Where<M> = {}): Of<M> {
    return this.#ranged("increase", this.#select(metric, metric, where));
  }

  /** Times that a counter or gauge had another value than before. */
  changes<M extends Counter | Gauge>(metric: M, where: Where<M> = {}): Of<M> {
    return this.#ranged("changes", this.#select(metric, metric, where));
  }

  highest<M extends Gauge>(metric: M, where: Where<M> = {}): Of<M> {
    return this.#ranged("max_over_time", this.#select(metric, metric, where));
  }

  /** Observations per second. */
  observed<M extends Histogram>(metric: M, where: Where<M> = {}): Of<M> {
    return this.#ranged("rate", this.#select(metric, `${metric}_count`, where));
  }

  /** Observations within the range. */
  observations<M extends Histogram>(metric: M, where: Where<M> = {}): Of<M> {
    return this.#ranged("increase", this.#select(metric, `${metric}_count`, where));
  }

  buckets<M extends Histogram>(
    metric: M,
    where: Where<M> = {},
  ): Vector<LabelOf<M> | TargetLabel | "le"> {
    return this.#ranged("rate", this.#select(metric, `${metric}_bucket`, where));
  }

  /** For variables of a dashboard: the values of a label, of the targets that are chosen. */
  labelValues<M extends Gauge>(metric: M, label: LabelOf<M> | TargetLabel): string {
    return `label_values(${this.#select(metric, metric, {})}, ${label})`;
  }

  /** The same of a histogram. */
  observedValues<M extends Histogram>(metric: M, label: LabelOf<M>): string {
    return `label_values(${this.#select(metric, `${metric}_count`, {})}, ${label})`;
  }

  #ranged(call: string, selector: string): Text {
    return { text: `${call}(${selector}[${this.#scope.window}])` };
  }

  #select(metric: MetricName, sample: string, where: Where<MetricName>): string {
    const labels: readonly string[] = METRICS[metric].labels;
    const matchers = [
      ...this.#scope.target,
      ...Object.entries(this.#scope.labels)
        .filter(([label]) => labels.includes(label))
        .map(([label, matcher]) => `${label}${matcher}`),
      ...Object.entries<Match<string> | undefined>(where).map(matcherOf),
    ];
    return matchers.length === 0 ? sample : `${sample}{${matchers.join(",")}}`;
  }
}

function matcherOf([label, match]: [string, Match<string> | undefined]): string {
  if (match === undefined) throw new TypeError(`Cannot match "${label}": no value`);
  if (typeof match === "string") return `${label}=${JSON.stringify(match)}`;
  if (!("not" in match)) return `${label}=~${anyOf(match)}`;
  const { not } = match;
  return typeof not === "string" ? `${label}!=${JSON.stringify(not)}` : `${label}!~${anyOf(not)}`;
}

function anyOf(values: readonly string[]): string {
  return JSON.stringify(
    values.map((value) => value.replace(/[\\^$.|?*+()[\]{}]/g, "\\$&")).join("|"),
  );
}

/** Whether the last scrape of a target worked: of Prometheus itself, not of the table. */
export function targetUp(): Vector<TargetLabel> {
  return { text: "up" };
}

function aggregated(operator: string, by: readonly string[], text: string): string {
  const grouping = by.length === 0 ? "" : ` by (${by.join(", ")})`;
  return `${operator}${grouping} (${text})`;
}

export function sum<Label extends string, By extends Label>(
  by: readonly By[],
  { text }: Vector<Label>,
): Vector<By> {
  return { text: aggregated("sum", by, text) };
}

export function max<Label extends string, By extends Label>(
  by: readonly By[],
  { text }: Vector<Label>,
): Vector<By> {
  return { text: aggregated("max", by, text) };
}

export function count<Label extends string, By extends Label>(
  by: readonly By[],
  { text }: Vector<Label>,
): Vector<By> {
  return { text: aggregated("count", by, text) };
}

/** A quantile of a histogram, from the rates of its buckets. */
export function quantile<Label extends string, By extends Exclude<Label, "le">>(
  share: number,
  by: readonly By[],
  { text }: Vector<Label>,
): Vector<By> {
  return { text: `histogram_quantile(${share}, ${aggregated("sum", ["le", ...by], text)})` };
}

/** The largest so many. */
export function top<Label extends string>(most: number, { text }: Vector<Label>): Vector<Label> {
  return { text: `topk(${most}, ${text})` };
}

/** A part of a whole; 0 where only the whole is there, nothing where that is zero. */
export function share<Label extends string>(
  part: Vector<Label>,
  whole: Vector<NoInfer<Label>>,
): Vector<Label> {
  return { text: `(${part.text} or ${whole.text} * 0) / (${whole.text} > 0)` };
}

export function divided<Label extends string>(
  left: Vector<Label>,
  right: Vector<NoInfer<Label>>,
): Vector<Label> {
  return { text: `${left.text} / ${right.text}` };
}

export function times<Label extends string>(
  { text }: Vector<Label>,
  factor: number,
): Vector<Label> {
  return { text: `${text} * ${factor}` };
}

/** The series of the left for which this is true. */
export function compare<Label extends string>(
  left: Vector<Label>,
  comparison: "==" | ">" | "<",
  right: number | Vector<NoInfer<Label>>,
): Vector<Label> {
  const text = typeof right === "number" ? String(right) : `(${right.text})`;
  return { text: `${left.text} ${comparison} ${text}` };
}

/** The left, where the right is there too with the same values of these labels. */
export function and<Label extends string, Right extends string>(
  left: Vector<Label>,
  on: readonly (Label & Right)[],
  right: Vector<Right>,
): Vector<Label> {
  return { text: `${left.text} and on (${on.join(", ")}) (${right.text})` };
}

/** The left, except where the right is there with the same values of these labels. */
export function unless<Label extends string, Right extends string>(
  left: Vector<Label>,
  on: readonly (Label & Right)[],
  right: Vector<Right>,
): Vector<Label> {
  return { text: `${left.text} unless on (${on.join(", ")}) (${right.text})` };
}

/** The left, and what of the right it does not have. */
export function or<Label extends string>(
  left: Vector<Label>,
  right: Vector<NoInfer<Label>>,
): Vector<Label> {
  return { text: `${left.text} or ${right.text}` };
}

/** Mean over a time that ended a while ago. */
export function average<Label extends string>(
  { text }: Vector<Label>,
  time: string,
  ago: string,
): Vector<Label> {
  return { text: `avg_over_time(${text}[${time}] offset ${ago})` };
}

/** In brackets, where something that binds more tightly follows. */
export function grouped<Label extends string>({ text }: Vector<Label>): Vector<Label> {
  return { text: `(${text})` };
}

/** One series without labels while the vector is empty. */
export function absent({ text }: Text): Vector<never> {
  return { text: `absent(${text})` };
}

/** Time since a moment in seconds since 1970. */
export function age<Label extends string>({ text }: Vector<Label>): Vector<Label> {
  return { text: `time() - ${text}` };
}
