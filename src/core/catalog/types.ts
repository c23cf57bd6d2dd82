import type {
  BackendConfig,
  CatalogConfig,
  Config,
  Era,
  RefusedItem,
  ToolsetConfig,
} from "../../contract/mod.ts";
import type { Principal } from "../auth/principal.ts";
import type { JsonObject } from "../mcp/json.ts";
import type { EntryLists, HeldEntry } from "./entry.ts";
import type { Findings } from "./lint.ts";
import type { HeldItems } from "./pins.ts";

export type ItemKind = "tool" | "prompt" | "resource" | "template";

/**
 * What one backend offers, as received: items are kept whole, unknown members included. Only annotations
 * that would cost clients the tool are gone (`header_annotations.ts`).
 */
export interface BackendCatalog {
  /** Of the link it was read over; absent: legacy. */
  readonly era?: Era;
  /** How long its lists may be kept, as it says; undefined: it says nothing. */
  readonly cache?: CacheHints | undefined;
  readonly capabilities: JsonObject;
  readonly instructions: string | undefined;
  /** What the server calls itself; nothing is decided by it. */
  readonly serverName?: string | undefined;
  readonly tools: readonly JsonObject[];
  readonly prompts: readonly JsonObject[];
  readonly resources: readonly JsonObject[];
  readonly templates: readonly JsonObject[];
  /** Items that could not be taken, with the reason. */
  readonly refused: readonly RefusedItem[];
}

/** Where a name or URI of the catalog leads. */
export interface Target {
  readonly kind: ItemKind;
  readonly backend: string;
  /** The backend's own name, or the URI. */
  readonly original: string;
  /** What the caller used. */
  readonly exposed: string;
  /** Arguments filled in where the caller gives none. */
  readonly defaults: JsonObject | undefined;
}

/** Everything the merge reads. */
export interface CatalogSource {
  readonly catalog: CatalogConfig;
  /** `server.name`, for the client-prefix budget. */
  readonly serverName: string;
  /** Of the gateway, for what it says of itself. */
  readonly version: string;
  /** `server.instructions`; replaces the merged ones. */
  readonly instructions: string | undefined;
  readonly toolsets: Readonly<Record<string, ToolsetConfig>>;
  readonly roles: Config["roles"];
  /** Enabled backends in the order of the configuration; `found` is undefined until first read. */
  readonly backends: readonly {
    readonly name: string;
    readonly config: BackendConfig;
    readonly found: BackendCatalog | undefined;
    /** Of what was found, what is neither listed nor called; absent: nothing. */
    readonly held?: HeldItems | undefined;
  }[];
}

/** What modern clients are told of how long they may keep something. */
export interface CacheHints {
  /** Milliseconds; 0: not at all. */
  readonly ttlMs: number;
  /** Whether others may be given the same: not where it depends on who asks. */
  readonly scope: "public" | "private";
}

/** Which page of a list is wanted, and for whom. */
export interface PageRequest {
  readonly cursor: string | undefined;
  readonly era: Era;
  /** With it only what it is true for is listed, and nobody else may be given the same. */
  readonly shows?: ((target: Target) => boolean) | undefined;
}

/** The catalog as one caller sees it. Pre-serialised: lists cost no work per call. */
export interface View {
  /** Server capabilities for `initialize`. */
  readonly capabilities: JsonObject;
  /** Server capabilities for `server/discover`. */
  readonly modernCapabilities: JsonObject;
  /** JSON text of the `_meta` that results for modern clients have: which server answers. */
  readonly meta: string;
  readonly instructions: string | undefined;
  /** Backends this view shows something of; those that have listed nothing yet by what they could show. */
  readonly backends: readonly string[];
  /** True when at least one of `backends` has answered once, or there are none. */
  readonly answered: boolean;
  /** Changes exactly when the list of that kind changes; resources cover templates too. */
  readonly fingerprints: {
    readonly tools: string;
    readonly prompts: string;
    readonly resources: string;
  };
  /** How long lists may be kept, and by whom, unless interceptors look at them. */
  readonly cache: CacheHints;
  /**
   * JSON text of the list result, one page; default: the first, for a legacy client.
   * @throws SentinelError INVALID_PARAMS for a cursor that is not ours
   */
  list(kind: ItemKind, page?: PageRequest): string;
  /** Where all items of that kind lead. */
  targets(kind: ItemKind): readonly Target[];
  tool(exposed: string): Target | undefined;
  prompt(exposed: string): Target | undefined;
  /**
   * What a name could lead to that begins as the names of backends do that have never answered; only where the
   * caller would see it. Whether they have it, nobody knows.
   */
  awaited(kind: "tool" | "prompt", exposed: string): readonly Target[];
  /** What the caller would see if its definition had not changed: the reason it does not. */
  held(kind: ItemKind, exposed: string): Target | undefined;
  /**
   * Exact resource, then a `ui://` that a tool names, then most specific template, then the backend that produced the URI (as the caller
   * knows), then the only backend with resources.
   */
  resource(uri: string, producer?: string): Target | undefined;
  /** A template by its text, for completion. */
  template(uriTemplate: string): Target | undefined;
}

export interface Catalog {
  readonly revision: number;
  /** Everything that is shown to somebody, by kind, in the order of the configuration. */
  readonly entries: EntryLists;
  /** What waits for an approval; its names are taken. */
  readonly held: readonly HeldEntry[];
  readonly counts: Readonly<Record<ItemKind, number>>;
  readonly perBackend: Readonly<Record<string, Readonly<Record<ItemKind, number>>>>;
  readonly refused: readonly RefusedItem[];
  /** What is suspicious in definitions, held ones included. */
  readonly findings: Findings;
  /** Names that were cut, or that clients may find too long. */
  readonly warnings: readonly string[];
  /**
   * What a principal sees, of everything or of a toolset; undefined when there is no such toolset. It alone
   * decides what is listed and what may be called.
   */
  view(
    toolset: string | undefined,
    principal: Pick<Principal, "roles" | "roleKey">,
  ): View | undefined;
}
