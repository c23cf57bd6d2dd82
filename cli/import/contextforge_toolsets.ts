/** Virtual servers of ContextForge as toolsets. */
import { type Table, tablesIn, textAt, textsIn } from "../../src/config/raw.ts";
import { visible } from "../text.ts";
import type { FoundToolset, ImportNote } from "./found.ts";
import { freeName, plainName, slugOf } from "./names.ts";

export interface ToolsetOptions {
  /** Gateways that became backends: their spelling there and their name here. */
  readonly backends: readonly { readonly slug: string; readonly name: string }[];
  /** Between alias and name of a tool. */
  readonly separator: string;
}

const UUID = /^[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}$/i;
const MOST_NAMED = 20;

/** A toolset for every virtual server whose tools we can name. */
export function toolsetsOf(
  entities: Table,
  options: ToolsetOptions,
): { readonly toolsets: readonly FoundToolset[]; readonly notes: readonly ImportNote[] } {
  const toolsets: FoundToolset[] = [];
  const notes: ImportNote[] = [];
  const rest = restTools(entities);
  for (const [, server] of tablesIn(entities["servers"])) {
    const title = textAt(server, "name") ?? "";
    const wanted = plainName(title);
    const say = (text: string) => notes.push({ code: "not_carried", about: wanted, text });
    if ((server["is_active"] ?? server["enabled"] ?? true) !== true) {
      say("the virtual server is switched off");
      continue;
    }
    const names = toolNames(server, entities);
    const found = names.map((name) => ({ name, tools: toolsFor(name, options) }));
    const lost = found.filter(({ tools }) => tools.length === 0).map(({ name }) => name);
    if (lost.length > 0) say(lostText(lost, rest));
    const tools = [...new Set(found.flatMap(({ tools }) => tools))];
    if (tools.length === 0) {
      if (lost.length === 0) say("the virtual server has no tools");
      continue;
    }
    const name = freeName(wanted, (taken) => toolsets.some((other) => other.name === taken));
    toolsets.push({
      name,
      tools,
      about: `virtual server "${title}" of ContextForge: /mcp/${name}`,
    });
  }
  if (toolsets.length > 0) notes.push(...spellingNotes(options.separator));
  return { toolsets, notes };
}

/** Names as the export has them; ids are looked up among its tools. */
function toolNames(server: Table, entities: Table): readonly string[] {
  const ids = new Map(
    tablesIn(entities["tools"]).map(([, tool]) => [
      textAt(tool, "id"),
      textAt(tool, "name"),
    ]),
  );
  const listed = server["tool_ids"] ?? server["associated_tools"] ?? server["associatedTools"];
  return textsIn(listed).map(([, name]) => ids.get(name) ?? name);
}

/** Both spellings a name may have had before ContextForge wrote it with hyphens; empty for none of ours. */
function toolsFor(name: string, { backends, separator }: ToolsetOptions): readonly string[] {
  const owner = backends.filter(({ slug }) => slug !== "" && name.startsWith(`${slug}-`))
    .toSorted((a, b) => b.slug.length - a.slug.length)[0];
  if (owner === undefined) return [];
  const own = name.slice(owner.slug.length + 1);
  if (own === "" || own.includes("*")) return [];
  return [...new Set([own, own.replaceAll("-", "_")])]
    .map((tool) => `${owner.name}${separator}${tool}`);
}

function restTools(entities: Table): ReadonlySet<string> {
  return new Set(tablesIn(entities["tools"]).map(([, tool]) => slugOf(textAt(tool, "name") ?? "")));
}

function lostText(names: readonly string[], rest: ReadonlySet<string>): string {
  const shown = names.slice(0, MOST_NAMED).map((name) => visible(name)).join(", ");
  const more = names.length > MOST_NAMED ? ` and ${names.length - MOST_NAMED} more` : "";
  const why = names.every((name) => UUID.test(name))
    ? "the export has only their ids: add them by name"
    : names.every((name) => rest.has(slugOf(name)))
    ? "they are no tools of MCP servers"
    : "no gateway of the export offers them";
  return `its tools ${shown}${more} are not in the toolset: ${why}`;
}

function spellingNotes(separator: string): ImportNote[] {
  const about = "toolsets";
  const texts = [
    "ContextForge writes get-time for get_time, so both stand in the toolsets; a name that had capitals" +
    " needs a look: mcp-sentinel tools",
    "exports do not say which prompts and resources a virtual server shows: the toolsets show none",
    `tools were called <gateway>-<tool> and are <backend>${separator}<tool> now; ` +
    'with [catalog] separator = "-" most names stay, and the toolsets need that spelling too',
  ];
  return texts.map((text) => ({ code: "changed", about, text }));
}
