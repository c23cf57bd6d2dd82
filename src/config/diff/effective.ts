import { ANY, type KeyNode } from "../../contract/config/tree.ts";
import { isTable, type Table } from "../raw.ts";

/** The value that holds after a reload: the next one, unless its key waits for a restart. */
export function keepRunning(node: KeyNode, running: unknown, next: unknown): unknown {
  const isFolder = node.kind === "table" || node.kind === "map";
  if (isFolder && isTable(running) && isTable(next)) return keepBelow(node, running, next);
  return node.meta?.reload === "restart" ? running : next;
}

function keepBelow(node: KeyNode, running: Table, next: Table): Table {
  const names = node.kind === "map" ? Object.keys(next) : [...node.children.keys()];
  const kept = names.map((name): [string, unknown] => {
    const child = node.children.get(name) ?? node.children.get(ANY);
    const value = next[name];
    return [name, child === undefined ? value : keepRunning(child, running[name], value)];
  });
  return Object.fromEntries(kept.filter(([, value]) => value !== undefined));
}
