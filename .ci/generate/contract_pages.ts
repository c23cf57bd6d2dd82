/** Reference pages of the tables in `src/contract`. */
import { ERRORS, EVENTS, METRICS } from "../../src/contract/mod.ts";
import { CALL_OUTCOMES, LABEL_CAPS, OTHER } from "../../src/contract/metrics.ts";
import { code, page, table } from "./markdown.ts";

export function errorsPage(): string {
  const rows = Object.entries(ERRORS).map(([name, row]) => [
    `[${code(name)}](#${name.toLowerCase()})`,
    String(row.code),
    String(row.http),
    row.fault,
  ]);
  const details = Object.entries(ERRORS).map(([name, { meaning, remedy }]) =>
    `## ${name}\n\n${meaning}\n\n**What to do:** ${remedy}`
  );
  return page(
    "Errors",
    "Every error the gateway answers. Several share a JSON-RPC code, so the stable name is in " +
      "`error.data.code`; `error.data.request` is the id of the call, the same as in the log. " +
      "Further members of `data`, where known: `backend`, `reason`, `retryAfterMs`, `executed` " +
      "(`no` or `unknown`: whether the backend may have run the call). The HTTP status is the " +
      "one of a refusal before the message is answered; 200 means that the error is an ordinary " +
      "JSON-RPC answer. The [management API](management.md) answers the same names in " +
      "`error.code`, with 400 where the table has 200.",
    table(["name", "code", "HTTP", "whose fault"], rows),
    ...details,
  );
}

export function eventsPage(): string {
  const rows = Object.entries(EVENTS).map(([name, row]) => [
    code(name),
    row.severity,
    "kept" in row ? "no" : "yes",
    row.meaning,
  ]);
  return page(
    "Events",
    "What the gateway reports, under the same names in its log. What is kept has a cursor and can " +
      "be read and followed over the [management API](management.md), also after a restart; the " +
      "rest stands in the log only.",
    table(["event", "severity", "kept", "meaning"], rows),
  );
}

interface Metric {
  readonly kind: string;
  readonly help: string;
  readonly labels: readonly string[];
  readonly values?: Readonly<Record<string, readonly string[]>>;
  readonly buckets?: readonly number[];
}

export function metricsPage(): string {
  const metrics = Object.entries<Metric>(METRICS);
  const outcomes = Object.entries(CALL_OUTCOMES).map(([name, meaning]) => [code(name), meaning]);
  return page(
    "Metrics",
    "What the gateway counts, served as `GET /metrics` by the [management API](management.md) in " +
      "the format `Accept` asks for: OpenMetrics 1.0 or Prometheus text 0.0.4. Names and labels " +
      "are a promise to dashboards.",
    table(["metric", "kind", "labels", "meaning"], metrics.map(metricRow)),
    "## Labels with fixed values",
    "Their series are there from the start, so that rates and alerts work from zero.",
    table(["metric", "label", "values"], metrics.flatMap(labelRows)),
    "## Open labels",
    `Beyond so many distinct values within one metric a value is counted as ${
      code(OTHER)
    }; names ` +
      "of tools that are not in the catalog always are.",
    table(["label", "values"], Object.entries(LABEL_CAPS).map(capRow)),
    "## Outcomes of a call",
    `The values of ${code("sentinel_outcome")}.`,
    table(["outcome", "meaning"], outcomes),
  );
}

function metricRow([name, { kind, help, labels, buckets }]: [string, Metric]): string[] {
  const bounds = buckets === undefined ? "" : ` Buckets: ${buckets.join(", ")}.`;
  return [code(name), kind, labels.map(code).join(", "), help + bounds];
}

function labelRows([name, { values = {} }]: [string, Metric]): string[][] {
  return Object.entries(values).map(([label, all]) => [
    code(name),
    code(label),
    all.map(code).join(", "),
  ]);
}

function capRow([label, cap]: [string, number]): string[] {
  return [label === "default" ? "every other open label" : code(label), String(cap)];
}
