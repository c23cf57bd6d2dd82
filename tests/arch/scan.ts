/** Reads what a source file imports, which globals it uses and which calls it makes. */
import { type Comment, parseSync } from "oxc-parser";
import { FORBIDDEN_GLOBALS, FORBIDDEN_MEMBERS, type Import } from "./layers.ts";

/** A node of the syntax tree, of any type. */
export interface Node {
  readonly type: string;
  readonly [key: string]: unknown;
}

/** The syntax tree of a source and its comments; throws `SyntaxError` where it does not parse. */
export function parse(file: string, text: string): { program: Node; comments: Comment[] } {
  const { errors: [first], program, comments } = parseSync(file, text);
  if (first !== undefined) throw new SyntaxError(`Cannot parse "${file}": ${first.message}`);
  return { program: program as unknown as Node, comments };
}

/** Every node below `root`, parents first. */
export function* nodesOf(root: Node): Generator<Node> {
  yield root;
  for (const child of childrenOf(root)) yield* nodesOf(child);
}

/** Imports of every kind: static, re-export, dynamic, and `import("…")` types. */
export function importsOf(root: Node): Import[] {
  const found: Import[] = [];
  for (const node of nodesOf(root)) {
    const kind = importKind(node);
    if (kind === undefined) continue;
    const source = node["source"] as Node;
    const specifier = typeof source["value"] === "string" ? source["value"] : undefined;
    found.push({ specifier, kind });
  }
  return found;
}

function importKind(node: Node): Import["kind"] | undefined {
  if (node.type === "ImportExpression") return "dynamic";
  if (node.type === "TSImportType") return "type";
  if (!/^(Import|ExportNamed|ExportAll)Declaration$/.test(node.type)) return undefined;
  if (!isNode(node["source"])) return undefined;
  const clause = node["importKind"] ?? node["exportKind"];
  if (clause === "type") return "type";
  const names = (node["specifiers"] ?? []) as Node[];
  const onlyTypes = names.length > 0 &&
    names.every((name) => (name["importKind"] ?? name["exportKind"]) === "type");
  return onlyTypes ? "type" : "value";
}

/** Uses of time, chance, network and runtime globals, such as `Date.now` or `process`. */
export function forbiddenUses(root: Node): string[] {
  const declared = declaredNames(root);
  const found: string[] = [];
  for (const node of valuesOf(root)) {
    const name = forbiddenName(node);
    if (name !== undefined && !declared.has(name)) found.push(name);
  }
  return found;
}

function forbiddenName(node: Node): string | undefined {
  if (node.type === "Identifier") {
    const name = String(node["name"]);
    return FORBIDDEN_GLOBALS.includes(name) ? name : undefined;
  }
  if (node.type === "NewExpression" || node.type === "CallExpression") {
    const bare = nameOf(node["callee"]) === "Date" && (node["arguments"] as Node[]).length === 0;
    return bare ? "Date()" : undefined;
  }
  if (node.type !== "MemberExpression") return undefined;
  const [object, property] = [nameOf(node["object"]), nameOf(node["property"])];
  if (object === "globalThis" || object === "self" || object === "window") {
    return FORBIDDEN_GLOBALS.includes(property ?? "") ? property : undefined;
  }
  const member = `${object}.${property}`;
  return FORBIDDEN_MEMBERS.includes(member) ? member : undefined;
}

/** Names a file binds itself, anywhere: an injected `fetch` is not the global one. */
function declaredNames(root: Node): ReadonlySet<string> {
  const names = new Set<string>();
  for (const node of nodesOf(root)) {
    for (const bound of bindingsOf(node)) names.add(bound);
  }
  return names;
}

function bindingsOf(node: Node): string[] {
  if (node.type === "VariableDeclarator") return patternNames(node["id"]);
  if (/^Import\w*Specifier$/.test(node.type)) return patternNames(node["local"]);
  if (!/Function/.test(node.type)) return [];
  return [node["id"], ...(node["params"] as unknown[] ?? [])].flatMap(patternNames);
}

function patternNames(pattern: unknown): string[] {
  if (!isNode(pattern)) return [];
  if (pattern.type === "Identifier") return [String(pattern["name"])];
  if (pattern.type === "Property") return patternNames(pattern["value"]);
  if (pattern.type === "AssignmentPattern") return patternNames(pattern["left"]);
  if (pattern.type === "RestElement") return patternNames(pattern["argument"]);
  return childrenOf(pattern).flatMap(patternNames);
}

/** Nodes that are evaluated: no types, no property names. */
function* valuesOf(root: Node): Generator<Node> {
  yield root;
  for (const child of evaluatedChildren(root)) yield* valuesOf(child);
}

function evaluatedChildren(node: Node): Node[] {
  if (node.type.startsWith("TS")) {
    const inner = node["expression"];
    return isNode(inner) ? [inner] : [];
  }
  const named = node.type === "MemberExpression" ? node["property"] : node["key"];
  if (node["computed"] === true || !isNode(named)) return childrenOf(node);
  return childrenOf(node).filter((child) => child !== named);
}

function childrenOf(node: Node): Node[] {
  return Object.values(node).flat().filter(isNode);
}

function nameOf(node: unknown): string | undefined {
  if (!isNode(node)) return undefined;
  if (node.type === "Identifier") return String(node["name"]);
  return node.type === "Literal" ? String(node["value"]) : undefined;
}

export function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && typeof (value as Node).type === "string";
}
