import type { Reload } from "../../contract/config/key.ts";
import { ANY, type KeyNode } from "../../contract/config/tree.ts";
import type { ConfigChange } from "../../contract/operations.ts";
import { formatDuration, parseDuration } from "../../contract/units.ts";
import { formatPath, type Path } from "../issue.ts";
import { CONFIG_TREE } from "../parse.ts";
import { isTable, type Table } from "../raw.ts";
import { tomlValue } from "../toml.ts";
import type { ShowValue } from "../view.ts";
import { isReordered, pairsOf } from "./entries.ts";
import { isSame } from "./same.ts";

/** Longer values are cut: a change is for people, the configuration itself can be asked for. */
const LONGEST_VALUE = 1000;

interface Place {
  readonly node: KeyNode;
  readonly path: Path;
  /** Class of the nearest key. */
  readonly effect: Reload;
  readonly show: ShowValue;
}

/** Every difference, in the order of the schema; values as the file spells them. */
export function changesOf(before: Table, after: Table, show: ShowValue): ConfigChange[] {
  const top: Place = { node: CONFIG_TREE, path: [], effect: "restart", show };
  return [...differences(top, before, after)];
}

function* differences(place: Place, before: unknown, after: unknown): Generator<ConfigChange> {
  if (isSame(before, after)) return;
  const { kind } = place.node;
  if ((kind === "table" || kind === "map") && isTable(before) && isTable(after)) {
    yield* inTables(place, before, after);
  } else if (isListOfTables(place.node) && Array.isArray(before) && Array.isArray(after)) {
    yield* inLists(place, before, after);
  } else yield changeAt(place, before, after);
}

function* inTables(place: Place, before: Table, after: Table): Generator<ConfigChange> {
  const { node } = place;
  const names = node.kind === "map"
    ? new Set([...Object.keys(before), ...Object.keys(after)])
    : node.children.keys();
  for (const name of names) {
    const inner = innerPlace(place, name);
    if (inner !== undefined) yield* differences(inner, before[name], after[name]);
  }
}

function* inLists(
  place: Place,
  before: readonly unknown[],
  after: readonly unknown[],
): Generator<ConfigChange> {
  const pairs = pairsOf(place.node, before, after);
  for (const pair of pairs) {
    const inner = innerPlace(place, pair.name);
    if (inner !== undefined) yield* differences(inner, pair.before, pair.after);
  }
  if (!isReordered(pairs)) return;
  const staying = pairs.filter(({ from, to }) => from >= 0 && to >= 0);
  const names = (order: typeof staying) => tomlValue(order.map(({ name }) => name));
  const earlier = staying.toSorted((one, other) => one.from - other.from);
  yield {
    path: formatPath(place.path),
    change: "changed",
    before: shortened(names(earlier)),
    after: shortened(names(staying)),
    effect: place.effect,
  };
}

function innerPlace(place: Place, name: string): Place | undefined {
  const node = place.node.children.get(name) ?? place.node.children.get(ANY);
  if (node === undefined) return undefined;
  const effect = node.meta?.reload ?? place.effect;
  return { ...place, node, path: [...place.path, name], effect };
}

function changeAt(place: Place, before: unknown, after: unknown): ConfigChange {
  return {
    path: formatPath(place.path),
    change: before === undefined ? "added" : after === undefined ? "removed" : "changed",
    ...(before === undefined ? {} : { before: textOf(place, before) }),
    ...(after === undefined ? {} : { after: textOf(place, after) }),
    effect: place.effect,
  };
}

function textOf({ node, path, show }: Place, value: unknown): string {
  const shown = show(value, node, String(path.at(-1)));
  return shortened(tomlValue(withoutDefaults(shown, node)));
}

/** What somebody would have to write in the file. */
function withoutDefaults(shown: unknown, node: KeyNode): unknown {
  if (!isTable(shown) || node.kind !== "table") return shown;
  const entries = [...node.children].flatMap(([name, child]): [string, unknown][] => {
    if (shown[name] === undefined) return [];
    const value = withoutDefaults(shown[name], child);
    return isDefault(value, child) ? [] : [[name, value]];
  });
  return Object.fromEntries(entries);
}

function isDefault(shown: unknown, node: KeyNode): boolean {
  const { unit, default: written } = node;
  if (written === undefined) return false;
  const isDuration = unit === "duration" && typeof written === "string";
  const ms = isDuration ? parseDuration(written) : undefined;
  return tomlValue(shown) === tomlValue(ms === undefined ? written : formatDuration(ms));
}

function isListOfTables(node: KeyNode): boolean {
  return node.kind === "list" && node.children.get(ANY)?.kind === "table";
}

function shortened(text: string): string {
  return text.length <= LONGEST_VALUE ? text : `${text.slice(0, LONGEST_VALUE)}…`;
}
