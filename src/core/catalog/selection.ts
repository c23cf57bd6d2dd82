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

/** Compiles a toolset; its `deny` holds for all kinds. */
export function compileSelection(toolset: ToolsetConfig, catalog: CatalogConfig): Selection {
  const denies = compilePatterns(toolset.deny);
  const resources = compilePatterns(toolset.resources);
  const allowed = {
    tool: compilePatterns(toolset.tools),
    prompt: compilePatterns(toolset.prompts),
    resource: resources,
    template: resources,
  };
  return {
    denies,
    shows: (kind, exposed) => allowed[kind](exposed) && !denies(exposed),
    reaches: ({ name, config }) => {
      const prefix = exposedPrefix(catalog, config.alias ?? name);
      return toolset.resources.length > 0 || mayMatchPrefix(toolset.tools, prefix) ||
        mayMatchPrefix(toolset.prompts, prefix);
    },
  };
}
