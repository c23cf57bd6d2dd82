/** One catalog out of what all backends offer, in the order of the configuration (protocol.md 5). */
import type { Era, RefusedItem } from "../../contract/mod.ts";
import type { JsonObject } from "../mcp/json.ts";
import { createEntry, type Entry, type EntryLists, type HeldEntry, needsTask } from "./entry.ts";
import { ITEM_KINDS, KINDS } from "./kinds.ts";
import { nameProblem, showName } from "./naming.ts";
import { Refusals } from "./refusals.ts";
import { compileToolRules, type ToolRules } from "./tool_rules.ts";
import type { BackendCatalog, CatalogSource, ItemKind } from "./types.ts";
import { type ShownItem, warningsFor } from "./warnings.ts";

export interface Merged {
  readonly entries: EntryLists;
  readonly held: readonly HeldEntry[];
  readonly refused: readonly RefusedItem[];
  /** What is not shown as it came, and names that clients may find too long. */
  readonly warnings: readonly string[];
}

type ConfiguredBackend = CatalogSource["backends"][number];

/** What an item becomes, unless its name is taken. */
interface Offered extends Omit<ShownItem, "omitted"> {
  readonly item: JsonObject;
  readonly description?: string | undefined;
  readonly defaults?: JsonObject | undefined;
}

/** Merges what has been found; a clash is refused and reported, the first in the configuration wins. */
export function merge(source: CatalogSource): Merged {
  const merger = new Merger(source);
  for (const backend of source.backends) {
    if (backend.found !== undefined) merger.add(backend, backend.found);
  }
  return merger.result();
}

class Merger {
  readonly #source: CatalogSource;
  readonly #taken: Readonly<Record<ItemKind, Map<string, Entry>>> = {
    tool: new Map(),
    prompt: new Map(),
    resource: new Map(),
    template: new Map(),
  };
  readonly #held = new Map<Entry, HeldEntry>();
  readonly #refused: RefusedItem[] = [];
  readonly #warnings: string[] = [];

  constructor(source: CatalogSource) {
    this.#source = source;
  }

  add(backend: ConfiguredBackend, found: BackendCatalog): void {
    this.#refused.push(...found.refused);
    const rules = compileToolRules(backend.config.tools);
    const shown: ShownItem[] = [];
    for (const kind of ITEM_KINDS) {
      const refusals = new Refusals(backend.name, kind);
      for (const item of found[KINDS[kind].held]) {
        if (kind === "tool" && !rules.shows(keyOf(kind, item))) continue;
        const offered = this.#offer(kind, item, backend, rules);
        const taken = this.#take(offered, backend.name, found.era ?? "legacy");
        if (typeof taken === "string") refusals.add(offered.original, taken);
        else shown.push({ ...offered, omitted: taken.omitted });
        const held = backend.held?.get(item);
        if (held !== undefined && typeof taken !== "string") {
          this.#held.set(taken, { ...taken, held });
        }
      }
      this.#refused.push(...refusals.rows);
    }
    this.#warnings.push(...warningsFor(this.#source, backend, shown));
  }

  result(): Merged {
    const { tool, prompt, resource, template } = this.#taken;
    const entries = {
      tool: this.#shown(tool),
      prompt: this.#shown(prompt),
      resource: this.#shown(resource),
      template: this.#shown(template),
    };
    const held = [...this.#held.values()];
    return { entries, held, refused: this.#refused, warnings: this.#warnings };
  }

  #shown(taken: ReadonlyMap<string, Entry>): readonly Entry[] {
    const all = [...taken.values()];
    return this.#held.size === 0 ? all : all.filter((entry) => !this.#held.has(entry));
  }

  #offer(kind: ItemKind, item: JsonObject, backend: ConfiguredBackend, rules: ToolRules): Offered {
    const original = keyOf(kind, item);
    const { catalog } = this.#source;
    const alias = backend.config.alias ?? backend.name;
    if (kind === "prompt") return { kind, item, original, ...showName(catalog, alias, original) };
    if (kind !== "tool") return { kind, item, original, exposed: original, cut: false };
    const renamed = rules.renamed(original);
    return {
      kind,
      item,
      original,
      ...showName(catalog, alias, renamed),
      description: rules.description(renamed),
      defaults: rules.defaults(renamed),
    };
  }

  /** Puts an item into the catalog, or says why not. */
  #take(offered: Offered, backend: string, era: Era): Entry | string {
    const { kind, item, original, exposed, description, defaults } = offered;
    const problem = showingProblem(offered);
    if (problem !== undefined) return problem;
    const other = this.#taken[kind].get(exposed)?.target;
    if (other !== undefined) {
      return `backend "${backend}" and backend "${other.backend}", which comes first, would both ` +
        `show "${exposed}": "${original}" and "${other.original}"`;
    }
    const target = { kind, backend, original, exposed, defaults };
    const entry = createEntry(target, item, { era, description });
    this.#taken[kind].set(exposed, entry);
    return entry;
  }
}

function keyOf(kind: ItemKind, item: JsonObject): string {
  return item[KINDS[kind].key] as string;
}

function showingProblem({ kind, item, exposed }: Offered): string | undefined {
  if (kind === "tool" && needsTask(item)) return "it runs only as a task, which is not supported";
  if (kind !== "tool" && kind !== "prompt") return undefined;
  const problem = nameProblem(exposed);
  return problem === undefined ? undefined : `it cannot be shown as "${exposed}": ${problem}`;
}
