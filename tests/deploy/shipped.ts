/** What operators get in `deploy`, as their own tools read it. */
import { spawnSync } from "node:child_process";
import { parse } from "yaml";
import { readSource, ROOT } from "../arch/source_files.ts";

export const RULES = "deploy/prometheus/mcp-sentinel.rules.yml";
export const SCRAPES = "deploy/prometheus/prometheus.yml";
const DASHBOARD = "deploy/grafana/dashboards/mcp-sentinel.json";

export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<"summary" | "description" | "runbook", string>>;
}

interface RecordingRule {
  readonly record: string;
  readonly expr: string;
}

type Rule = AlertRule | RecordingRule;

/** A file of YAML. */
// deno-lint-ignore no-explicit-any -- tests look into files of any shape
export function readYaml(file: string): any {
  return parse(readSource(file));
}

export function allRules(): readonly Rule[] {
  const { groups } = readYaml(RULES) as { groups: { rules: Rule[] }[] };
  return groups.flatMap(({ rules }) => rules);
}

export function alertRules(): readonly AlertRule[] {
  return allRules().filter((rule): rule is AlertRule => "alert" in rule);
}

export function recordedNames(): ReadonlySet<string> {
  return new Set(allRules().flatMap((rule) => "record" in rule ? rule.record : []));
}

export interface DashboardPanel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly datasource?: { readonly type: string; readonly uid: string };
  readonly gridPos: Readonly<Record<"x" | "y" | "w" | "h", number>>;
  readonly targets?: readonly { readonly expr: string; readonly legendFormat?: string }[];
}

interface Dashboard {
  readonly uid: string;
  readonly panels: readonly DashboardPanel[];
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly definition?: string }[];
  };
  readonly annotations: {
    readonly list: readonly { readonly name: string; readonly expr: string }[];
  };
}

export function dashboard(): Dashboard {
  return JSON.parse(readSource(DASHBOARD)) as Dashboard;
}

export interface NamedQuery {
  /** Title of the panel. */
  readonly of: string;
  /** As Prometheus gets it when everything is chosen. */
  readonly text: string;
}

/** Every query of the dashboard; `window` stands for the range that Grafana chooses. */
export function dashboardQueries(window = "5m"): readonly NamedQuery[] {
  const { panels, annotations } = dashboard();
  const written = [
    ...panels.flatMap(({ title, targets = [] }) =>
      targets.map(({ expr }) => ({ of: title, text: expr }))
    ),
    ...annotations.list.map(({ name, expr }) => ({ of: name, text: expr })),
  ];
  return written.map(({ of, text }) => ({ of, text: filledIn(text, window) }));
}

/** A query with Grafana's variables in place. */
function filledIn(text: string, window: string): string {
  return text.replace(/\$__(?:rate_interval|range)\b/g, window)
    .replace(/\$(?:job|instance|backend|tool)\b/g, ".*");
}

export interface Checked {
  readonly status: number | null;
  readonly said: string;
}

export function promtool(args: readonly string[], input = ""): Checked {
  const { status, stdout, stderr } = spawnSync("promtool", args, {
    cwd: ROOT,
    encoding: "utf8",
    input,
  });
  return { status, said: stdout + stderr };
}

/** False where Prometheus is not installed; CI has it. */
export const HAS_PROMETHEUS: boolean = spawnSync("promtool", ["--version"]).error === undefined;
