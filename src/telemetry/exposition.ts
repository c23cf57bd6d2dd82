/** The two texts that Prometheus reads: its own format 0.0.4, and OpenMetrics 1.0 with exemplars. */
import type { Family } from "./family.ts";
import type { Exemplar, Recorder } from "./recorder.ts";

const TOTAL = "_total";
const UNITS = ["seconds", "bytes"];

/** What differs between the formats. */
interface Format {
  /** Name that the lines about a family carry. */
  familyName(family: Family): string;
  /** Lines before the samples, without HELP and TYPE. */
  unit(name: string): string;
  help(text: string): string;
  exemplar(exemplar: Exemplar | undefined): string;
}

const PROMETHEUS: Format = {
  familyName: ({ name }) => name,
  unit: () => "",
  help: (text) => text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n"),
  exemplar: () => "",
};

const OPEN_METRICS: Format = {
  familyName: ({ name, kind }) => kind === "counter" ? name.slice(0, -TOTAL.length) : name,
  unit: (name) => {
    const unit = UNITS.find((known) => name.endsWith(`_${known}`));
    return unit === undefined ? "" : `# UNIT ${name} ${unit}\n`;
  },
  help: escapeValue,
  exemplar: (found) => {
    if (found === undefined) return "";
    const { request, trace, value } = found;
    const also = trace === undefined ? "" : `,trace_id="${escapeValue(trace)}"`;
    return ` # {request_id="${escapeValue(request)}"${also}} ${numberText(value)}`;
  },
};

/** Text format 0.0.4. */
export function renderPrometheus(families: Iterable<Family>): string {
  return render(families, PROMETHEUS);
}

/** OpenMetrics 1.0. */
export function renderOpenMetrics(families: Iterable<Family>): string {
  return `${render(families, OPEN_METRICS)}# EOF\n`;
}

function render(families: Iterable<Family>, format: Format): string {
  let text = "";
  for (const family of families) {
    const name = format.familyName(family);
    text += `# TYPE ${name} ${family.kind}\n${format.unit(name)}` +
      `# HELP ${name} ${format.help(family.help)}\n`;
    for (const recorder of family.series) {
      text += family.kind === "histogram"
        ? histogram(family, recorder, format)
        : `${family.name}${braced(labelText(recorder))} ${numberText(recorder.value)}\n`;
    }
  }
  return text;
}

function histogram({ name, bounds }: Family, recorder: Recorder, format: Format): string {
  const labels = labelText(recorder);
  const start = `${name}_bucket{${labels}${labels === "" ? "" : ","}le="`;
  let text = "";
  let count = 0;
  for (const [bucket, own] of recorder.counts.entries()) {
    count += own;
    const exemplar = format.exemplar(recorder.exemplar(bucket));
    text += `${start}${boundText(bounds[bucket])}"} ${count}${exemplar}\n`;
  }
  return text + `${name}_count${braced(labels)} ${count}\n` +
    `${name}_sum${braced(labels)} ${numberText(recorder.value)}\n`;
}

/** A label without a value is the same as no label. */
function labelText({ labels }: Recorder): string {
  const parts: string[] = [];
  for (const label in labels) {
    const value = labels[label] as string;
    if (value !== "") parts.push(`${label}="${escapeValue(value)}"`);
  }
  return parts.join(",");
}

function braced(labels: string): string {
  return labels === "" ? "" : `{${labels}}`;
}

/** With a fraction in both formats: the same series must not get another name by negotiation. */
function boundText(bound: number | undefined): string {
  if (bound === undefined) return "+Inf";
  return Number.isInteger(bound) ? `${bound}.0` : String(bound);
}

function numberText(value: number): string {
  if (value === Infinity) return "+Inf";
  return value === -Infinity ? "-Inf" : String(value);
}

// deno-lint-ignore no-control-regex -- control characters are what is looked for
const SPECIAL = /[\\"\u0000-\u001f\u007f]/;
// deno-lint-ignore no-control-regex -- control characters are what is looked for
const CONTROL = /[\u0000-\u0009\u000b-\u001f\u007f]/g;

/** What stands between quotes; control characters but the line feed have no escape and are replaced. */
function escapeValue(value: string): string {
  const text = value.toWellFormed();
  if (!SPECIAL.test(text)) return text;
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")
    .replace(CONTROL, "\ufffd");
}
