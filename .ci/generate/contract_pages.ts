/** Reference pages of the tables in `src/contract`. */
import { BACKEND_STATES, ERRORS, EVENTS, METRICS, RUNTIME_STATES } from "../../src/contract/mod.ts";
import { readSource } from "../../tests/arch/source_files.ts";
import { interfacesOf } from "./interfaces.ts";
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
      "JSON-RPC answer.",
    table(["name", "code", "HTTP", "whose fault"], rows),
    ...details,
  );
}

export function eventsPage(): string {
  const rows = Object.entries(EVENTS).map(([name, { severity, meaning }]) => [
    code(name),
    severity,
    meaning,
  ]);
  return page(
    "Events",
    "What the gateway reports, under the same names in its log.",
    table(["event", "severity", "meaning"], rows),
  );
}

export function metricsPage(): string {
  const rows = Object.entries(METRICS).map(([name, metric]) => [
    code(name),
    metric.kind,
    metric.labels.map(code).join(", "),
    metric.help + ("buckets" in metric ? ` Buckets: ${metric.buckets.join(", ")}.` : ""),
  ]);
  return page(
    "Metrics",
    "What the gateway counts. Names and labels are a promise to dashboards.",
    table(["metric", "kind", "labels", "meaning"], rows),
  );
}

export function statusPage(): string {
  const states = Object.entries(BACKEND_STATES).map(([name, meaning]) => [code(name), meaning]);
  const file = "src/contract/status.ts";
  const shapes = interfacesOf(file, readSource(file)).map(({ name, doc, fields }) => {
    const rows = fields.map((field) => [code(field.name), code(field.type), field.doc]);
    return [`## ${name}`, doc, table(["field", "type", "meaning"], rows)].filter(Boolean)
      .join("\n\n");
  });
  return page(
    "Status",
    "The snapshot of a running gateway: plain JSON. `revision` grows with every visible change.",
    `States of the gateway: ${Object.keys(RUNTIME_STATES).map(code).join(", ")}.`,
    "## States of a backend",
    table(["state", "meaning"], states),
    ...shapes,
  );
}
