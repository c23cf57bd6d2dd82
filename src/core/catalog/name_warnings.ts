import { printable } from "./refusals.ts";
import type { CatalogSource, ItemKind } from "./types.ts";

/** Cut names told one by one; the rest is counted. */
const MAX_TOLD = 20;
const MAX_SHOWN = 200;

export interface NamedItem {
  readonly kind: ItemKind;
  readonly original: string;
  readonly exposed: string;
  readonly cut: boolean;
}

/**
 * What the operator should know about the names of one backend: which were cut, and which are too long
 * once a client has put its own prefix before them, which breaks whole requests (ux.md 0.8).
 */
export function nameWarnings(
  source: CatalogSource,
  backend: CatalogSource["backends"][number],
  items: readonly NamedItem[],
): readonly string[] {
  const tools = items.filter(({ kind }) => kind === "tool");
  return [...cutWarnings(backend.name, items), ...budgetWarnings(source, backend, tools)];
}

function cutWarnings(backend: string, items: readonly NamedItem[]): readonly string[] {
  const cut = items.filter((item) => item.cut);
  const told = cut.slice(0, MAX_TOLD).map(({ kind, original, exposed }) =>
    `Renamed ${kind} "${printable(original, MAX_SHOWN)}" of backend "${backend}" to "${
      printable(exposed, MAX_SHOWN)
    }": ` +
    "its name is too long"
  );
  if (cut.length <= MAX_TOLD) return told;
  return [...told, `Renamed ${cut.length - MAX_TOLD} more names of backend "${backend}"`];
}

function budgetWarnings(
  { catalog, serverName }: CatalogSource,
  { name, config }: CatalogSource["backends"][number],
  tools: readonly NamedItem[],
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
    `${catalog.max_name_length} characters, "${printable(longest, MAX_SHOWN)}" by ` +
    `${longest.length - max}; ${remedy}`,
  ];
}
