import type { RefusedItem } from "../../contract/mod.ts";
import { selectionOf } from "../auth/policy.ts";
import { mergedCapabilities } from "./announcement.ts";
import type { EntryLists, HeldEntry } from "./entry.ts";
import { hashText } from "./hash.ts";
import { ITEM_KINDS } from "./kinds.ts";
import { type Findings, lintCatalog } from "./lint.ts";
import { merge, type Merged } from "./merge.ts";
import { compileSelection, EVERYTHING, intersection, type Selection } from "./selection.ts";
import type { Catalog, CatalogSource, ItemKind, View } from "./types.ts";
import { CatalogView, type ViewSource } from "./view.ts";
import { ViewCache, type ViewKey } from "./view_cache.ts";

/**
 * Merges what the backends offer. The revision is one more than that of `previous` when anything differs
 * that a caller could notice: a list, where a name leads, capabilities, instructions, toolsets, roles, refusals.
 */
export function buildCatalog(source: CatalogSource, previous?: Catalog): Catalog {
  const merged = merge(source);
  const identity = identityOf(source, merged);
  const unchanged = previous instanceof MergedCatalog && previous.identity === identity;
  const revision = (previous?.revision ?? 0) + (unchanged ? 0 : 1);
  return new MergedCatalog(source, merged, { identity, revision });
}

class MergedCatalog implements Catalog {
  readonly revision: number;
  readonly identity: string;
  readonly entries: EntryLists;
  readonly held: readonly HeldEntry[];
  readonly counts: Catalog["counts"];
  readonly perBackend: Catalog["perBackend"];
  readonly refused: readonly RefusedItem[];
  readonly findings: Findings;
  readonly warnings: readonly string[];
  readonly #source: CatalogSource;
  readonly #shared: ViewSource;
  readonly #views = new ViewCache();

  constructor(
    source: CatalogSource,
    { entries, held, refused, warnings }: Merged,
    { identity, revision }: { readonly identity: string; readonly revision: number },
  ) {
    this.revision = revision;
    this.identity = identity;
    this.refused = refused;
    this.warnings = warnings;
    this.#source = source;
    this.entries = entries;
    this.held = held;
    this.counts = countOf(entries);
    this.perBackend = countPerBackend(source, entries);
    const all = [...Object.values(entries).flat(), ...held];
    this.findings = lintCatalog(all);
    this.#shared = {
      source,
      entries,
      held,
      revision,
      listing: new Set(all.map(({ target }) => target.backend)),
      uris: new Set(entries.resource.map(({ target }) => target.exposed)),
    };
  }

  view(toolset: ViewKey["toolset"], principal: ViewKey["principal"]): View | undefined {
    const known = this.#views.get(toolset, principal);
    if (known !== undefined) return known;
    const selection = this.#selection(toolset);
    if (selection === undefined) return undefined;
    const allowed = selectionOf(principal, this.#source);
    const view = new CatalogView(this.#shared, {
      selection: intersection(selection, allowed),
      isForAll: principal.roles === undefined,
    });
    this.#views.add({ toolset, principal }, view);
    return view;
  }

  #selection(name: string | undefined): Selection | undefined {
    if (name === undefined) return EVERYTHING;
    const { toolsets, catalog } = this.#source;
    // The name comes from a URL: "constructor" must not reach the prototype.
    const toolset = Object.hasOwn(toolsets, name) ? toolsets[name] : undefined;
    return toolset === undefined ? undefined : compileSelection(toolset, catalog);
  }
}

/** Everything that callers could notice, as a hash. */
function identityOf(source: CatalogSource, { entries, held, refused }: Merged): string {
  const items = ITEM_KINDS.map((kind) => entries[kind].map(({ hash, target }) => [hash, target]));
  const backends = source.backends.map(({ name, config, found }) => [
    name,
    config.alias,
    found === undefined ? null : mergedCapabilities([found], found.era ?? "legacy"),
    found?.instructions,
  ]);
  return hashText(
    JSON.stringify([
      items,
      held.map(({ target }) => target),
      backends,
      refused,
      source.toolsets,
      source.roles,
      source.instructions,
    ]),
  );
}

function countOf(entries: EntryLists): Record<ItemKind, number> {
  return {
    tool: entries.tool.length,
    prompt: entries.prompt.length,
    resource: entries.resource.length,
    template: entries.template.length,
  };
}

function countPerBackend(source: CatalogSource, entries: EntryLists): Catalog["perBackend"] {
  const counts = new Map(source.backends.map(({ name }) => [name, emptyCounts()]));
  for (const kind of ITEM_KINDS) {
    for (const { target } of entries[kind]) {
      const count = counts.get(target.backend);
      if (count !== undefined) count[kind]++;
    }
  }
  return Object.fromEntries(counts);
}

function emptyCounts(): Record<ItemKind, number> {
  return { tool: 0, prompt: 0, resource: 0, template: 0 };
}
