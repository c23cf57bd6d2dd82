/** `deploy/grafana/dashboards/mcp-sentinel.json`: rows, variables and marks. */
import { compare, max, sum } from "../promql.ts";
import { heightOf, type Panel, panelJson } from "./panel.ts";
import { BACKENDS, CATALOG, POLICY } from "./rows_backends.ts";
import { BY_BACKEND, NOW, TOOLS } from "./rows_calls.ts";
import { PROCESS, RECORDS, SESSIONS } from "./rows_gateway.ts";
import { choices, jobs, series } from "./series.ts";

const ROWS: Readonly<Record<string, readonly Panel[]>> = {
  "Now": NOW,
  "Calls by backend": BY_BACKEND,
  "Tools": TOOLS,
  "Backends": BACKENDS,
  "Policy": POLICY,
  "Catalog": CATALOG,
  "Sessions and streams": SESSIONS,
  "Audit and control plane": RECORDS,
  "Process": PROCESS,
};

const COLUMNS = 24;
/** Read by Grafana 11 and later. */
const SCHEMA_VERSION = 39;
const DATASOURCE = { type: "prometheus", uid: "${datasource}" } as const;

export function dashboardFile(): string {
  const dashboard = {
    uid: "mcp-sentinel",
    title: "MCP Sentinel",
    description: "Written by `npm run docs`; change .ci/generate/grafana instead.",
    tags: ["mcp-sentinel"],
    schemaVersion: SCHEMA_VERSION,
    editable: true,
    graphTooltip: 1,
    time: { from: "now-1h", to: "now" },
    refresh: "30s",
    timezone: "browser",
    templating: { list: variables() },
    annotations: { list: annotations() },
    panels: placed(),
  };
  return `${JSON.stringify(dashboard, null, 2)}\n`;
}

interface Place {
  readonly x: number;
  readonly y: number;
}

/** Rows from above, panels from the left; a panel that does not fit begins a new line. */
function placed(): readonly unknown[] {
  const all: unknown[] = [];
  let y = 0;
  for (const [title, panels] of Object.entries(ROWS)) {
    all.push({ id: all.length + 1, type: "row", title, collapsed: false, panels: [], ...at(y) });
    y++;
    let x = 0;
    let height = 0;
    for (const panel of panels) {
      if (x + panel.width > COLUMNS) [x, y, height] = [0, y + height, 0];
      all.push({ id: all.length + 1, ...panelJson(panel), gridPos: gridOf(panel, { x, y }) });
      x += panel.width;
      height = Math.max(height, heightOf(panel));
    }
    y += height;
  }
  return all;
}

function at(y: number) {
  return { gridPos: { x: 0, y, w: COLUMNS, h: 1 } };
}

function gridOf(panel: Panel, place: Place) {
  return { ...place, w: panel.width, h: heightOf(panel) };
}

function variables(): readonly unknown[] {
  return [
    { name: "datasource", label: "Data source", type: "datasource", query: "prometheus" },
    chooser("job", jobs.labelValues("sentinel_build_info", "job")),
    chooser("instance", choices.labelValues("sentinel_build_info", "instance")),
    chooser("backend", choices.labelValues("sentinel_backend_up", "sentinel_backend")),
    chooser(
      "tool",
      choices.observedValues("mcp_server_operation_duration_seconds", "gen_ai_tool_name"),
    ),
  ];
}

/** All, none of them included: series without the label are shown too. */
function chooser(name: string, query: string) {
  return {
    name,
    label: name,
    type: "query",
    datasource: DATASOURCE,
    definition: query,
    query: { qryType: 1, query, refId: "PrometheusVariableQueryEditor-VariableQuery" },
    refresh: 2,
    sort: 1,
    multi: true,
    includeAll: true,
    allValue: ".*",
    current: { selected: true, text: ["All"], value: ["$__all"] },
  };
}

function annotations(): readonly unknown[] {
  const kills = compare(
    max(["instance", "scope"], series.gauge("sentinel_kill_switches_active")),
    ">",
    0,
  );
  const reloads = compare(
    sum(
      ["instance", "result"],
      series.over("1m").changes("sentinel_config_reloads_total", { result: { not: "unchanged" } }),
    ),
    ">",
    0,
  );
  const starts = compare(
    sum(["instance"], series.over("1m").changes("process_start_time_seconds")),
    ">",
    0,
  );
  return [
    mark("Kill switches", kills.text, { color: "red", text: "{{scope}} at {{instance}}" }),
    mark("Reloads", reloads.text, { color: "blue", text: "{{result}} at {{instance}}" }),
    mark("Starts", starts.text, { color: "yellow", text: "{{instance}}" }),
  ];
}

function mark(name: string, expr: string, look: { readonly color: string; readonly text: string }) {
  return {
    name,
    datasource: DATASOURCE,
    enable: true,
    iconColor: look.color,
    expr,
    step: "60s",
    titleFormat: name,
    textFormat: look.text,
  };
}
