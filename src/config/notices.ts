import type { KeyNode } from "../contract/config/tree.ts";
import { ANY } from "../contract/config/tree.ts";
import { formatPath, type Path } from "./issue.ts";
import { isTable, type Table, textAt } from "./raw.ts";

/**
 * What the file asks for and this version does not do yet: one sentence for each section or key, in the
 * order of the file.
 */
export function noticesFor(tree: Table, root: KeyNode): string[] {
  const notices = [...laterKeys(tree, root, [])];
  const store = textAt(tree, "sessions", "store") ?? "memory";
  if (store === "redis") {
    notices.push(
      'sessions.store = "redis" shares limits and kill switches only: sessions are kept in memory yet',
    );
  } else if (store !== "memory") {
    notices.push(`sessions.store = "${store}" has no effect yet: sessions are kept in memory`);
  }
  return [...new Set(notices)];
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
