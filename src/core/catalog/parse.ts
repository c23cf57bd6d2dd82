/** Reads what a backend lists item by item: a bad item costs itself, never the list (protocol.md 0.5). */
import type { Era, RefusedItem } from "../../contract/mod.ts";
import type { JsonObject } from "../mcp/json.ts";
import { headerProblem, withoutBrokenHeaders } from "./header_annotations.ts";
import { KINDS } from "./kinds.ts";
import { isRecord } from "./members.ts";
import { controlProblem, nameProblem } from "./naming.ts";
import { outputProblem } from "./output_schema.ts";
import { Refusals, UNREADABLE } from "./refusals.ts";
import { schemaProblem } from "./schema.ts";
import { compileTemplate } from "./template.ts";
import type { ItemKind } from "./types.ts";

/** Largest definition, as bytes of JSON (trust.md T32). */
const MAX_DEFINITION = 64_000;

/** How much of one list is taken. */
export interface ListBounds {
  readonly items: number;
  /** Bytes of JSON of all items together. */
  readonly bytes: number;
}

export const LIST_BOUNDS: ListBounds = { items: 10_000, bytes: 16_000_000 };

/** What the items of a backend may be. */
export interface ListSpeech {
  readonly era: Era;
  /** Its calls carry `Mcp-Param-*`: a tool with broken annotations cannot be called. */
  readonly mirrors: boolean;
}

const LEGACY: ListSpeech = { era: "legacy", mirrors: false };

/** How a list is collected. */
export interface ListOptions {
  readonly backend: string;
  readonly bounds: ListBounds;
  readonly speech: ListSpeech;
}

export interface ParsedItems {
  /** As received, unknown members included; only broken annotations are gone where nobody reads them. */
  readonly items: readonly JsonObject[];
  readonly refused: readonly RefusedItem[];
}

/** Parses one list of a backend; never throws for what stands in it. */
export function parseItems(
  kind: ItemKind,
  rawItems: readonly unknown[],
  backend: string,
  speech = LEGACY,
): ParsedItems {
  const collector = new ItemCollector(kind, { backend, bounds: LIST_BOUNDS, speech });
  collector.add(rawItems);
  return collector.result();
}

/** Collects the items of one list over its pages. */
export class ItemCollector {
  readonly #kind: ItemKind;
  readonly #backend: string;
  readonly #bounds: ListBounds;
  readonly #speech: ListSpeech;
  readonly #refusals: Refusals;
  readonly #items: JsonObject[] = [];
  readonly #keys = new Set<string>();
  readonly #bytes = new TextEncoder();
  #seen = 0;
  #size = 0;
  #ended: string | undefined;

  constructor(kind: ItemKind, { backend, bounds, speech }: ListOptions) {
    this.#kind = kind;
    this.#backend = backend;
    this.#bounds = bounds;
    this.#speech = speech;
    this.#refusals = new Refusals(backend, kind);
  }

  /** True when nothing more will be taken. */
  get ended(): boolean {
    return this.#ended !== undefined;
  }

  add(rawItems: readonly unknown[]): void {
    for (const raw of rawItems) {
      if (this.#seen === this.#bounds.items) {
        this.end(`it has more than ${this.#bounds.items} items`);
      }
      if (this.ended) return;
      this.#seen++;
      this.#addOne(raw);
    }
  }

  /** What was taken stays; the reason makes the list known as incomplete. */
  end(reason: string): void {
    this.#ended ??= reason;
  }

  result(): ParsedItems {
    const { rows } = this.#refusals;
    if (this.#ended === undefined) return { items: this.#items, refused: rows };
    const { method } = KINDS[this.#kind];
    const reason = `the rest of "${method}" was not read: ${this.#ended}`;
    const row = { backend: this.#backend, kind: this.#kind, name: UNREADABLE, reason };
    return { items: this.#items, refused: [...rows, row] };
  }

  #addOne(raw: unknown): void {
    if (!isRecord(raw)) return this.#refusals.add(`#${this.#seen}`, "it is not an object");
    const key = raw[KINDS[this.#kind].key];
    if (typeof key !== "string") {
      return this.#refusals.add(`#${this.#seen}`, `it has no "${KINDS[this.#kind].key}"`);
    }
    const problem = this.#keys.has(key)
      ? "the backend lists it twice; the first is shown"
      : this.#itemProblem(key, raw) ?? this.#sizeProblem(raw);
    if (problem !== undefined) return this.#refusals.add(key, problem);
    if (this.ended) return;
    this.#keys.add(key);
    const mends = this.#kind === "tool" && !this.#speech.mirrors;
    this.#items.push(mends ? withoutBrokenHeaders(raw) : raw);
  }

  #itemProblem(key: string, item: JsonObject): string | undefined {
    if (this.#kind !== "tool") return itemProblem(this.#kind, key, item);
    return nameProblem(key) ?? toolProblem(item, this.#speech);
  }

  #sizeProblem(item: JsonObject): string | undefined {
    const size = this.#bytes.encode(JSON.stringify(item)).length;
    if (size > MAX_DEFINITION) return `its definition is larger than ${MAX_DEFINITION} bytes`;
    this.#size += size;
    if (this.#size > this.#bounds.bytes) this.end(`it is larger than ${this.#bounds.bytes} bytes`);
    return undefined;
  }
}

function itemProblem(kind: ItemKind, key: string, item: JsonObject): string | undefined {
  if (kind === "prompt") return nameProblem(key);
  if (typeof item["name"] !== "string") return 'it has no "name"';
  if (key === "") return `its "${KINDS[kind].key}" is empty`;
  if (kind === "template" && compileTemplate(key) === undefined) {
    return "its URI template is malformed";
  }
  return controlProblem(key, KINDS[kind].key);
}

function toolProblem(tool: JsonObject, { era, mirrors }: ListSpeech): string | undefined {
  const { inputSchema, outputSchema } = tool;
  const problem = schemaProblem(inputSchema, "inputSchema") ??
    (mirrors ? headerProblem(inputSchema as JsonObject) : undefined);
  if (problem !== undefined || outputSchema === undefined || outputSchema === null) return problem;
  return outputProblem(outputSchema, era);
}
