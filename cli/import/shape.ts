/** Which of the known shapes a file has, and the entries in it. */
import { basename } from "node:path";
import { isTable, type Table, textAt, valueAt } from "../../src/config/raw.ts";
import { nameOf } from "../server_name.ts";
import type { Input } from "./variables.ts";

/** Entries by name, as written. */
export type Entries = readonly (readonly [string, unknown])[];

/** Where clients keep their servers, the most telling first. */
const TABLES: readonly (readonly string[])[] = [
  ["mcpServers"],
  ["mcp_servers"],
  ["mcp", "servers"],
  ["servers"],
  ["context_servers"],
];
const REACH = ["command", "url", "serverUrl", "httpUrl"];

/** The entries below a path; undefined when there is no table. */
export function entriesAt(document: unknown, at: readonly string[]): Entries | undefined {
  const table = valueAt(document, at);
  return isTable(table) ? Object.entries(table) : undefined;
}

/** The entries of a file of unknown shape; undefined when it has none of them. */
export function entriesIn(document: unknown, folder: string): Entries | undefined {
  if (!isTable(document)) return undefined;
  const ofProject = entriesAt(document, ["projects", folder, "mcpServers"]) ?? [];
  const tables = TABLES.map((at) => entriesAt(document, at));
  const known = tables.find((entries) => entries !== undefined);
  if (known !== undefined || ofProject.length > 0) return [...ofProject, ...known ?? []];
  if (looksLikeEntry(document)) return [[nameOfEntry(document), withoutName(document)]];
  const entries = Object.entries(document);
  return entries.some(([, value]) => looksLikeEntry(value)) ? entries : undefined;
}

/** What VS Code would ask for; defaults of passwords are left out. */
export function inputsOf(document: unknown): ReadonlyMap<string, Input> {
  const list = valueAt(document, ["inputs"]) ?? valueAt(document, ["mcp", "inputs"]);
  const inputs = new Map<string, Input>();
  for (const input of Array.isArray(list) ? list : []) {
    const id = textAt(input, "id");
    const description = textAt(input, "description");
    const fallback = textAt(input, "default");
    const isUsable = valueAt(input, ["password"]) !== true && !/^$|[{}]/.test(fallback ?? "");
    if (id === undefined) continue;
    inputs.set(id, {
      ...(description === undefined ? {} : { description: description.slice(0, 120) }),
      ...(isUsable && fallback !== undefined ? { fallback } : {}),
    });
  }
  return inputs;
}

/** True for a file that ContextForge has exported. */
export function isContextForge(document: unknown): boolean {
  return isTable(document) && isTable(document["entities"]) && "exported_at" in document;
}

function looksLikeEntry(value: unknown): value is Table {
  return isTable(value) && REACH.some((key) => typeof value[key] === "string");
}

/** An entry alone has no name beside it. */
function nameOfEntry(entry: Table): string {
  const given = textAt(entry, "name");
  if (given !== undefined && given !== "") return given;
  const command = textAt(entry, "command");
  if (command === undefined) {
    return hostOf(REACH.map((key) => textAt(entry, key)).find(isText) ?? "");
  }
  const args = entry["args"];
  const words = Array.isArray(args) ? args.filter(isText) : [];
  return nameOf([basename(command), ...words]);
}

function withoutName(entry: Table): Table {
  const { name: _name, ...rest } = entry;
  return rest;
}

/** `https://mcp.example.com/mcp` is `example`. */
function hostOf(url: string): string {
  const host = URL.canParse(url) ? new URL(url).hostname : "";
  const labels = host.split(".").filter((label) => !/^(www|mcp|api)$/.test(label));
  return (labels.length > 1 ? labels.at(-2) : labels[0]) ?? "server";
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}
