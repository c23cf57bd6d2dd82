/** Where the parts of a table stand in a TOML text, for those that change one part and leave the rest. */
import { type AST, parseTOML } from "toml-eslint-parser";

/** Offsets in the text, `to` excluded. */
export interface TextRange {
  readonly from: number;
  readonly to: number;
}

/**
 * The tables and keys at a path and below it, in the order of the text, a table with its header. What stands
 * within an inline table has no place of its own.
 * @throws SyntaxError when the text is not TOML
 */
export function rangesAt(text: string, path: readonly string[]): TextRange[] {
  const [top] = parseTOML(text, { tomlVersion: "1.1" }).body;
  return top.body.flatMap((node) => {
    if (node.type === "TOMLKeyValue") return pairAt(node, [], path);
    const above = node.resolvedKey.map(String);
    if (isWithin(above, path)) return [rangeOf(node)];
    return node.body.flatMap((pair) => pairAt(pair, above, path));
  });
}

function pairAt(
  pair: AST.TOMLKeyValue,
  above: readonly string[],
  path: readonly string[],
): TextRange[] {
  const keys = pair.key.keys.map((key) => key.type === "TOMLBare" ? key.name : key.value);
  return isWithin([...above, ...keys], path) ? [rangeOf(pair)] : [];
}

function isWithin(path: readonly string[], outer: readonly string[]): boolean {
  return outer.every((segment, index) => path[index] === segment);
}

function rangeOf({ range: [from, to] }: AST.TOMLTable | AST.TOMLKeyValue): TextRange {
  return { from, to };
}
