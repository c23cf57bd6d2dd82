/** Reads what a backend lists item by item: a bad item costs itself, never the list (protocol.md 0.5). */
import type { RefusedItem } from "../../contract/mod.ts";
import type { JsonObject } from "../mcp/json.ts";
import { headerProblem } from "./header_annotations.ts";
import { KINDS } from "./kinds.ts";
import { isRecord } from "./members.ts";
import { controlProblem, nameProblem } from "./naming.ts";
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

export interface ParsedItems {
  /** As received, unknown members included. */
  readonly items: readonly JsonObject[];
  readonly refused: readonly RefusedItem[];
}

/** Parses one list of a backend; never throws for what stands in it. */
export function parseItems(
  kind: ItemKind,
  rawItems: readonly unknown[],
  backend: string,
): ParsedItems {
  const collector = new ItemCollector(kind, backend, LIST_BOUNDS);
  collector.add(rawItems);
  return collector.result();
}

/** Collects the items of one list over its pages. */
export class ItemCollector {
  readonly #kind: ItemKind;
  readonly #backend: string;
  readonly #bounds: ListBounds;
  readonly #refusals: Refusals;
  readonly #items: JsonObject[] = [];
  readonly #keys = new Set<string>();
  readonly #bytes = new TextEncoder();
  #seen = 0;
  #size = 0;
  #ended: string | undefined;

  constructor(kind: ItemKind, backend: string, bounds: ListBounds) {
    this.#kind = kind;
    this.#backend = backend;
    this.#bounds = bounds;
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
      : itemProblem(this.#kind, key, raw) ?? this.#sizeProblem(raw);
    if (problem !== undefined) return this.#refusals.add(key, problem);
    if (this.ended) return;
    this.#keys.add(key);
    this.#items.push(raw);
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
  if (kind === "tool") return nameProblem(key) ?? toolProblem(item);
  if (kind === "prompt") return nameProblem(key);
  if (typeof item["name"] !== "string") return 'it has no "name"';
  if (key === "") return `its "${KINDS[kind].key}" is empty`;
  if (kind === "template" && compileTemplate(key) === undefined) {
    return "its URI template is malformed";
  }
  return controlProblem(key, KINDS[kind].key);
}

function toolProblem(tool: JsonObject): string | undefined {
  const { inputSchema, outputSchema } = tool;
  const problem = schemaProblem(inputSchema, "inputSchema") ??
    headerProblem(inputSchema as JsonObject);
  if (problem !== undefined || outputSchema === undefined || outputSchema === null) return problem;
  return schemaProblem(outputSchema, "outputSchema");
}
