/** Reads everything a backend offers: all pages of the lists it declares, within bounds. */
import { asSentinelError, SentinelError } from "../../contract/mod.ts";
import type { Era, RefusedItem } from "../../contract/mod.ts";
import type { Clock } from "../../ports/clock.ts";
import type { JsonObject } from "../mcp/json.ts";
import { hintsOf, type PageHints, strictest } from "./cache_hints.ts";
import { ITEM_KINDS, KINDS } from "./kinds.ts";
import { isRecord } from "./members.ts";
import { ItemCollector, LIST_BOUNDS, type ListBounds } from "./parse.ts";
import { Refusals, UNREADABLE } from "./refusals.ts";
import type { BackendCatalog, ItemKind } from "./types.ts";

const METHOD_NOT_FOUND = -32601;
const MAX_CURSOR = 8192;

/**
 * Sends one request to the backend and resolves with its parsed result. An error answer rejects with
 * SentinelError BACKEND_PROTOCOL and its code in `details.more.rpc`.
 */
export type CatalogRequest = (method: string, params: JsonObject) => Promise<JsonObject>;

export interface ReadBounds extends ListBounds {
  readonly pages: number;
  /** Milliseconds for one list; kept only with a clock. */
  readonly timeMs: number;
}

export const READ_BOUNDS: ReadBounds = { ...LIST_BOUNDS, pages: 1000, timeMs: 60_000 };

/** What the backend said in its handshake, and what is known of it; a `Link` will do. */
export interface Offer {
  readonly capabilities: JsonObject;
  readonly instructions: string | undefined;
  /** Default "legacy". */
  readonly era?: Era;
  /** Calls carry `Mcp-Param-*`, as those of modern HTTP backends do; default: by the era alone. */
  readonly mirrors?: boolean;
  /** Its entries stay for a list that cannot be read this time. */
  readonly previous?: BackendCatalog | undefined;
  readonly clock?: Clock;
  /** Default: READ_BOUNDS. */
  readonly bounds?: ReadBounds;
}

/**
 * Reads the lists that the capabilities declare, one after the other. A list that cannot be read, or not
 * to its end, is a row of `refused` with the name `*`; a list the backend does not know is empty.
 * @throws SentinelError BACKEND_PROTOCOL when no declared list can be read; whatever else `request`
 *   rejects with (a lost link, a timeout), as it is
 */
export async function readCatalog(
  request: CatalogRequest,
  offer: Offer,
  backend: string,
): Promise<BackendCatalog> {
  const lists = new Map<ItemKind, ReadList>();
  for (const kind of ITEM_KINDS) {
    if (!declares(offer.capabilities, kind)) continue;
    lists.set(kind, await readOrReport(new ListReader(kind, backend, request, offer)));
  }
  const failures = [...lists.values()].flatMap(({ failure }) => failure ?? []);
  const [failure] = failures;
  if (failure !== undefined && failures.length === lists.size) throw failure;
  const itemsOf = (kind: ItemKind) => {
    const list = lists.get(kind);
    return list?.failure === undefined
      ? list?.items ?? []
      : offer.previous?.[KINDS[kind].held] ?? [];
  };
  const { era = "legacy" } = offer;
  return {
    era,
    cache: era === "modern"
      ? strictest([...lists.values()].flatMap(({ hints }) => hints))
      : undefined,
    capabilities: offer.capabilities,
    instructions: offer.instructions,
    tools: itemsOf("tool"),
    prompts: itemsOf("prompt"),
    resources: itemsOf("resource"),
    templates: itemsOf("template"),
    refused: [...lists.values()].flatMap(({ refused }) => refused),
  };
}

interface ReadList {
  readonly items: readonly JsonObject[];
  readonly refused: readonly RefusedItem[];
  /** What its pages say of caching; undefined for each that says nothing. */
  readonly hints: readonly PageHints[];
  /** Why nothing of it could be used. */
  readonly failure?: SentinelError;
}

const EMPTY: ReadList = { items: [], refused: [], hints: [] };

async function readOrReport(reader: ListReader): Promise<ReadList> {
  try {
    return await reader.read();
  } catch (thrown) {
    const failure = asSentinelError(thrown);
    if (isUnknownMethod(failure)) return EMPTY;
    if (failure.code !== "BACKEND_PROTOCOL") throw failure;
    return { items: [], refused: reader.refuse(failure), hints: [undefined], failure };
  }
}

/** One list of a backend, page by page. */
class ListReader {
  readonly #kind: ItemKind;
  readonly #backend: string;
  readonly #request: CatalogRequest;
  readonly #bounds: ReadBounds;
  readonly #clock: Clock | undefined;
  readonly #collector: ItemCollector;
  readonly #cursors = new Set<string>();

  constructor(kind: ItemKind, backend: string, request: CatalogRequest, offer: Offer) {
    this.#kind = kind;
    this.#backend = backend;
    this.#request = request;
    this.#bounds = offer.bounds ?? READ_BOUNDS;
    this.#clock = offer.clock;
    const { era = "legacy", mirrors = era === "modern" } = offer;
    const speech = { era, mirrors };
    this.#collector = new ItemCollector(kind, { backend, bounds: this.#bounds, speech });
  }

  async read(): Promise<ReadList> {
    const startedAt = this.#clock?.monotonic() ?? 0;
    const hints: PageHints[] = [];
    let params: JsonObject = {};
    for (;;) {
      const page = await this.#request(KINDS[this.#kind].method, params);
      hints.push(hintsOf(page));
      this.#collector.add(this.#itemsOf(page));
      const cursor = this.#cursorAfter(page, startedAt);
      if (cursor === undefined) return { ...this.#collector.result(), hints };
      params = { cursor };
    }
  }

  refuse(failure: SentinelError): readonly RefusedItem[] {
    const refusals = new Refusals(this.#backend, this.#kind);
    const { reason } = failure.details;
    refusals.add(
      UNREADABLE,
      reason === undefined ? failure.message : `${failure.message}: ${reason}`,
    );
    return refusals.rows;
  }

  #itemsOf(page: JsonObject): readonly unknown[] {
    const { method, member } = KINDS[this.#kind];
    const items = page[member];
    if (Array.isArray(items)) return items;
    throw new SentinelError("BACKEND_PROTOCOL", `Cannot read "${method}": "${member}" is no list`, {
      backend: this.#backend,
    });
  }

  /** Where the next page begins; undefined when there is none, or none that should be asked for. */
  #cursorAfter(page: JsonObject, startedAt: number): string | undefined {
    const cursor = page["nextCursor"];
    if (cursor === undefined || cursor === null || this.#collector.ended) return undefined;
    const problem = this.#cursorProblem(cursor, startedAt);
    if (problem === undefined) return cursor as string;
    this.#collector.end(problem);
    return undefined;
  }

  #cursorProblem(cursor: unknown, startedAt: number): string | undefined {
    if (typeof cursor !== "string") return "the cursor is not a string";
    if (cursor.length > MAX_CURSOR) return `the cursor is longer than ${MAX_CURSOR} characters`;
    if (this.#cursors.has(cursor)) return "the cursor repeats";
    this.#cursors.add(cursor);
    const { pages, timeMs } = this.#bounds;
    if (this.#cursors.size >= pages) return `it has more than ${pages} pages`;
    const elapsed = (this.#clock?.monotonic() ?? startedAt) - startedAt;
    return elapsed > timeMs ? `it takes longer than ${timeMs} ms` : undefined;
  }
}

function declares(capabilities: JsonObject, kind: ItemKind): boolean {
  return isRecord(capabilities[KINDS[kind].capability]);
}

function isUnknownMethod(failure: SentinelError): boolean {
  return failure.details.more?.["rpc"] === METHOD_NOT_FOUND;
}
