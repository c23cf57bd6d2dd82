/** Where keys and values stand in a TOML text. Loaded only when an error must be shown. */
import { type AST, parseTOML } from "toml-eslint-parser";
import { formatPath, type Path } from "./issue.ts";

/** A place in the text: lines from 1, columns from 0, `end` excluded. */
export interface Span {
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
}

interface Header {
  readonly span: Span;
  readonly isList: boolean;
  /** `[backends.n8n]`, with the name or issuer of an entry of a list. */
  readonly label: string;
}

/** Looks places up by path. */
export class Positions {
  readonly #keys = new Map<string, Span>();
  readonly #values = new Map<string, Span>();
  readonly #tables = new Map<string, Span>();
  readonly #headers: Header[] = [];

  /** @throws SyntaxError when the text is not TOML */
  constructor(text: string) {
    const [top] = parseTOML(text, { tomlVersion: "1.1" }).body;
    for (const node of top.body) {
      if (node.type === "TOMLTable") this.#addTable(node);
      else this.#addPair(node, []);
    }
  }

  /** The key, or the nearest place around it. */
  key(path: Path): Span {
    return this.#nearest(path, [this.#keys, this.#tables, this.#values]);
  }

  /** The value, or the nearest place around it. */
  value(path: Path): Span {
    return this.#nearest(path, [this.#values, this.#keys, this.#tables]);
  }

  /** The header of the table, or the nearest place around it. */
  table(path: Path): Span {
    return this.#nearest(path, [this.#tables, this.#keys, this.#values]);
  }

  /** The value, exactly; undefined when it does not stand in the text. */
  exactValue(path: Path): Span | undefined {
    return this.#values.get(JSON.stringify(path));
  }

  /** The table a line belongs to. A line that is itself a header tells it already, except in a list. */
  context(line: number): string | undefined {
    const header = this.#headers.findLast(({ span }) => span.line <= line);
    if (header === undefined || (header.span.line === line && !header.isList)) return undefined;
    return header.label;
  }

  #nearest(path: Path, maps: readonly ReadonlyMap<string, Span>[]): Span {
    for (let length = path.length; length > 0; length--) {
      const id = JSON.stringify(path.slice(0, length));
      const span = maps.map((map) => map.get(id)).find((found) => found !== undefined);
      if (span !== undefined) return span;
    }
    return { line: 1, column: 0, endLine: 1, endColumn: 1 };
  }

  #addTable(node: AST.TOMLTable): void {
    const start = node.loc.start;
    const brackets = node.kind === "array" ? 2 : 1;
    const span = spanOf({ start, end: node.key.loc.end });
    const header = { ...span, endColumn: span.endColumn + brackets };
    this.#tables.set(JSON.stringify(node.resolvedKey), header);
    this.#headers.push({
      span: header,
      isList: node.kind === "array",
      label: labelOf(node, brackets),
    });
    this.#addKeys(node.key.keys, node.resolvedKey);
    for (const pair of node.body) this.#addPair(pair, node.resolvedKey);
  }

  #addPair(pair: AST.TOMLKeyValue, above: Path): void {
    const path = [...above, ...pair.key.keys.map(nameOf)];
    this.#addKeys(pair.key.keys, path, above.length);
    this.#addValue(pair.value, path);
  }

  #addValue(node: AST.TOMLContentNode, path: Path): void {
    this.#values.set(JSON.stringify(path), spanOf(node.loc));
    if (node.type === "TOMLInlineTable") {
      for (const pair of node.body) this.#addPair(pair, path);
    }
    if (node.type === "TOMLArray") {
      for (const [index, element] of node.elements.entries()) {
        this.#addValue(element, [...path, index]);
      }
    }
  }

  /** Gives every segment of a dotted key its own place; list positions have none. */
  #addKeys(keys: readonly (AST.TOMLBare | AST.TOMLQuoted)[], path: Path, skip = 0): void {
    let next = 0;
    for (let length = skip + 1; length <= path.length; length++) {
      const key = typeof path[length - 1] === "number" ? undefined : keys[next++];
      const id = JSON.stringify(path.slice(0, length));
      if (key !== undefined && !this.#keys.has(id)) this.#keys.set(id, spanOf(key.loc));
    }
  }
}

function labelOf(node: AST.TOMLTable, brackets: number): string {
  const name = formatPath(node.key.keys.map(nameOf));
  const label = `${"[".repeat(brackets)}${name}${"]".repeat(brackets)}`;
  const text = (wanted: string): string | undefined => {
    const value = node.body.find((pair) => pair.key.keys.map(nameOf).join(".") === wanted)?.value;
    return value?.type === "TOMLValue" && value.kind === "string" ? value.value : undefined;
  };
  const given = text("name");
  if (given !== undefined) return `${label} ${JSON.stringify(given)}`;
  const issuer = text("issuer");
  return issuer === undefined ? label : `${label} issuer ${JSON.stringify(issuer)}`;
}

function nameOf(key: AST.TOMLBare | AST.TOMLQuoted): string {
  return key.type === "TOMLBare" ? key.name : key.value;
}

function spanOf(loc: AST.HasLocs["loc"]): Span {
  return {
    line: loc.start.line,
    column: loc.start.column,
    endLine: loc.end.line,
    endColumn: loc.end.column,
  };
}
