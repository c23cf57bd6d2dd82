/** `deploy/prometheus/mcp-sentinel.rules.yml`, and the overview of alerts in the guide. */
import { code, table } from "../markdown.ts";
import { type Yaml, yaml } from "../yaml.ts";
import type { Alert } from "./alert.ts";
import { RECORDINGS } from "./recordings.ts";
import { ALERTS } from "./table.ts";

/** Where each alert has a section with its name as heading. */
export const GUIDE = "docs/operating.md";

const HEAD = "# Written by `npm run docs`; change .ci/generate/alerts instead.\n" +
  "# Alerts are meant for one Prometheus that scrapes all gateways of a job.\n";

export function rulesFile(): string {
  const recordings = Object.entries(RECORDINGS).map(([record, { text }]) => ({
    record,
    expr: text,
  }));
  const groups = [
    { name: "mcp-sentinel-recordings", interval: "30s", rules: recordings },
    { name: "mcp-sentinel-alerts", interval: "30s", rules: Object.entries(ALERTS).map(ruleOf) },
  ];
  return HEAD + yaml({ groups });
}

function ruleOf([name, alert]: [string, Alert]): Yaml {
  const { expression, holds, severity, summary, description } = alert;
  return {
    alert: name,
    expr: expression,
    ...(holds === undefined ? {} : { for: holds }),
    labels: { severity },
    annotations: { summary, description, runbook: `${GUIDE}#${name.toLowerCase()}` },
  };
}

/** Of the guide: what there is, with links to the sections. */
export function alertsTable(): string {
  const rows = Object.entries(ALERTS).map(([name, { severity, holds, summary }]) => [
    `[${name}](#${name.toLowerCase()})`,
    severity,
    holds ?? "–",
    readable(summary),
  ]);
  return [
    table(["alert", "severity", "after", "says"], rows),
    `The rules, with ${code("severity")} as label, are ${
      link("deploy/prometheus/mcp-sentinel.rules.yml")
    }.`,
  ].join("\n\n");
}

/** Places for values as people know them. */
function readable(summary: string): string {
  return summary.replace(/\{\{ \$labels\.(\w+) \}\}/g, (_, label: string) => code(label));
}

function link(path: string): string {
  return `[${path}](../${path})`;
}
