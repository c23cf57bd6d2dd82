import type { CatalogConfig, ToolsetConfig } from "../../contract/mod.ts";
import { compilePatterns, mayMatchPrefix } from "../patterns.ts";
import { exposedPrefix } from "./naming.ts";
import type { CatalogSource, ItemKind } from "./types.ts";

/** Which part of the catalog a view shows, by names and URIs as exposed. */
export interface Selection {
  shows(kind: ItemKind, exposed: string): boolean;
  /** Hidden whatever else would show it. */
  denies(exposed: string): boolean;
  /** Whether the backend could have anything to show; known before it has ever answered. */
  reaches(backend: CatalogSource["backends"][number]): boolean;
}

export const EVERYTHING: Selection = {
  shows: () => true,
  denies: () => false,
  reaches: () => true,
};

/** Compiles the patterns of a toolset or a role; `deny` holds for all kinds. */
export function compileSelection(patterns: ToolsetConfig, catalog: CatalogConfig): Selection {
  const denies = compilePatterns(patterns.deny);
  const resources = compilePatterns(patterns.resources);
  const allowed = {
    tool: compilePatterns(patterns.tools),
    prompt: compilePatterns(patterns.prompts),
    resource: resources,
    template: resources,
  };
  return {
    denies,
    shows: (kind, exposed) => allowed[kind](exposed) && !denies(exposed),
    reaches: ({ name, config }) => {
      const prefix = exposedPrefix(catalog, config.alias ?? name);
      return patterns.resources.length > 0 || mayMatchPrefix(patterns.tools, prefix) ||
        mayMatchPrefix(patterns.prompts, prefix);
    },
  };
}

/** What both show. */
export function intersection(one: Selection, other: Selection): Selection {
  if (one === EVERYTHING) return other;
  if (other === EVERYTHING) return one;
  return {
    denies: (exposed) => one.denies(exposed) || other.denies(exposed),
    shows: (kind, exposed) => one.shows(kind, exposed) && other.shows(kind, exposed),
    reaches: (backend) => one.reaches(backend) && other.reaches(backend),
  };
}
