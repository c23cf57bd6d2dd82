import { isNode, type Node, nodesOf, parse } from "../../tests/arch/scan.ts";

interface Span {
  readonly start: number;
  readonly end: number;
}

/**
 * Numbers of the lines that hold code: no comments, no types, no imports, more than punctuation.
 * Counting the others as covered would make a page of documentation look like a tested page.
 */
export function codeLines(file: string, text: string): number[] {
  const { program, comments } = parse(file, text);
  const other = [...nodesOf(program)].map(notCode).filter((span) => span !== undefined);
  const code = blank(text, [...comments, ...other]);
  return code.split("\n").flatMap((line, index) => /\w/.test(line) ? [index + 1] : []);
}

/** What of a node never runs; undefined when all of it may. */
function notCode(node: Node): Span | undefined {
  const span = node as unknown as Span;
  if (node.type === "ImportDeclaration") return span;
  if (/^Export(Named|All)Declaration$/.test(node.type)) {
    return isNode(node["source"]) || node["exportKind"] === "type" ? span : undefined;
  }
  if (!node.type.startsWith("TS")) return undefined;
  // `value as Type`: the value runs.
  const inner = node["expression"];
  return isNode(inner) ? { start: (inner as unknown as Span).end, end: span.end } : span;
}

function blank(text: string, spans: readonly Span[]): string {
  const characters = text.split("");
  for (const { start, end } of spans) {
    for (let at = start; at < end; at++) if (characters[at] !== "\n") characters[at] = " ";
  }
  return characters.join("");
}
