/** Panels of a dashboard: what they show, and how Grafana writes that. */
import type { Vector } from "../promql.ts";

/** Units by Grafana's names. */
export type Unit =
  | "short"
  | "percentunit"
  | "s"
  | "bytes"
  | "reqps"
  | "ops"
  | "dateTimeFromNow";

/** A value from which on something is amiss, and how much. */
export interface Threshold {
  readonly from: number;
  readonly color: "green" | "yellow" | "red";
}

export interface Query {
  readonly expression: string;
  /** Labels in `{{…}}`; default: Grafana's choice. */
  readonly legend?: string;
}

interface Shared {
  readonly title: string;
  /** What it shows and when to worry; stands behind the mark in its corner. */
  readonly about: string;
  readonly queries: readonly Query[];
  readonly unit?: Unit;
  /** Of 24 columns. */
  readonly width: number;
}

export type Panel =
  | (Shared & { readonly kind: "stat"; readonly thresholds?: readonly Threshold[] })
  | (Shared & { readonly kind: "lines"; readonly stacked?: true })
  | (Shared & { readonly kind: "heatmap" })
  | (Shared & { readonly kind: "trends" })
  | (Shared & { readonly kind: "states"; readonly states: readonly State[] })
  | (Shared & { readonly kind: "stateStat"; readonly states: readonly State[] });

/** What a number of a state stands for. */
export interface State {
  readonly name: string;
  readonly color: "green" | "yellow" | "orange" | "red" | "blue" | "text";
}

/** A query, with the labels that its legend may name. */
export function query<Label extends string>(
  { text }: Vector<Label>,
  ...legend: readonly NoInfer<Label>[]
): Query {
  if (legend.length === 0) return { expression: text };
  return { expression: text, legend: legend.map((label) => `{{${label}}}`).join(" ") };
}

/** The same with a word of its own instead of labels. */
export function named(legend: string, { text }: { readonly text: string }): Query {
  return { expression: text, legend };
}

const DATASOURCE = { type: "prometheus", uid: "${datasource}" } as const;

/** Rows of the grid that a panel takes. */
export function heightOf({ kind }: Panel): number {
  if (kind === "stat" || kind === "stateStat") return 4;
  return kind === "trends" ? 10 : 8;
}

/** The panel without its place, as Grafana keeps it. */
export function panelJson(panel: Panel): Readonly<Record<string, unknown>> {
  const { title, about, queries } = panel;
  return {
    type: TYPES[panel.kind],
    title,
    description: about,
    datasource: DATASOURCE,
    targets: queries.map((one, index) => targetJson(one, panel, index)),
    ...looks(panel),
  };
}

const TYPES = {
  stat: "stat",
  stateStat: "stat",
  lines: "timeseries",
  heatmap: "heatmap",
  trends: "table",
  states: "state-timeline",
} as const satisfies Record<Panel["kind"], string>;

function targetJson({ expression, legend }: Query, { kind }: Panel, index: number) {
  const instant = kind === "stat" || kind === "stateStat";
  return {
    refId: String.fromCharCode("A".charCodeAt(0) + index),
    datasource: DATASOURCE,
    expr: expression,
    ...(legend === undefined ? {} : { legendFormat: legend }),
    ...(kind === "heatmap" ? { format: "heatmap" } : {}),
    exemplar: kind === "lines" || kind === "heatmap",
    instant,
    range: !instant,
  };
}

function looks(panel: Panel): Readonly<Record<string, unknown>> {
  const unit = panel.unit ?? "short";
  switch (panel.kind) {
    case "stat":
      return stat({ unit, noValue: "–", thresholds: steps(panel.thresholds ?? []) });
    case "stateStat":
      return stat({ noValue: "–", mappings: mappings(panel.states), thresholds: steps([]) });
    case "lines":
      return lines(unit, panel.stacked === true);
    case "heatmap":
      return {
        fieldConfig: { defaults: {}, overrides: [] },
        options: {
          calculate: false,
          yAxis: { unit },
          color: { mode: "scheme", scheme: "Oranges", steps: 64 },
        },
      };
    case "trends":
      return trends(unit);
    case "states":
      return {
        fieldConfig: {
          defaults: { custom: { fillOpacity: 80 }, mappings: mappings(panel.states) },
          overrides: [],
        },
        options: { showValue: "auto", mergeValues: true, legend: { showLegend: false } },
      };
  }
}

function stat(defaults: Readonly<Record<string, unknown>>) {
  return {
    fieldConfig: { defaults, overrides: [] },
    options: {
      reduceOptions: { calcs: ["lastNotNull"] },
      colorMode: "background",
      graphMode: "none",
      textMode: "auto",
    },
  };
}

function steps(thresholds: readonly Threshold[]) {
  const all = thresholds.map(({ from, color }) => ({ value: from, color }));
  return { mode: "absolute", steps: [{ value: null, color: "green" }, ...all] };
}

function mappings(states: readonly State[]) {
  const options = states.map(({ name, color }, index) =>
    [String(index), { text: name, color, index }] as const
  );
  return [{ type: "value", options: Object.fromEntries(options) }];
}

function lines(unit: Unit, stacked: boolean) {
  const stacking = stacked ? { stacking: { mode: "normal" }, fillOpacity: 40 } : { fillOpacity: 0 };
  return {
    fieldConfig: {
      defaults: { unit, min: 0, custom: { ...stacking, showPoints: "never", spanNulls: false } },
      overrides: [],
    },
    options: {
      legend: { displayMode: "table", placement: "bottom", calcs: ["mean", "max", "lastNotNull"] },
      tooltip: { mode: "multi", sort: "desc" },
    },
  };
}

/** A table with a small curve in each row. */
function trends(unit: Unit) {
  return {
    fieldConfig: {
      defaults: { unit },
      overrides: [{
        matcher: { id: "byRegexp", options: "Trend.*" },
        properties: [{ id: "custom.cellOptions", value: { type: "sparkline" } }],
      }],
    },
    options: { showHeader: true },
    transformations: [{ id: "timeSeriesTable", options: {} }],
  };
}
