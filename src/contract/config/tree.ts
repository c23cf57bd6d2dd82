/** The configuration schema as a tree of keys: what every reader of the table walks. */
import * as v from "valibot";
import type { Unit } from "../units.ts";
import type { KeyMeta, Secrecy } from "./key.ts";

/** Stands for any name of a map and any position in a list. */
export const ANY = "*";

export type KeyKind =
  | "table"
  | "map"
  | "list"
  | "text"
  | "number"
  | "boolean"
  | "choice"
  | "date"
  | "anything";

/** One place of the configuration: a key, or an entry of a map or list. */
export interface KeyNode {
  /** Segments from the top, `*` for names and positions. */
  readonly path: readonly string[];
  readonly kind: KeyKind;
  /** Completes "is not a valid …". */
  readonly noun: string;
  readonly unit: Unit | undefined;
  /** Words of a choice; empty for everything else. */
  readonly words: readonly string[];
  /** A choice that may also be a whole number. */
  readonly orNumber: boolean;
  /** As written in the file; undefined when there is none. */
  readonly default: unknown;
  readonly required: boolean;
  /** Missing for entries of maps and lists. */
  readonly meta: KeyMeta | undefined;
  /** Without effect in this version, here or in a table around it. */
  readonly later: boolean;
  readonly secret: Secrecy | undefined;
  /** By key, or under `*`. */
  readonly children: ReadonlyMap<string, KeyNode>;
}

/** What the walk reads of a valibot schema. */
interface Schema {
  readonly type: string;
  readonly wrapped?: Schema;
  readonly entries?: Readonly<Record<string, Schema>>;
  readonly item?: Schema;
  readonly value?: Schema;
  readonly default?: unknown;
  /** Words of a choice; schemas of a choice that may also be a number. */
  readonly options?: readonly (string | Schema)[];
  readonly literal?: unknown;
}

interface Notes {
  readonly noun?: string;
  readonly unit?: Unit;
}

const KINDS: Readonly<Record<string, KeyKind>> = {
  strict_object: "table",
  record: "map",
  array: "list",
  number: "number",
  literal: "number",
  boolean: "boolean",
  picklist: "choice",
  union: "choice",
  date: "date",
  unknown: "anything",
};

/** The tree of a schema made with `key`; its root has the empty path. */
export function keyTree(schema: v.GenericSchema): KeyNode {
  return nodeOf(schema as unknown as Schema, [], { later: false, secret: undefined });
}

/** The node for a path of the file, with real names and positions; undefined for an unknown key. */
export function nodeAt(root: KeyNode, path: readonly (string | number)[]): KeyNode | undefined {
  let node: KeyNode | undefined = root;
  for (const segment of path) {
    node = node?.children.get(String(segment)) ?? node?.children.get(ANY);
  }
  return node;
}

/** Every node that is a key, in the order of the table. */
export function* keysOf(node: KeyNode): Generator<KeyNode & { readonly meta: KeyMeta }> {
  if (node.meta !== undefined) yield node as KeyNode & { readonly meta: KeyMeta };
  for (const child of node.children.values()) yield* keysOf(child);
}

interface Inherited {
  readonly later: boolean;
  readonly secret: Secrecy | undefined;
}

function nodeOf(schema: Schema, path: readonly string[], inherited: Inherited): KeyNode {
  const meta = v.getMetadata(schema as never) as Partial<KeyMeta> & Notes;
  const inner = schema.type === "optional" && schema.wrapped ? schema.wrapped : schema;
  const notes = v.getMetadata(inner as never) as Notes;
  const own: Inherited = {
    later: inherited.later || meta.later === true,
    secret: meta.secret ?? inherited.secret,
  };
  return {
    path,
    kind: KINDS[inner.type] ?? "text",
    noun: notes.noun ?? "value",
    unit: notes.unit,
    words: wordsOf(inner),
    orNumber: inner.type === "union",
    default: schema.default,
    required: schema.type !== "optional",
    meta: meta.about === undefined ? undefined : meta as KeyMeta,
    ...own,
    children: childrenOf(inner, path, own),
  };
}

function wordsOf({ options = [] }: Schema): readonly string[] {
  return options.flatMap((option) => typeof option === "string" ? [option] : wordsOf(option));
}

function childrenOf(schema: Schema, path: readonly string[], inherited: Inherited) {
  const entries = schema.entries ?? anyEntry(schema.item ?? schema.value);
  return new Map(
    Object.entries(entries).map(([name, child]) =>
      [name, nodeOf(child, [...path, name], inherited)] as const
    ),
  );
}

function anyEntry(schema: Schema | undefined): Readonly<Record<string, Schema>> {
  return schema === undefined ? {} : { [ANY]: schema };
}
