/** JSON with comments and trailing commas, changed in one place: every other byte stays as it is. */
import { createScanner, type Node, type ParseError, parseTree } from "jsonc-parser";
import { printParseErrorCode } from "jsonc-parser";
import type { Keys, Tree } from "./tree.ts";

/** Why a text is no JSON, and where. */
export interface JsonProblem {
  readonly offset: number;
  readonly reason: string;
}

interface Edit {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

/** How the file is written. */
interface Style {
  readonly eol: string;
  /** One step of indentation. */
  readonly step: string;
}

/** The first thing that is wrong; undefined for a good text, also for an empty one. */
export function jsonProblem(text: string): JsonProblem | undefined {
  const errors: ParseError[] = [];
  parseTree(text, errors, { allowTrailingComma: true, allowEmptyContent: true });
  const [first] = errors;
  if (first === undefined) return undefined;
  const reason = printParseErrorCode(first.error).replace(/(?<=[a-z])(?=[A-Z])/g, " ")
    .toLowerCase();
  return { offset: first.offset, reason };
}

/** What the text says; undefined for an empty one. The last of several equal keys counts. */
export function jsonTree(text: string): Tree | undefined {
  const root = rootOf(text);
  return root === undefined ? undefined : treeOfNode(root);
}

/** The text with the value at the path, which is made where it is missing. The text must be good. */
export function withJsonValue(text: string, path: Keys, value: unknown): string {
  const root = rootOf(text);
  const style = styleOf(text);
  if (root === undefined) {
    const gap = text === "" || text.endsWith("\n") ? "" : style.eol;
    return `${text}${gap}${pretty(nested(path, value), "", { ...style, step: "  " })}${style.eol}`;
  }
  let node = root;
  for (const [index, key] of path.entries()) {
    const inner = propertyOf(node, key)?.children?.[1];
    if (inner === undefined) {
      const member = { key, value: nested(path.slice(index + 1), value) };
      return applied(text, insertion({ text, node, style }, member));
    }
    node = inner;
  }
  const indent = indentAt(text, node.offset);
  const to = node.offset + node.length;
  return applied(text, [{ from: node.offset, to, text: pretty(value, indent, style) }]);
}

/** The text without the member at the path; comments around it stay. */
export function withoutJsonValue(text: string, path: Keys): string {
  let node = rootOf(text);
  for (const key of path.slice(0, -1)) node = node && propertyOf(node, key)?.children?.[1];
  const property = node && propertyOf(node, path.at(-1) ?? "");
  return property === undefined ? text : applied(text, removal(text, property));
}

function rootOf(text: string): Node | undefined {
  return parseTree(text, [], { allowTrailingComma: true, allowEmptyContent: true });
}

function treeOfNode(node: Node): Tree {
  const children = node.children ?? [];
  if (node.type === "array") return children.map(treeOfNode);
  if (node.type !== "object") return node.value;
  return new Map(children.flatMap(({ children: [key, value] = [] }) => {
    return key === undefined || value === undefined ? [] : [[key.value, treeOfNode(value)]];
  }));
}

function propertyOf(node: Node, key: string): Node | undefined {
  if (node.type !== "object") return undefined;
  return node.children?.findLast(({ children }) => children?.[0]?.value === key);
}

function nested(path: Keys, value: unknown): unknown {
  return path.reduceRight((inner, key) => ({ [key]: inner }), value);
}

function styleOf(text: string): Style {
  return {
    eol: text.includes("\r\n") ? "\r\n" : "\n",
    step: /^([ \t]+)"/m.exec(text)?.[1] ?? "  ",
  };
}

function pretty(value: unknown, indent: string, { step, eol }: Style): string {
  return JSON.stringify(value, null, step).replaceAll("\n", `${eol}${indent}`);
}

interface Target {
  readonly text: string;
  /** The object that gets a member. */
  readonly node: Node;
  readonly style: Style;
}

interface Member {
  readonly key: string;
  readonly value: unknown;
}

function insertion(target: Target, member: Member): Edit[] {
  const { text, node, style } = target;
  const [first] = node.children ?? [];
  const last = node.children?.at(-1);
  if (first === undefined || last === undefined) return [firstMember(target, member)];
  const end = last.offset + last.length;
  const comma = commaAfter(text, end);
  const place = comma === undefined ? end : comma + 1;
  const separator = comma === undefined ? [{ from: end, to: end, text: "," }] : [];
  const closing = comma === undefined ? "" : ",";
  const indent = indentOfLine(text, first.offset);
  if (indent === undefined) {
    const written = ` ${JSON.stringify(member.key)}: ${JSON.stringify(member.value)}${closing}`;
    return [...separator, { from: place, to: place, text: written }];
  }
  const at = endOfRemarks(text, place);
  const written = `${style.eol}${indent}${memberText(member, indent, style)}${closing}`;
  return [...separator, { from: at, to: at, text: written }];
}

/** Into an object without members; comments in it stay in front. */
function firstMember({ text, node, style }: Target, member: Member): Edit {
  const open = node.offset + 1;
  const close = node.offset + node.length - 1;
  const outer = indentAt(text, node.offset);
  const indent = `${outer}${style.step}`;
  const written = `${style.eol}${indent}${memberText(member, indent, style)}${style.eol}${outer}`;
  const from = open + text.slice(open, close).trimEnd().length;
  return { from, to: close, text: written };
}

function memberText({ key, value }: Member, indent: string, style: Style): string {
  return `${JSON.stringify(key)}: ${pretty(value, indent, style)}`;
}

function removal(text: string, property: Node): Edit[] {
  const { offset, length, parent } = property;
  const siblings = parent?.children ?? [];
  const before = siblings[siblings.indexOf(property) - 1];
  const end = offset + length;
  const comma = commaAfter(text, end);
  const own = wholeLines(text, { from: offset, to: comma === undefined ? end : comma + 1 });
  // Without one behind it, the comma in front would be left over.
  const left = comma === undefined && before !== undefined
    ? commaAfter(text, before.offset + before.length)
    : undefined;
  if (left === undefined) return [own];
  // Neither would the space behind that comma be of use.
  const [space = ""] = /[ \t]*$/.exec(text.slice(left + 1, own.from)) ?? [];
  return [{ from: left, to: left + 1, text: "" }, { ...own, from: own.from - space.length }];
}

/** Takes the line along when nothing else is on it, else the space behind. */
function wholeLines(text: string, { from, to }: { from: number; to: number }): Edit {
  const start = text.lastIndexOf("\n", from - 1) + 1;
  const [rest = ""] = /^[ \t]*(\r?\n|$)?/.exec(text.slice(to)) ?? [];
  const isAlone = text.slice(start, from).trim() === "" && rest.endsWith("\n");
  if (isAlone) return { from: start, to: to + rest.length, text: "" };
  return { from, to: to + rest.replace(/\r?\n$/, "").length, text: "" };
}

/** Offset of the comma that follows, over comments; undefined when none does. */
function commaAfter(text: string, offset: number): number | undefined {
  const scanner = createScanner(text, true);
  scanner.setPosition(offset);
  scanner.scan();
  const at = scanner.getTokenOffset();
  return text[at] === "," ? at : undefined;
}

/** Behind the comments on the rest of the line. */
function endOfRemarks(text: string, offset: number): number {
  const [remarks = ""] = /^(?:[ \t]*(?:\/\/[^\r\n]*|\/\*(?:(?!\*\/)[^\r\n])*\*\/))*/
    .exec(text.slice(offset)) ?? [];
  return offset + remarks.length;
}

/** Indentation of the line the offset is on. */
function indentAt(text: string, offset: number): string {
  const start = text.lastIndexOf("\n", offset - 1) + 1;
  return /^[ \t]*/.exec(text.slice(start, offset))?.[0] ?? "";
}

/** The same, when nothing else stands in front of the offset. */
function indentOfLine(text: string, offset: number): string | undefined {
  const start = text.lastIndexOf("\n", offset - 1) + 1;
  const front = text.slice(start, offset);
  return start > 0 && front.trim() === "" ? front : undefined;
}

/** The edits come in the order of the text. */
function applied(text: string, edits: readonly Edit[]): string {
  return edits.reduceRight(
    (done, { from, to, text: put }) => done.slice(0, from) + put + done.slice(to),
    text,
  );
}
