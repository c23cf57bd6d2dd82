import * as v from "valibot";
import { type BackendConfig, ConfigSchema } from "../../../src/contract/mod.ts";
import type {
  BackendCatalog,
  CatalogSource,
  ItemKind,
  View,
} from "../../../src/core/catalog/types.ts";
import { ITEM_KINDS } from "../../../src/core/catalog/kinds.ts";
import { type ListSpeech, parseItems } from "../../../src/core/catalog/parse.ts";
import { isObject, type JsonObject } from "../../../src/core/mcp/json.ts";

/** What a backend of a test is, besides what it found. */
interface Backend {
  /** Its table as it would stand in the file. */
  readonly config?: JsonObject;
  readonly found?: Partial<BackendCatalog>;
}

interface Setup {
  readonly catalog?: JsonObject;
  readonly toolsets?: JsonObject;
  readonly roles?: JsonObject;
  readonly instructions?: string;
}

const ALL = { tools: {}, prompts: {}, resources: {} };

/** A source with real defaults of the configuration; a backend without `found` has never answered. */
export function sourceOf(
  backends: Readonly<Record<string, Backend>>,
  { catalog = {}, toolsets = {}, roles = {}, instructions }: Setup = {},
): CatalogSource {
  const config = v.parse(ConfigSchema, { catalog, toolsets, roles });
  return {
    catalog: config.catalog,
    serverName: config.server.name,
    version: "1.2.3",
    instructions,
    toolsets: config.toolsets,
    roles: config.roles,
    backends: Object.entries(backends).map(([name, backend]) => ({
      name,
      config: configOf(backend.config),
      found: completed(backend.found),
    })),
  };
}

function configOf(table: JsonObject = {}): BackendConfig {
  const { backends } = v.parse(ConfigSchema, {
    backends: { one: { command: "server", ...table } },
  });
  return backends["one"] as BackendConfig;
}

function completed(found: Partial<BackendCatalog> | undefined): BackendCatalog | undefined {
  if (found === undefined) return undefined;
  const none = { tools: [], prompts: [], resources: [], templates: [], refused: [] };
  return { capabilities: ALL, instructions: undefined, ...none, ...found };
}

/** What a backend would have found after parsing what it lists. */
export function foundOf(
  lists: Partial<Record<ItemKind, unknown[]>>,
  speech: ListSpeech = { era: "legacy", mirrors: false },
): BackendCatalog {
  const of = (kind: ItemKind) => parseItems(kind, lists[kind] ?? [], "b", speech);
  return {
    era: speech.era,
    capabilities: ALL,
    instructions: undefined,
    tools: of("tool").items,
    prompts: of("prompt").items,
    resources: of("resource").items,
    templates: of("template").items,
    refused: ITEM_KINDS.flatMap((kind) => of(kind).refused),
  };
}

export function tool(name: string, more: JsonObject = {}): JsonObject {
  return { name, inputSchema: { type: "object" }, ...more };
}

export function tools(...names: string[]): { found: { tools: JsonObject[] } } {
  return { found: { tools: names.map((name) => tool(name)) } };
}

export function resource(uri: string): JsonObject {
  return { uri, name: "a resource" };
}

export function template(uriTemplate: string): JsonObject {
  return { uriTemplate, name: "a template" };
}

const MEMBERS = {
  tool: "tools",
  prompt: "prompts",
  resource: "resources",
  template: "resourceTemplates",
} as const;

/** All items of a list, page by page. */
export function listed(view: View | undefined, kind: ItemKind): JsonObject[] {
  const items: JsonObject[] = [];
  let cursor: string | undefined;
  do {
    const page = pageOf(view, kind, cursor);
    items.push(...page.items);
    cursor = page.next;
  } while (cursor !== undefined);
  return items;
}

export function pageOf(
  view: View | undefined,
  kind: ItemKind,
  cursor?: string,
): { items: JsonObject[]; next: string | undefined } {
  const page: unknown = JSON.parse(view?.list(kind, { cursor, era: "legacy" }) ?? "null");
  if (!isObject(page)) throw new TypeError("the page is not an object");
  return {
    items: page[MEMBERS[kind]] as JsonObject[],
    next: page["nextCursor"] as string | undefined,
  };
}

export function namesOf(view: View | undefined, kind: ItemKind = "tool"): string[] {
  return listed(view, kind).map((item) => String(item["name"]));
}

/** Numbers in [0, 1), the same in each run. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
