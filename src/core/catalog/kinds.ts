import type { ItemKind } from "./types.ts";

interface KindRow {
  /** Server capability that announces the list. */
  readonly capability: "tools" | "prompts" | "resources";
  readonly method: string;
  /** Member of the list result that holds the items. */
  readonly member: string;
  /** Member of `BackendCatalog` that holds them. */
  readonly held: "tools" | "prompts" | "resources" | "templates";
  /** Member of an item that identifies it. */
  readonly key: "name" | "uri" | "uriTemplate";
}

/** What differs between the four lists of the protocol. */
export const KINDS: Readonly<Record<ItemKind, KindRow>> = {
  tool: {
    capability: "tools",
    method: "tools/list",
    member: "tools",
    held: "tools",
    key: "name",
  },
  prompt: {
    capability: "prompts",
    method: "prompts/list",
    member: "prompts",
    held: "prompts",
    key: "name",
  },
  resource: {
    capability: "resources",
    method: "resources/list",
    member: "resources",
    held: "resources",
    key: "uri",
  },
  template: {
    capability: "resources",
    method: "resources/templates/list",
    member: "resourceTemplates",
    held: "templates",
    key: "uriTemplate",
  },
};

export const ITEM_KINDS: readonly ItemKind[] = ["tool", "prompt", "resource", "template"];
