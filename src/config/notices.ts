import type { KeyNode } from "../contract/config/tree.ts";
import { ANY } from "../contract/config/tree.ts";
import { formatPath, type Path } from "./issue.ts";
import { isTable, type Table } from "./raw.ts";

/**
 * What the file asks for and this version does not do yet: one sentence for each section or key, in the
 * order of the file.
 */
export function noticesFor(tree: Table, root: KeyNode): string[] {
  return [...new Set(laterKeys(tree, root, []))];
}

function* laterKeys(value: unknown, node: KeyNode, path: Path): Generator<string> {
  if (node.later) {
    yield noticeOf(node, path);
    return;
  }
  const entries = Array.isArray(value)
    ? [...value.entries()]
    : isTable(value)
    ? Object.entries(value)
    : [];
  for (const [name, entry] of entries) {
    const child = node.children.get(String(name)) ?? node.children.get(ANY);
    if (child !== undefined) yield* laterKeys(entry, child, [...path, name]);
  }
}

function noticeOf(node: KeyNode, path: Path): string {
  const name = formatPath(path);
  if (node.kind === "list" && node.children.get(ANY)?.kind === "table") {
    return `section [[${name}]] has no effect yet`;
  }
  const section = node.kind === "table" || node.kind === "map";
  return section ? `section [${name}] has no effect yet` : `${name} has no effect yet`;
}
