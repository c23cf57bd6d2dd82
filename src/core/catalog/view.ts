import type { JsonObject } from "../mcp/json.ts";
import { mergedCapabilities, mergedInstructions } from "./announcement.ts";
import type { Entry, EntryLists, HeldEntry } from "./entry.ts";
import { hashText } from "./hash.ts";
import { ItemList } from "./item_list.ts";
import { isRecord } from "./members.ts";
import { ResourceRouter } from "./resource_router.ts";
import { EVERYTHING, type Selection } from "./selection.ts";
import type { CatalogSource, ItemKind, PageRequest, Target, View } from "./types.ts";

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

/** The part of a catalog that a selection shows. */
export class CatalogView implements View {
  readonly cache = { ttlMs: 0, scope: "private" } as const;
  readonly capabilities: JsonObject;
  readonly instructions: string | undefined;
  readonly backends: readonly string[];
  readonly answered: boolean;
  readonly fingerprints: View["fingerprints"];
  readonly #lists: Readonly<Record<ItemKind, ItemList>>;
  /** Backends that resources may be read from, listed or not. */
  readonly #within: ReadonlySet<string>;
  readonly #router: ResourceRouter;
  readonly #held: readonly Target[];

  constructor(shared: ViewSource, selection: Selection) {
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
    const shown = backendsOf(lists, this.#held);
    const all = selection === EVERYTHING;
    const backends = within.filter(({ name }) =>
      all || shown.has(name) || !shared.listing.has(name)
    );
    const found = backends.flatMap((backend) => backend.found ?? []);
    this.backends = backends.map(({ name }) => name);
    this.answered = found.length > 0 || backends.length === 0;
    this.capabilities = mergedCapabilities(found);
    this.instructions = mergedInstructions(source.instructions, backends);
    const only = onlyOne(
      within.filter((backend) => isRecord(backend.found?.capabilities["resources"])),
    );
    this.#router = new ResourceRouter({
      resources: lists.resource,
      templates: lists.template,
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

  list(kind: ItemKind, { cursor, shows }: PageRequest = FIRST_PAGE): string {
    const list = this.#lists[kind];
    return (shows === undefined ? list : list.only(shows)).page(cursor);
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

function onlyOne<Item>(items: readonly Item[]): Item | undefined {
  return items.length === 1 ? items[0] : undefined;
}
