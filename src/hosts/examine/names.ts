/** Names of tools that grow too long once a client puts its own prefix before them (ux.md 0.8). */
import { tomlKey, tomlValue } from "../../config/toml.ts";
import type { Check } from "../../contract/diagnosis.ts";
import type { CatalogConfig, Config } from "../../contract/mod.ts";
import { compilePatterns } from "../../core/patterns.ts";
import { tableOf } from "./child_cures.ts";
import type { Greeted } from "./greeter.ts";

/** Names renamed in one cure. */
const MOST_RENAMES = 5;
/** Shorter names say nothing. */
const SHORTEST = 4;

/** A tool as clients see it. */
interface Tool {
  readonly original: string;
  /** As it would be without the bound of `max_name_length`. */
  readonly whole: string;
}

/** One row for each backend with names that are too long; one for all when there are none. */
export function nameChecks(config: Config, backends: readonly Greeted[]): readonly Check[] {
  const rows = backends.flatMap((greeted) => checkOf(config, greeted));
  if (rows.length > 0) return rows;
  const count = backends.reduce((sum, greeted) => sum + toolsOf(config.catalog, greeted).length, 0);
  if (count === 0) return [];
  const { catalog, server } = config;
  const prefix = clientPrefix(catalog, server.name);
  const place = prefix === "" ? "" : ` behind "${prefix}"`;
  const text = `${count === 1 ? "1 tool has a name" : `${count} tools have names`} of at most ` +
    `${catalog.max_name_length} characters${place}`;
  return [{ section: "names", level: "ok", text }];
}

function checkOf({ catalog, server }: Config, greeted: Greeted): readonly Check[] {
  const prefix = clientPrefix(catalog, server.name);
  const tools = toolsOf(catalog, greeted);
  const over = tools.filter(({ whole }) => prefix.length + whole.length > catalog.max_name_length);
  const longest = over.toSorted((one, other) => other.whole.length - one.whole.length)[0];
  if (longest === undefined) return [];
  const exceed = over.length === 1 ? "1 tool exceeds" : `${over.length} tools exceed`;
  const added = prefix === "" ? "" : ` once a client adds "${prefix}"`;
  return [{
    section: "names",
    name: greeted.name,
    level: "warn",
    text: `${exceed} ${catalog.max_name_length} characters${added}`,
    detail: [`longest: ${longest.whole} (${prefix.length + longest.whole.length})`],
    cure: cureOf(greeted, over, { prefix, tools, catalog }),
  }];
}

interface Around {
  readonly prefix: string;
  /** All of the backend. */
  readonly tools: readonly Tool[];
  readonly catalog: CatalogConfig;
}

function cureOf(
  greeted: Greeted,
  over: readonly Tool[],
  { prefix, tools, catalog }: Around,
): string {
  const { name, config } = greeted;
  const before = prefix + aliasPart(catalog, greeted);
  const room = catalog.max_name_length - before.length;
  if (room < SHORTEST) {
    return `"${before}" takes all of it: set a short alias in ${
      tableOf(name)
    }, or shorten server.name`;
  }
  const taken = new Set(tools.map(({ original }) => config.tools.rename[original] ?? original));
  const renames = over.slice(0, MOST_RENAMES).map(({ original }): [string, string] => {
    const short = shortName(original, room, taken);
    taken.add(short);
    return [original, short];
  });
  const entries = renames.map(([long, short]) => `${tomlKey(long)} = ${tomlValue(short)}`);
  const more = over.length > renames.length ? ", …" : "";
  const table = tableOf(name).replace(/\]$/, ".tools]");
  return `${table}  rename = { ${entries.join(", ")}${more} }`;
}

/** Its first words, as many as fit, and the last one; with a number when that is taken. */
function shortName(name: string, room: number, taken: ReadonlySet<string>): string {
  const words = name.split(/[^A-Za-z0-9]+/).filter((word) => word !== "");
  const last = words.length > 1 ? `_${words.at(-1)}` : "";
  let short = "";
  for (const word of words.slice(0, -1)) {
    const longer = short === "" ? word : `${short}_${word}`;
    if (longer.length + last.length > room) break;
    short = longer;
  }
  const wanted = short === "" ? name.slice(0, room) : short + last;
  if (!taken.has(wanted)) return wanted;
  for (let number = 2;; number++) {
    const ending = `_${number}`;
    const numbered = wanted.slice(0, room - ending.length) + ending;
    if (!taken.has(numbered)) return numbered;
  }
}

function toolsOf(catalog: CatalogConfig, greeted: Greeted): readonly Tool[] {
  const { items, config: { tools: { allow, deny, rename } } } = greeted;
  const [allowed, denied] = [compilePatterns(allow), compilePatterns(deny)];
  return items
    .filter(({ kind, original }) => kind === "tool" && allowed(original) && !denied(original))
    .map(({ original }) => ({
      original,
      whole: aliasPart(catalog, greeted) + (rename[original] ?? original),
    }));
}

function aliasPart(catalog: CatalogConfig, { name, config }: Greeted): string {
  return catalog.prefix === "always" ? (config.alias ?? name) + catalog.separator : "";
}

function clientPrefix(catalog: CatalogConfig, serverName: string): string {
  return catalog.client_prefix.replaceAll("{server}", serverName);
}
