/** Reads queries of Prometheus without what they were written with, and says what in them is not shipped. */
import { METRICS } from "../../src/contract/metrics.ts";

const TOKEN =
  /"(?:[^"\\]|\\.)*"|\[[^\]]*\]|\d+(?:\.\d+)?(?:ms|[smhdwy])?|[a-zA-Z_:][\w:]*|[{}(),]|=~|!~|==|!=|[=<>+*/-]/y;
const OPERATORS = new Set(["and", "or", "unless", "offset", "bool"]);
const GROUPINGS = new Set(["by", "without", "on", "ignoring", "group_left", "group_right"]);
const FUNCTIONS = new Set([
  "absent",
  "avg_over_time",
  "changes",
  "count",
  "histogram_quantile",
  "increase",
  "max",
  "max_over_time",
  "rate",
  "sum",
  "time",
  "topk",
]);
const TARGET = ["job", "instance"];

interface Metric {
  readonly kind: string;
  readonly labels: readonly string[];
}

/** Labels of every series the gateway serves, by the name of its samples. */
const SHIPPED: ReadonlyMap<string, readonly string[]> = new Map([
  ["up", TARGET],
  ...Object.entries<Metric>(METRICS).flatMap(([name, { kind, labels }]) =>
    samplesOf(name, kind, labels)
  ),
]);
const ALL_LABELS = [...SHIPPED.values()].flat();

function samplesOf(
  name: string,
  kind: string,
  labels: readonly string[],
): readonly (readonly [string, readonly string[]])[] {
  const all = [...TARGET, ...labels];
  if (kind !== "histogram") return [[name, all]];
  return [[`${name}_bucket`, [...all, "le"]], [`${name}_count`, all], [`${name}_sum`, all]];
}

/** What a query asks for and nobody serves; `recorded`: names that rules record. */
export function problemsIn(query: string, recorded: ReadonlySet<string> = new Set()): string[] {
  const reader = new Reader(tokensOf(query), recorded);
  return reader.read();
}

function tokensOf(query: string): string[] {
  const tokens: string[] = [];
  let rest = query.trimStart();
  while (rest !== "") {
    TOKEN.lastIndex = 0;
    const [token] = TOKEN.exec(rest) ?? [];
    if (token === undefined) throw new Error(`Cannot read query: "${rest.slice(0, 40)}"`);
    tokens.push(token);
    rest = rest.slice(token.length).trimStart();
  }
  return tokens;
}

class Reader {
  readonly #tokens: readonly string[];
  readonly #recorded: ReadonlySet<string>;
  readonly #problems: string[] = [];
  /** Labels by which anything is grouped; they must belong to some metric of the query. */
  readonly #grouped: string[] = [];
  readonly #known: string[] = [];
  #at = 0;

  constructor(tokens: readonly string[], recorded: ReadonlySet<string>) {
    this.#tokens = tokens;
    this.#recorded = recorded;
  }

  read(): string[] {
    while (this.#at < this.#tokens.length) this.#take();
    const strange = this.#grouped.filter((label) => !this.#known.includes(label));
    return [...this.#problems, ...strange.map((label) => `grouped by ${label}`)];
  }

  #take(): void {
    const token = this.#tokens[this.#at++] ?? "";
    if (!/^[a-zA-Z_:]/.test(token) || OPERATORS.has(token)) return;
    if (GROUPINGS.has(token)) return void this.#grouped.push(...this.#until("(", ")"));
    if (this.#tokens[this.#at] === "(" || FUNCTIONS.has(token)) {
      if (!FUNCTIONS.has(token)) this.#problems.push(`function ${token}`);
      return;
    }
    this.#metric(token);
  }

  #metric(name: string): void {
    const labels = this.#recorded.has(name) ? ALL_LABELS : SHIPPED.get(name);
    if (labels === undefined) this.#problems.push(`metric ${name}`);
    this.#known.push(...labels ?? []);
    if (this.#tokens[this.#at] !== "{") return;
    for (const label of this.#until("{", "}")) {
      if (labels !== undefined && !labels.includes(label)) {
        this.#problems.push(`label ${label} of ${name}`);
      }
    }
  }

  /** Names between two brackets; values are texts. */
  #until(open: string, close: string): string[] {
    if (this.#tokens[this.#at] !== open) throw new Error(`Cannot read query: "${open}" is missing`);
    const names: string[] = [];
    while (this.#tokens[++this.#at] !== close) {
      const token = this.#tokens[this.#at];
      if (token === undefined) throw new Error(`Cannot read query: "${close}" is missing`);
      if (/^[a-zA-Z_]/.test(token)) names.push(token);
    }
    this.#at++;
    return names;
  }
}
