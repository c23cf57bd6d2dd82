/** Looks for suspicious text in one definition, wherever a model may read it. */
import type { Finding, FindingKind } from "../../contract/definitions.ts";
import type { JsonObject } from "../mcp/json.ts";
import { knownHash } from "./definition_hash.ts";
import { itemPath, memberPath } from "./json_path.ts";
import { isMixedName, isMixedTitle, textFindings } from "./lint_text.ts";
import { isRecord } from "./members.ts";

const MAX_FINDINGS = 20;
/** Names of tools that one definition is asked for. */
const MAX_MENTIONS = 200;
/** Members whose text is a link or data by itself. */
const LINKS: ReadonlySet<string> = new Set(["$schema", "$id", "$ref", "src", "websiteUrl"]);
const SECRET =
  /(?:^|_)(?:api_?key|secret|password|passwd|passphrase|credentials?|private_?key|access_?key|bearer|token)$/;
/** Tokens that are no secrets. */
const HARMLESS =
  /(?:^|_)(?:page|next|prev|previous|continuation|cursor|sync|max|min|idempotency|progress)_?token$/;
/** Most texts of a schema are one short word, in which nothing can hide. */
const WORD = /^[A-Za-z$]{0,24}$/;
const MAY_MENTION = /[A-Za-z0-9][_.-][A-Za-z0-9]|[a-z][A-Z]/;
const MENTION = /[A-Za-z0-9_.-]{4,128}/g;

/** What one definition says. */
export interface DefinitionLint {
  readonly findings: readonly Finding[];
  /** Texts in it that could be the name of a tool, with the place of each. */
  readonly mentions: ReadonlyMap<string, string>;
}

/** Definitions are never changed: each is looked at once. */
const known = new WeakMap<JsonObject, DefinitionLint>();
/** The same by hash: a backend that is read again lists new objects of the same content. */
const byHash = new Map<string, DefinitionLint>();
const MAX_KEPT = 20_000;

export function lintDefinition(definition: JsonObject): DefinitionLint {
  const kept = known.get(definition);
  if (kept !== undefined) return kept;
  const hash = knownHash(definition) ?? "";
  const lint = byHash.get(hash) ?? lookInto(definition);
  known.set(definition, lint);
  if (hash === "") return lint;
  byHash.delete(hash);
  byHash.set(hash, lint);
  if (byHash.size > MAX_KEPT) byHash.delete(byHash.keys().next().value as string);
  return lint;
}

function lookInto(definition: JsonObject): DefinitionLint {
  const lint = new Lint();
  lint.visit(definition, { path: "$", role: "text" });
  return lint;
}

/** Whether a text looks like an identifier, not like a word: words name no tool. */
export function isIdentifier(text: string): boolean {
  return text.length >= 4 && (/[_.-]./.test(text) || /[a-z][A-Z]/.test(text));
}

interface Place {
  readonly path: string;
  /** What a text here is for. */
  readonly role: "text" | "name" | "title" | "link" | "own name";
}

class Lint implements DefinitionLint {
  readonly findings: Finding[] = [];
  readonly mentions = new Map<string, string>();

  visit(value: unknown, place: Place): void {
    if (typeof value === "string") return this.#text(value, place);
    if (Array.isArray(value)) {
      const { path, role } = place;
      for (const [index, item] of value.entries()) {
        this.visit(item, { path: itemPath(path, index), role });
      }
    } else if (isRecord(value)) this.#members(value, place.path);
  }

  #members(value: JsonObject, path: string): void {
    for (const [key, member] of Object.entries(value)) {
      const inner = memberPath(path, key);
      if (key === "properties" && isRecord(member)) this.#parameters(member, inner);
      else if (key === "arguments" && path === "$") this.#arguments(member, inner);
      else {
        this.#text(key, { path: inner, role: "text" });
        this.visit(member, { path: inner, role: roleOf(key, path) });
      }
    }
  }

  /** Of a schema: the name of each stands for a value that a model fills in. */
  #parameters(properties: JsonObject, path: string): void {
    for (const [name, schema] of Object.entries(properties)) {
      const inner = memberPath(path, name);
      this.#parameter(name, inner);
      this.visit(schema, { path: inner, role: "text" });
    }
  }

  /** Of a prompt. */
  #arguments(list: unknown, path: string): void {
    if (!Array.isArray(list)) return;
    for (const [index, argument] of list.entries()) {
      const inner = itemPath(path, index);
      const name: unknown = isRecord(argument) ? argument["name"] : undefined;
      if (typeof name === "string") this.#parameter(name, inner);
      this.visit(argument, { path: inner, role: "text" });
    }
  }

  #parameter(name: string, path: string): void {
    this.#text(name, { path, role: "name" });
    const words = name.replace(/([a-z0-9])([A-Z])/g, "$1_$2").replace(/[-.]/g, "_").toLowerCase();
    if (SECRET.test(words) && !HARMLESS.test(words)) this.#add("secret_parameter", path);
  }

  #text(text: string, { path, role }: Place): void {
    if (WORD.test(text) && !isIdentifier(text)) return;
    for (const kind of textFindings(text, { links: role !== "link" })) this.#add(kind, path);
    if (role === "title" ? isMixedTitle(text) : role !== "text" && isMixedName(text)) {
      this.#add("mixed_script", path);
    }
    if (role === "text" || role === "title") this.#mention(text, path);
  }

  #mention(text: string, path: string): void {
    if (!MAY_MENTION.test(text)) return;
    for (const [found] of text.matchAll(MENTION)) {
      if (this.mentions.size >= MAX_MENTIONS) return;
      const name = found.endsWith(".") ? found.slice(0, -1) : found;
      if (isIdentifier(name) && !this.mentions.has(name)) this.mentions.set(name, path);
    }
  }

  #add(kind: FindingKind, path: string): void {
    const isNew = !this.findings.some((one) => one.kind === kind && one.path === path);
    if (isNew && this.findings.length < MAX_FINDINGS) this.findings.push({ kind, path });
  }
}

function roleOf(key: string, path: string): Place["role"] {
  if (key === "name" && path === "$") return "own name";
  if (key === "title") return "title";
  return LINKS.has(key) ? "link" : "text";
}
