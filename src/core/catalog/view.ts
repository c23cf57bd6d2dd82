import type { JsonObject } from "../mcp/json.ts";
import { mergedCapabilities, mergedInstructions } from "./announcement.ts";
import type { EntryLists } from "./entry.ts";
import { hashText } from "./hash.ts";
import { ItemList } from "./item_list.ts";
import { isRecord } from "./members.ts";
import { ResourceRouter } from "./resource_router.ts";
import type { Selection } from "./selection.ts";
import type { CatalogSource, ItemKind, Target, View } from "./types.ts";

/** What views of one catalog share. */
export interface ViewSource {
  readonly source: CatalogSource;
  readonly entries: EntryLists;
  readonly revision: number;
}

/** The part of a catalog that a selection shows. */
export class CatalogView implements View {
  readonly capabilities: JsonObject;
  readonly instructions: string | undefined;
  readonly backends: readonly string[];
  readonly answered: boolean;
  readonly fingerprints: View["fingerprints"];
  readonly #lists: Readonly<Record<ItemKind, ItemList>>;
  readonly #router: ResourceRouter;

  constructor({ source, entries, revision }: ViewSource, selection: Selection) {
    const backends = source.backends.filter((backend) => selection.reaches(backend));
    const found = backends.flatMap((backend) => backend.found ?? []);
    this.backends = backends.map(({ name }) => name);
    this.answered = found.length > 0 || backends.length === 0;
    this.capabilities = mergedCapabilities(found);
    this.instructions = mergedInstructions(source.instructions, backends);

    const listOf = (kind: ItemKind) => {
      const shown = entries[kind].filter(({ target }) => selection.shows(kind, target.exposed));
      return new ItemList(kind, shown, revision);
    };
    const lists = {
      tool: listOf("tool"),
      prompt: listOf("prompt"),
      resource: listOf("resource"),
      template: listOf("template"),
    };
    this.#lists = lists;
    const only = onlyOne(
      backends.filter((backend) => isRecord(backend.found?.capabilities["resources"])),
    );
    this.#router = new ResourceRouter(lists.resource, lists.template, selection, only?.name);
    this.fingerprints = {
      tools: lists.tool.fingerprint,
      prompts: lists.prompt.fingerprint,
      resources: hashText(lists.resource.fingerprint + lists.template.fingerprint),
    };
  }

  list(kind: ItemKind, cursor: string | undefined): string {
    return this.#lists[kind].page(cursor);
  }

  tool(exposed: string): Target | undefined {
    return this.#lists.tool.get(exposed)?.target;
  }

  prompt(exposed: string): Target | undefined {
    return this.#lists.prompt.get(exposed)?.target;
  }

  resource(uri: string, producer?: string): Target | undefined {
    const reachable = producer !== undefined && this.backends.includes(producer);
    return this.#router.find(uri, reachable ? producer : undefined);
  }

  template(uriTemplate: string): Target | undefined {
    return this.#lists.template.get(uriTemplate)?.target;
  }
}

function onlyOne<Item>(items: readonly Item[]): Item | undefined {
  return items.length === 1 ? items[0] : undefined;
}
