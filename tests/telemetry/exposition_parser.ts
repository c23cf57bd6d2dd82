/** A strict reader of both exposition formats: whatever a lenient scraper would let pass is an error here. */

export type Format = "prometheus" | "openmetrics";

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  readonly exemplar:
    | { readonly labels: Readonly<Record<string, string>>; readonly value: number }
    | undefined;
}

export interface ParsedFamily {
  readonly type: string;
  help: string | undefined;
  unit: string | undefined;
  readonly samples: Sample[];
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const META = /^# (TYPE|HELP|UNIT) ([^ ]+) (.+)$/;
const NUMBER = /^(?:[+-]Inf|NaN|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"([,}])/y;
const SUFFIXES = { counter: [""], gauge: [""], histogram: ["_bucket", "_count", "_sum"] } as const;

/** @throws Error that names the line, at the first thing that is not exactly as the format wants it */
export function parseExposition(text: string, format: Format): Map<string, ParsedFamily> {
  const families = new Map<string, ParsedFamily>();
  const seen = new Set<string>();
  let current: string | undefined;
  for (const [index, line] of linesOf(text, format).entries()) {
    const fail = (why: string): never => {
      throw new Error(`line ${index + 1}: ${why}: ${line.slice(0, 300)}`);
    };
    const meta = META.exec(line);
    if (meta !== null) current = takeMeta(families, { meta, current, format, fail });
    else {
      const family = families.get(current ?? fail("a sample without a family"));
      if (family === undefined) throw new Error("unreachable");
      const sample = readSample(line, fail);
      checkName(sample, { family, name: current as string, format, fail });
      const key = `${sample.name}${JSON.stringify(Object.entries(sample.labels).sort())}`;
      if (seen.has(key)) fail("the series is there twice");
      seen.add(key);
      if (sample.exemplar !== undefined) checkExemplar(sample, { family, format, fail });
      family.samples.push(sample);
    }
  }
  for (const [name, family] of families) {
    if (family.help === undefined) throw new Error(`${name} has no help`);
    if (family.type === "histogram") checkHistogram(name, family.samples);
  }
  return families;
}

type Fail = (why: string) => never;

function linesOf(text: string, format: Format): string[] {
  if (!text.endsWith("\n")) throw new Error("the text does not end with a line feed");
  if (!text.isWellFormed()) throw new Error("the text is not well-formed Unicode");
  // deno-lint-ignore no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u0009\u000b-\u001f]/.test(text)) throw new Error("there are control characters");
  const lines = text.slice(0, -1).split("\n");
  const ends = lines.filter((line) => line === "# EOF").length;
  if (format === "prometheus") {
    if (ends > 0) throw new Error("EOF belongs to OpenMetrics");
    return lines;
  }
  if (ends !== 1 || lines.at(-1) !== "# EOF") throw new Error("EOF is not the one last line");
  return lines.slice(0, -1);
}

interface MetaLine {
  readonly meta: RegExpExecArray;
  readonly current: string | undefined;
  readonly format: Format;
  readonly fail: Fail;
}

function takeMeta(
  families: Map<string, ParsedFamily>,
  { meta, current, format, fail }: MetaLine,
): string {
  const [, keyword, name = "", rest = ""] = meta;
  if (!NAME.test(name)) fail("the name is none");
  if (keyword === "TYPE") {
    if (families.has(name)) fail("the family is there twice");
    if (!Object.hasOwn(SUFFIXES, rest)) fail("the type is unknown");
    families.set(name, { type: rest, help: undefined, unit: undefined, samples: [] });
    return name;
  }
  const family = families.get(name);
  if (family === undefined || name !== current) return fail("it does not follow its TYPE");
  if (family.samples.length > 0) fail("it stands behind samples");
  if (keyword === "HELP") {
    if (family.help !== undefined) fail("HELP is there twice");
    family.help = rest;
  } else {
    if (format !== "openmetrics") fail("UNIT belongs to OpenMetrics");
    if (!name.endsWith(`_${rest}`)) fail("the unit is not the end of the name");
    family.unit = rest;
  }
  return name;
}

function readSample(line: string, fail: Fail): Sample {
  // Label values may contain anything, so the braces are matched by reading them.
  const name = /^[^ {]*/.exec(line)?.[0] ?? "";
  if (!NAME.test(name)) fail("it is no sample");
  const isLabelled = line[name.length] === "{";
  const { labels, end } = isLabelled
    ? readLabels(line, name.length + 1, fail)
    : { labels: {}, end: name.length };
  const [value, exemplar] = splitExemplar(line.slice(end), fail);
  return { name, labels, value: readNumber(value, fail), exemplar };
}

function splitExemplar(rest: string, fail: Fail): [string, Sample["exemplar"]] {
  if (!rest.startsWith(" ")) fail("no single space before the value");
  const at = rest.indexOf(" # ");
  if (at === -1) return [rest.slice(1), undefined];
  if (rest[at + 3] !== "{") fail("the exemplar has no labels");
  const { labels, end } = readLabels(rest, at + 4, fail);
  const value = readNumber(rest.slice(end + 1), fail);
  return [rest.slice(1, at), { labels, value }];
}

function readLabels(line: string, start: number, fail: Fail) {
  const labels: Record<string, string> = {};
  let at = start;
  for (;;) {
    LABEL.lastIndex = at;
    const found = LABEL.exec(line) ?? fail("the labels cannot be read");
    const [, name = "", value = "", after] = found;
    if (Object.hasOwn(labels, name)) fail("a label is there twice");
    if (value === "") fail("an empty label");
    labels[name] = value.replace(/\\(.)/g, (_all, char: string) => char === "n" ? "\n" : char);
    at = LABEL.lastIndex;
    if (after === "}") return { labels, end: at };
  }
}

function readNumber(text: string, fail: Fail): number {
  if (!NUMBER.test(text)) fail(`"${text}" is no number`);
  return text.endsWith("Inf") ? (text.startsWith("-") ? -Infinity : Infinity) : Number(text);
}

interface Place {
  readonly family: ParsedFamily;
  readonly format: Format;
  readonly fail: Fail;
}

function checkName(
  { name, labels, value }: Sample,
  { family, format, fail, name: familyName }: Place & { readonly name: string },
): void {
  const isTotal = family.type === "counter" && format === "openmetrics";
  if (isTotal && familyName.endsWith("_total")) fail("a counter's family must not end with _total");
  const suffixes: readonly string[] = isTotal
    ? ["_total"]
    : SUFFIXES[family.type as keyof typeof SUFFIXES];
  if (!suffixes.some((suffix) => name === familyName + suffix)) fail("it is of another family");
  if (name.endsWith("_bucket") !== Object.hasOwn(labels, "le")) fail("le belongs to buckets alone");
  if (Object.hasOwn(labels, "le") && !/[.I]/.test(labels["le"] as string)) {
    fail("le is no canonical float");
  }
  if (family.type !== "gauge" && !(value >= 0)) fail("it counts below zero");
}

function checkExemplar(
  { name, labels, exemplar }: Sample,
  { format, fail }: Place,
): void {
  if (exemplar === undefined) return;
  if (format !== "openmetrics") fail("exemplars belong to OpenMetrics");
  if (!name.endsWith("_bucket")) fail("an exemplar outside of a bucket");
  const length = Object.entries(exemplar.labels).flat().join("").length;
  if (length > 128) fail("the exemplar's labels are too long");
  if (exemplar.value > Number(labels["le"]?.replace("+Inf", "Infinity"))) {
    fail("the exemplar is not of this bucket");
  }
}

function checkHistogram(name: string, samples: readonly Sample[]): void {
  const groups = Map.groupBy(samples, ({ labels }) => {
    const { le: _, ...rest } = labels;
    return JSON.stringify(Object.entries(rest).sort());
  });
  for (const [key, group] of groups) {
    const buckets = group.filter((sample) => sample.name === `${name}_bucket`);
    const bounds = buckets.map(({ labels }) => Number(labels["le"]?.replace("+Inf", "Infinity")));
    const rises = (numbers: readonly number[], strictly: boolean) =>
      numbers.every((number, index) =>
        index === 0 || number > (numbers[index - 1] as number) ||
        (!strictly && number === numbers[index - 1])
      );
    const counts = buckets.map(({ value }) => value);
    const count = group.find((sample) => sample.name === `${name}_count`)?.value;
    const sum = group.find((sample) => sample.name === `${name}_sum`)?.value;
    const isWhole = bounds.at(-1) === Infinity && rises(bounds, true) && rises(counts, false) &&
      counts.at(-1) === count && sum !== undefined;
    if (!isWhole) throw new Error(`${name}${key} is no histogram`);
  }
}
