/** Found servers as text for `sentinel.toml`, safe to print as well. */
import { visible, visibleJson } from "../text.ts";
import type { Found, FoundServer, FoundToolset } from "./found.ts";
import { titleOf } from "./merge.ts";

/** Longer tables get a header of their own. */
const WIDEST = 100;

type Pairs = Readonly<Record<string, string | readonly string[]>>;

/** A block for every server and toolset; empty when there is nothing. */
export function tomlOf({ servers, toolsets }: Pick<Found, "servers" | "toolsets">): string {
  return [...servers.map(serverBlock), ...toolsets.map(toolsetBlock)].join("\n");
}

function serverBlock({ name, backend, sources }: FoundServer): string {
  const header = `backends.${name}`;
  const places = sources.map(({ client, file, name: written }) => {
    const by = client === undefined ? file : `${titleOf(client)} (${file})`;
    return written === name ? by : `"${written}" of ${by}`;
  });
  const lines: string[] = [];
  const tables: string[] = [];
  for (const [key, value] of Object.entries(backend)) {
    const line = `${key} = ${tomlValue(value)}`;
    const isTable = typeof value === "object" && !Array.isArray(value);
    if (!isTable || line.length <= WIDEST) lines.push(line);
    else tables.push("", `[${header}.${key}]`, ...pairLines(value as Pairs));
  }
  const comment = `# from ${[...new Set(places)].join(", ")}`;
  return [visible(comment), `[${header}]`, ...lines, ...tables, ""].join("\n");
}

function toolsetBlock({ name, tools, about }: FoundToolset): string {
  const list = tomlValue(tools);
  const shown = list.length <= WIDEST
    ? [`tools = ${list}`]
    : ["tools = [", ...tools.map((tool) => `  ${tomlText(tool)},`), "]"];
  return [
    visible(`# ${about}`),
    `[toolsets.${name}]`,
    ...shown,
    "prompts = []",
    "resources = []",
    "",
  ].join("\n");
}

function pairLines(table: Pairs): string[] {
  return Object.entries(table).map(([key, value]) => `${tomlKey(key)} = ${tomlValue(value)}`);
}

function tomlValue(value: unknown): string {
  if (typeof value === "string") return tomlText(value);
  if (Array.isArray(value)) return `[${value.map(tomlValue).join(", ")}]`;
  if (typeof value !== "object" || value === null) return String(value);
  return `{ ${pairLines(value as Pairs).join(", ")} }`;
}

/** JSON's escapes are TOML's too; what a terminal would obey is escaped as well. */
function tomlText(text: string): string {
  return visibleJson(text.toWellFormed());
}

function tomlKey(key: string): string {
  return /^[A-Za-z0-9_-]+$/.test(key) ? key : tomlText(key);
}
