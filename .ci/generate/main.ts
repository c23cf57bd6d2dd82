/**
 * Writes the generated pages of `docs/` and files of `deploy/`; with `--check` it only compares and fails on a
 * difference.
 */
import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { ROOT } from "../../tests/arch/source_files.ts";
import { alertsTable, GUIDE, rulesFile } from "./alerts/file.ts";
import { bridgeMatrixPage } from "./bridge_page.ts";
import { cliPage, cliSchemaFile } from "./cli_page.ts";
import { configPage, schemaFile } from "./config_pages.ts";
import { errorsPage, eventsPage, metricsPage } from "./contract_pages.ts";
import { dashboardFile } from "./grafana/dashboard.ts";
import { layersTable } from "./layers_table.ts";
import { limitsPage } from "./limits_page.ts";
import { managementPage, openapiFile } from "./management_page.ts";
import { promisesPage } from "./promises_page.ts";
import { requirementsPage } from "./requirements_page.ts";
import { operationsPage, statusPage } from "./state_pages.ts";

const PAGES: Readonly<Record<string, () => string | Promise<string>>> = {
  "deploy/grafana/dashboards/mcp-sentinel.json": dashboardFile,
  "deploy/prometheus/mcp-sentinel.rules.yml": rulesFile,
  "docs/architecture.md": () => replacePart("docs/architecture.md", "layers", layersTable()),
  "docs/bridge_matrix.md": bridgeMatrixPage,
  "docs/cli.md": cliPage,
  "docs/cli.schema.json": cliSchemaFile,
  "docs/config.md": configPage,
  "docs/errors.md": errorsPage,
  "docs/events.md": eventsPage,
  "docs/limits.md": limitsPage,
  "docs/management.md": managementPage,
  "docs/metrics.md": metricsPage,
  "docs/openapi.json": openapiFile,
  [GUIDE]: () => replacePart(GUIDE, "alerts", alertsTable()),
  "docs/operations.md": operationsPage,
  "docs/promises.md": promisesPage,
  "docs/requirements.md": requirementsPage,
  "docs/sentinel.schema.json": schemaFile,
  "docs/status.md": statusPage,
};

const check = process.argv.includes("--check");
let failed = 0;
for (const [path, render] of Object.entries(PAGES)) {
  const problem = await update(path, render).catch((cause: unknown) => String(cause));
  if (problem === undefined) continue;
  failed++;
  console.log(`${path}: ${problem}`);
}
console.log(`${Object.keys(PAGES).length} pages, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

async function update(
  path: string,
  render: () => string | Promise<string>,
): Promise<string | undefined> {
  const wanted = await render();
  if (wanted === read(path)) return undefined;
  if (check) return "differs from what `npm run docs` writes";
  writeFileSync(ROOT + path, wanted);
  return undefined;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(ROOT + path, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw cause;
  }
}

/** A hand-written page with one generated part between two marks. */
function replacePart(path: string, name: string, part: string): string {
  const text = read(path) ?? "";
  const [begin, end] = [`<!-- ${name}: begin -->\n`, `\n<!-- ${name}: end -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`Cannot find the marks of "${name}"`);
  return text.slice(0, from + begin.length) + part + text.slice(to);
}
