import { printable } from "./refusals.ts";
import type { CatalogSource, ItemKind } from "./types.ts";

/** Items told one by one; the rest is counted. */
const MAX_TOLD = 20;
const MAX_NAME = 128;

/** An item as it is shown, with what happened to it. */
export interface ShownItem {
  readonly kind: ItemKind;
  readonly original: string;
  readonly exposed: string;
  /** Its name was too long. */
  readonly cut: boolean;
  /** Members that are not shown, because clients could not read them. */
  readonly omitted: readonly string[];
}

/**
 * What the operator should know about the items of one backend: which are not shown as they came, and
 * which names are too long once a client has put its own prefix before them (ux.md 0.8).
 */
export function warningsFor(
  source: CatalogSource,
  backend: CatalogSource["backends"][number],
  items: readonly ShownItem[],
): readonly string[] {
  const cut = items.filter((item) => item.cut).map((item) =>
    `Renamed ${named(item, backend.name)} to "${
      printable(item.exposed, MAX_NAME)
    }": it was too long`
  );
  const omitted = items.filter((item) => item.omitted.length > 0).map((item) =>
    `Left "${item.omitted.join(", ")}" out of ${
      named(item, backend.name)
    }: clients could not read it`
  );
  const tools = items.filter(({ kind }) => kind === "tool");
  return [...bounded(cut), ...bounded(omitted), ...budgetWarnings(source, backend, tools)];
}

function named({ kind, original }: ShownItem, backend: string): string {
  return `${kind} "${printable(original, MAX_NAME)}" of backend "${backend}"`;
}

function bounded(warnings: readonly string[]): readonly string[] {
  if (warnings.length <= MAX_TOLD) return warnings;
  return [...warnings.slice(0, MAX_TOLD), `${warnings.length - MAX_TOLD} more like the last one`];
}

function budgetWarnings(
  { catalog, serverName }: CatalogSource,
  { name, config }: CatalogSource["backends"][number],
  tools: readonly ShownItem[],
): readonly string[] {
  const client = catalog.client_prefix.replaceAll("{server}", serverName);
  const max = catalog.max_name_length - client.length;
  const over = tools.filter(({ exposed }) => exposed.length > max).map(({ exposed }) => exposed);
  if (client === "" || over.length === 0) return [];
  const longest = over.reduce((a, b) => b.length > a.length ? b : a);
  const alias = config.alias ?? name;
  const room = alias.length - (longest.length - max);
  const remedy = catalog.prefix === "always" && room > 0
    ? `set its alias to at most ${room} characters, now "${alias}"`
    : "rename them, or shorten server.name";
  return [
    `Shorten the tool names of backend "${name}": behind "${client}" ${over.length} exceed ` +
    `${catalog.max_name_length} characters, "${printable(longest, MAX_NAME)}" by ` +
    `${longest.length - max}; ${remedy}`,
  ];
}
