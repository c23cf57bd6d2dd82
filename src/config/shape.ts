/** Compares the file with the schema: unknown keys, missing keys, wrong types and values. */
import * as v from "valibot";
import { type Config, ConfigSchema } from "../contract/config.ts";
import { ANY, type KeyNode, nodeAt } from "../contract/config/tree.ts";
import { suggest } from "../contract/suggest.ts";
import { BULLETS, hasUserInfo } from "./credentials.ts";
import { type Finding, formatPath, type Path } from "./issue.ts";
import { isTable, quote, type Table, valueAt } from "./raw.ts";
import { referencesIn } from "./references.ts";
import { isSecretPath } from "./secrets.ts";

export interface Shape {
  /** Undefined when there are findings. */
  readonly config: Config | undefined;
  readonly findings: readonly Finding[];
}

/**
 * Checks `tree`. `written` is the same before references were resolved: messages quote it, so that a resolved
 * secret never shows up in one.
 */
export function checkShape(tree: Table, written: Table, root: KeyNode): Shape {
  const unknown = [...unknownKeys(tree, root, [])];
  const result = v.safeParse(ConfigSchema, tree);
  const wrong = (result.issues ?? []).flatMap((issue) => {
    const finding = findingOf(issue, written, root);
    return finding === undefined ? [] : [finding];
  });
  const findings = firstOfEach([...unknown, ...wrong]);
  return { config: findings.length === 0 ? result.output as Config : undefined, findings };
}

/** valibot reports one unknown key of each table and drops some names silently; people want all of them. */
function* unknownKeys(value: unknown, node: KeyNode, path: Path): Generator<Finding> {
  if (node.kind === "list" && Array.isArray(value)) {
    for (const [index, entry] of value.entries()) {
      const child = node.children.get(ANY);
      if (child !== undefined) yield* unknownKeys(entry, child, [...path, index]);
    }
  }
  if (node.kind !== "table" && node.kind !== "map") return;
  // valibot takes lists and dates for objects.
  if (typeof value === "object" && !isTable(value)) yield wrongType(path, node, value);
  if (!isTable(value)) return;
  for (const [name, entry] of Object.entries(value)) {
    const here = [...path, name];
    const child = node.children.get(name) ?? node.children.get(ANY);
    if (node.kind === "map" && RESERVED_NAMES.has(name)) yield reservedName(here);
    else if (child === undefined) yield unknownKey(here, node);
    else yield* unknownKeys(entry, child, here);
  }
}

const RESERVED_NAMES = new Set(["__proto__", "constructor", "prototype"]);

function reservedName(path: Path): Finding {
  const name = quote(path.at(-1));
  return {
    code: "bad_name",
    path,
    at: "key",
    message: `${name} is reserved`,
    hint: "choose another name",
  };
}

function unknownKey(path: Path, node: KeyNode): Finding {
  const name = String(path.at(-1));
  const near = suggest(name, node.children.keys());
  const hint = near === undefined
    ? FOREIGN[foreignKey(path)] ?? listKeys(node)
    : `did you mean ${quote(near)}?`;
  return { code: "unknown_key", path, at: "key", message: `unknown key ${quote(name)}`, hint };
}

/** Keys people bring along from client files. */
const FOREIGN: Readonly<Record<string, string>> = {
  mcpServers: "that is a client's file; write [backends.<name>] for each server",
  servers: "write [backends.<name>] for each server",
  "backends.*.type": "leave it out: url = HTTP server, command = local process",
  "backends.*.disabled": "write enabled = false",
};

function foreignKey(path: Path): string {
  return path.map((segment, index) => path[0] === "backends" && index === 1 ? ANY : segment).join(
    ".",
  );
}

function listKeys(node: KeyNode): string {
  const keys = [...node.children.keys()];
  if (keys.length <= 8) return `known here: ${keys.join(", ")}`;
  return `see  mcp-sentinel config explain ${node.path.join(".")}`.trimEnd();
}

type SchemaIssue = v.InferIssue<typeof ConfigSchema>;

function findingOf(issue: SchemaIssue, written: Table, root: KeyNode): Finding | undefined {
  const path = (issue.path ?? []).map((item) => item.key as string | number);
  const origin = issue.path?.at(-1)?.origin;
  if (issue.type === "strict_object" && issue.expected === "never") return undefined;
  if (issue.type === "strict_object" && origin === "key") return missingKey(path, root);
  if (origin === "key") return badName(path, issue.message);
  const node = nodeAt(root, path);
  if (node === undefined) return undefined;
  const value = valueAt(written, path) ?? issue.input;
  if (issue.kind === "schema" && !isRightType(node, value)) return wrongType(path, node, value);
  const reason = issue.kind === "validation" ? issue.message : "";
  return wrongValue(path, node, { value, reason, root });
}

function missingKey(path: Path, root: KeyNode): Finding {
  const name = String(path.at(-1));
  const example = nodeAt(root, path)?.meta?.example ?? "…";
  return {
    code: "missing_key",
    path,
    at: "table",
    message: `missing key ${quote(name)}`,
    hint: `add  ${name} = ${example}`,
  };
}

function badName(path: Path, hint: string): Finding {
  const message = `${quote(path.at(-1))} cannot be used as a name`;
  return { code: "bad_name", path, at: "key", message, hint };
}

function wrongType(path: Path, node: KeyNode, value: unknown): Finding {
  const subject = typeof path.at(-1) === "number" ? "expected" : `${quote(path.at(-1))} must be`;
  const message = `${subject} ${describe(node)}, not ${describeValue(value)}`;
  return { code: "wrong_type", path, at: "value", message, hint: typeHint(path, node, value) };
}

function typeHint(path: Path, node: KeyNode, value: unknown): string {
  const example = node.meta?.example;
  if (example !== undefined) return `write  ${path.at(-1)} = ${example}`;
  if (node.kind === "table") return `write  [${formatPath(path)}]  and its keys below`;
  if (node.kind === "map") return `write  [${formatPath(path)}.<name>]  and its keys below`;
  const bare = typeof value === "number" || typeof value === "boolean";
  return bare && node.kind === "text" ? `put it in quotes: "${value}"` : "";
}

interface WrongValue {
  readonly value: unknown;
  readonly reason: string;
  readonly root: KeyNode;
}

function wrongValue(path: Path, node: KeyNode, wrong: WrongValue): Finding {
  const { value, reason, root } = wrong;
  const near = typeof value === "string" ? suggest(value, node.words) : undefined;
  const number = node.orNumber ? ", or a number" : "";
  const choice = near === undefined
    ? `use one of: ${node.words.join(", ")}${number}`
    : `did you mean ${quote(near)}? use one of: ${node.words.join(", ")}${number}`;
  const isChoice = node.words.length > 0 && !(node.orNumber && typeof value === "number");
  const version = formatPath(path) === "version";
  return {
    code: "wrong_value",
    path,
    at: "value",
    message: version
      ? `version ${quote(value)} of the file format is not known`
      : `${shown(value, path, root)} is not ${kindOf(node)}`,
    hint: version ? "write  version = 1" : isChoice ? choice : reason,
  };
}

function kindOf(node: KeyNode): string {
  if (node.words.length === 0) return `a valid ${node.noun}`;
  return /^[aeiou]/.test(node.noun) ? `an ${node.noun}` : `a ${node.noun}`;
}

/** The value as it stands in the file, unless it is a credential. */
function shown(value: unknown, path: Path, root: KeyNode): string {
  const text = String(value);
  const secret = isSecretPath(root, path) || nodeAt(root, path)?.secret === "password";
  return hasUserInfo(text) || (secret && referencesIn(text).length === 0) ? BULLETS : quote(value);
}

function isRightType(node: KeyNode, value: unknown): boolean {
  const type = describeValue(value);
  if (node.kind === "choice") return type === "a text" || (node.orNumber && type === "a number");
  return describe(node) === type || (node.kind === "number" && typeof value === "number");
}

function describe(node: KeyNode): string {
  if (node.unit !== undefined && node.unit !== "date") return `a ${node.noun} in quotes`;
  return node.orNumber ? "a text or a number" : KIND_NAMES[node.kind];
}

const KIND_NAMES: Readonly<Record<KeyNode["kind"], string>> = {
  table: "a table",
  map: "a table",
  list: "a list",
  text: "a text",
  number: "a number",
  boolean: "true or false",
  choice: "a text",
  date: "a date",
  anything: "a value",
};

function describeValue(value: unknown): string {
  if (typeof value === "string") return "a text";
  if (typeof value === "number") return "a number";
  if (typeof value === "boolean") return String(value);
  if (Array.isArray(value)) return "a list";
  return value instanceof Date ? "a date" : "a table";
}

/** A value that is wrong in two ways is reported once. */
function firstOfEach(findings: readonly Finding[]): Finding[] {
  const seen = new Set<string>();
  return findings.filter((finding) => {
    const id = formatPath(finding.path);
    return seen.has(id) ? false : seen.add(id);
  });
}
