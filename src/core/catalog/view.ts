import { META } from "../mcp/envelope.ts";
import type { JsonObject } from "../mcp/json.ts";
import { mergedCapabilities, mergedInstructions } from "./announcement.ts";
import { createUnseen, type Entry, type EntryLists, type HeldEntry } from "./entry.ts";
import { mergedHints } from "./cache_hints.ts";
import { hashText } from "./hash.ts";
import { ItemList, type PageForm } from "./item_list.ts";
import { isRecord } from "./members.ts";
import { exposedPrefix } from "./naming.ts";
import { ResourceRouter } from "./resource_router.ts";
import { EVERYTHING, type Selection } from "./selection.ts";
import type { CacheHints, CatalogSource, ItemKind, PageRequest, Target, View } from "./types.ts";

const FIRST_PAGE: PageRequest = { cursor: undefined, era: "legacy" };

/** What views of one catalog share. */
export interface ViewSource {
  readonly source: CatalogSource;
  readonly entries: EntryLists;
  readonly held: readonly HeldEntry[];
  readonly revision: number;
  /** Backends that list anything. */
  readonly listing: ReadonlySet<string>;
  /** URIs of all resources. */
  readonly uris: ReadonlySet<string>;
}

/** What a view shows of a catalog. */
export interface ViewScope {
  readonly selection: Selection;
  /** Everybody who asks sees the same. */
  readonly isForAll: boolean;
}

/** The part of a catalog that a selection shows. */
export class CatalogView implements View {
  readonly cache: CacheHints;
  readonly meta: string;
  readonly capabilities: JsonObject;
  readonly modernCapabilities: JsonObject;
  readonly instructions: string | undefined;
  readonly backends: readonly string[];
  readonly answered: boolean;
  readonly fingerprints: View["fingerprints"];
  readonly #lists: Readonly<Record<ItemKind, ItemList>>;
  /** Backends that resources may be read from, listed or not. */
  readonly #within: ReadonlySet<string>;
  readonly #router: ResourceRouter;
  readonly #held: readonly Target[];
  readonly #selection: Selection;
  /** Of backends within reach that have never answered. */
  readonly #silent: readonly { readonly name: string; readonly prefix: string }[];

  /** Pages for modern clients, and those of which interceptors left something out. */
  readonly #forms: { readonly whole: PageForm; readonly parted: PageForm };

  constructor(shared: ViewSource, { selection, isForAll }: ViewScope) {
    const { source, entries, held, revision } = shared;
    const isShown = ({ target }: Entry) => selection.shows(target.kind, target.exposed);
    const listOf = (kind: ItemKind) => new ItemList(kind, entries[kind].filter(isShown), revision);
    this.#held = held.filter(isShown).map(({ target }) => target);
    const lists = {
      tool: listOf("tool"),
      prompt: listOf("prompt"),
      resource: listOf("resource"),
      template: listOf("template"),
    };
    this.#lists = lists;
    const within = source.backends.filter((backend) => selection.reaches(backend));
    this.#within = new Set(within.map(({ name }) => name));
    this.#selection = selection;
    this.#silent = within.filter(({ found }) => found === undefined)
      .map(({ name, config }) => ({
        name,
        prefix: exposedPrefix(source.catalog, config.alias ?? name),
      }));
    const shown = backendsOf(lists, this.#held);
    const all = selection === EVERYTHING;
    const backends = within.filter(({ name }) =>
      all || shown.has(name) || !shared.listing.has(name)
    );
    const found = backends.flatMap((backend) => backend.found ?? []);
    this.backends = backends.map(({ name }) => name);
    this.answered = found.length > 0 || backends.length === 0;
    this.capabilities = mergedCapabilities(found, "legacy");
    this.modernCapabilities = mergedCapabilities(found, "modern");
    this.cache = mergedHints(backends, isForAll);
    this.meta = metaOf(source);
    this.#forms = {
      whole: modernPage(1, this.cache, this.meta),
      parted: modernPage(2, { ...this.cache, scope: "private" }, this.meta),
    };
    this.instructions = mergedInstructions(source.instructions, backends);
    const only = onlyOne(
      within.filter((backend) => isRecord(backend.found?.capabilities["resources"])),
    );
    this.#router = new ResourceRouter({
      resources: lists.resource,
      templates: lists.template,
      tools: lists.tool,
      selection,
      listed: shared.uris,
      only: only?.name,
    });
    this.fingerprints = {
      tools: lists.tool.fingerprint,
      prompts: lists.prompt.fingerprint,
      resources: hashText(lists.resource.fingerprint + lists.template.fingerprint),
    };
  }

  list(kind: ItemKind, { cursor, era, shows }: PageRequest = FIRST_PAGE): string {
    const list = shows === undefined ? this.#lists[kind] : this.#lists[kind].only(shows);
    if (era === "legacy") return list.page(cursor);
    const { whole, parted } = this.#forms;
    return list.page(cursor, shows === undefined ? whole : parted);
  }

  targets(kind: ItemKind): readonly Target[] {
    return this.#lists[kind].entries.map(({ target }) => target);
  }

  tool(exposed: string): Target | undefined {
    return this.#lists.tool.get(exposed)?.target;
  }

  prompt(exposed: string): Target | undefined {
    return this.#lists.prompt.get(exposed)?.target;
  }

  awaited(kind: "tool" | "prompt", exposed: string): readonly Target[] {
    if (!this.#selection.shows(kind, exposed)) return [];
    return this.#silent.filter(({ prefix }) => exposed.startsWith(prefix))
      .map(({ name: backend, prefix }) => {
        const original = exposed.slice(prefix.length);
        return createUnseen({ kind, backend, original, exposed, defaults: undefined });
      });
  }

  held(kind: ItemKind, exposed: string): Target | undefined {
    return this.#held.find((target) => target.kind === kind && target.exposed === exposed);
  }

  resource(uri: string, producer?: string): Target | undefined {
    const reachable = producer !== undefined && this.#within.has(producer);
    return this.#router.find(uri, reachable ? producer : undefined);
  }

  template(uriTemplate: string): Target | undefined {
    return this.#lists.template.get(uriTemplate)?.target;
  }
}

function backendsOf(
  lists: Readonly<Record<ItemKind, ItemList>>,
  held: readonly Target[],
): ReadonlySet<string> {
  const all = Object.values(lists).flatMap(({ entries }) => entries.map(({ target }) => target));
  return new Set([...all, ...held].map(({ backend }) => backend));
}

function metaOf({ serverName, version }: CatalogSource): string {
  return JSON.stringify({ [META.server]: { name: serverName, title: "MCP Sentinel", version } });
}

function modernPage(slot: number, { ttlMs, scope }: CacheHints, meta: string): PageForm {
  return {
    era: "modern",
    slot,
    head: '"resultType":"complete",',
    tail: `,"ttlMs":${ttlMs},"cacheScope":"${scope}","_meta":${meta}`,
  };
}

function onlyOne<Item>(items: readonly Item[]): Item | undefined {
  return items.length === 1 ? items[0] : undefined;
}
