import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it, test } from "node:test";
import { inFolder } from "../support/temporary_folder.ts";
import { problemsIn } from "./promql_reader.ts";
import {
  allRules,
  dashboard,
  dashboardQueries,
  HAS_PROMETHEUS,
  promtool,
  recordedNames,
  RULES,
  SCRAPES,
} from "./shipped.ts";

const WITH_PROMETHEUS = { skip: !HAS_PROMETHEUS };
const ROWS = [
  "Now",
  "Calls by backend",
  "Tools",
  "Backends",
  "Policy",
  "Catalog",
  "Sessions and streams",
  "Audit and control plane",
  "Process",
];

describe("queries of dashboard and rules", () => {
  it("use only metrics and labels that are shipped", () => {
    const queries = [
      ...dashboardQueries(),
      ...allRules().map(({ expr }) => ({ of: RULES, text: expr })),
    ];
    assert.ok(queries.length >= 80, `saw only ${queries.length} queries`);
    const recorded = recordedNames();
    for (const { of, text } of queries) assert.deepEqual(problemsIn(text, recorded), [], of);
  });

  it("are found out when they use others", () => {
    const wrong: readonly (readonly [string, readonly string[]])[] = [
      ["sum(rate(sentinel_calls_total[5m]))", ["metric sentinel_calls_total"]],
      ['sentinel_backend_up{backend="a"}', ["label backend of sentinel_backend_up"]],
      ["sum by (tool) (sentinel_backend_up)", ["grouped by tool"]],
      ["sentinel_gateway_overhead_seconds", ["metric sentinel_gateway_overhead_seconds"]],
      ["sum by (le) (sentinel_gateway_overhead_seconds_count)", ["grouped by le"]],
      ["deriv(process_open_fds[5m])", ["function deriv"]],
      ["up and on (sentinel_backend) (up)", ["grouped by sentinel_backend"]],
      ["job:other:rate5m > 1", ["metric job:other:rate5m"]],
    ];
    for (const [query, problems] of wrong) assert.deepEqual(problemsIn(query), problems);
  });

  test("are what Prometheus itself can read", WITH_PROMETHEUS, () =>
    inFolder(async (folder) => {
      const rules = dashboardQueries().map(({ text }, index) => ({
        record: `panel:query:${index}`,
        expr: text,
      }));
      const file = join(folder, "panels.yml");
      await writeFile(file, JSON.stringify({ groups: [{ name: "panels", rules }] }));
      for (const [path, count] of [[file, rules.length], [RULES, allRules().length]] as const) {
        const { status, said } = promtool(["check", "rules", "--lint=all", "--lint-fatal", path]);
        assert.equal(status, 0, said);
        assert.match(said, new RegExp(`SUCCESS: ${count} rules found`));
      }
    }));

  test("are evaluated by the Prometheus that is shipped", WITH_PROMETHEUS, () => {
    const { status, said } = promtool(["check", "config", "--syntax-only", SCRAPES]);
    assert.equal(status, 0, said);
    assert.match(said, /SUCCESS/);
  });
});

describe("dashboard", () => {
  const { panels, templating } = dashboard();

  it("has the rows of the guide, in order, and panels in each", () => {
    const rows = panels.filter(({ type }) => type === "row");
    assert.deepEqual(rows.map(({ title }) => title), ROWS);
    const kinds = panels.map(({ type }) => type === "row");
    assert.ok(kinds.every((isRow, index) => !isRow || kinds[index + 1] === false), "an empty row");
  });

  it("has panels of different ids that do not overlap", () => {
    assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
    const taken = new Map<string, string>();
    for (const { title, gridPos: { x, y, w, h } } of panels) {
      assert.ok(x + w <= 24, `${title} is too wide`);
      for (let column = x; column < x + w; column++) {
        for (let line = y; line < y + h; line++) {
          assert.equal(taken.get(`${column} ${line}`), undefined, title);
          taken.set(`${column} ${line}`, title);
        }
      }
    }
  });

  it("says of every panel what it shows, and takes its data from the chosen source", () => {
    for (const { type, title, description, datasource, targets } of panels) {
      if (type === "row") continue;
      assert.ok((description ?? "").length > 5, title);
      assert.equal(datasource?.uid, "${datasource}", title);
      assert.ok((targets ?? []).length > 0, title);
    }
  });

  it("knows every variable that its queries use", () => {
    const known = new Set(templating.list.map(({ name }) => name));
    assert.deepEqual([...known], ["datasource", "job", "instance", "backend", "tool"]);
    const texts = [
      ...panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
      ...templating.list.map(({ definition = "" }) => definition),
    ];
    const used = new Set(texts.flatMap((text) => text.match(/\$[a-z_]+/g) ?? []));
    for (const builtin of ["$__rate_interval", "$__range"]) used.delete(builtin);
    assert.deepEqual([...used].sort(), ["$backend", "$instance", "$job", "$tool"]);
  });

  it("has legends that name only labels the query keeps", () => {
    for (const { title, targets = [] } of panels) {
      for (const { expr, legendFormat = "" } of targets) {
        for (const [, label = ""] of legendFormat.matchAll(/\{\{(\w+)\}\}/g)) {
          assert.match(expr, new RegExp(`by \\((?:\\w+, )*${label}[,)]`), `${title}: ${label}`);
        }
      }
    }
  });
});
