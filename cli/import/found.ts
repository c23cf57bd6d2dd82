/** What an import finds: servers in the form of the configuration, and what there is to say about them. */
import type { CliOutput } from "../../src/contract/cli_outputs.ts";
import type { ClientName } from "../clients/clients.ts";

/** Whose file an entry came from; undefined for a file that was named, or stdin. */
export type Origin = ClientName | "contextforge" | undefined;

/** Where an entry stands. */
export interface EntrySource {
  readonly client: Origin;
  /** For people: `~/.cursor/mcp.json`, `.mcp.json`, `stdin`. */
  readonly file: string;
  /** Its name there, as written. */
  readonly name: string;
}

/** A value of a backend's table. */
export type BackendValue =
  | string
  | boolean
  | readonly string[]
  | Readonly<Record<string, string | readonly string[]>>;

/** What stands under `[backends.<name>]`; credentials are references. */
export type BackendTable = Readonly<Record<string, BackendValue>>;

/** One server, wherever it was found. */
export interface FoundServer {
  /** `[a-z0-9-]`, no other server of this search has it. */
  readonly name: string;
  readonly backend: BackendTable;
  /** Every entry that says the same, the one that was taken first. */
  readonly sources: readonly EntrySource[];
  /** Variables without a value: neither in the environment nor among the secrets, and no default. */
  readonly needs: readonly string[];
  /** Variables of `Found.secrets` it refers to. */
  readonly secrets: readonly string[];
}

/** A view of several servers' tools, without prompts and resources: `[toolsets.<name>]`. */
export interface FoundToolset {
  readonly name: string;
  readonly tools: readonly string[];
  /** For the comment above it. */
  readonly about: string;
}

/**
 * `secret_moved`: a literal credential became a reference. `variable_needed`: a variable has to be set before
 * the start. `left_out`: a field has no meaning here. `changed`: a value is written in another way;
 * `workspace`: the same, with a folder that only its reader can know. `skipped`: the server is not taken over.
 * `unreadable`: a file, or part of it. `not_carried`: a thing of another gateway that has no place here.
 */
export type NoteCode = CliOutput<"import">["notes"][number]["code"];

/** Something to know about a server or file. Holds no credential; texts of files are made harmless. */
export interface ImportNote {
  readonly code: NoteCode;
  /** Name of the server, or of what it is about. */
  readonly about: string;
  readonly text: string;
}

/** One file, or one place in it, that was read. */
export interface ReadPlace {
  readonly client: Origin;
  readonly file: string;
  /** Names of its servers, in its order; `isNew` is false when an earlier file has the same server. */
  readonly servers: readonly { readonly name: string; readonly isNew: boolean }[];
  /** Why there are none: `line:column: …`. */
  readonly problem?: string;
}

export interface Found {
  readonly servers: readonly FoundServer[];
  /** Those the configuration has already, by the name it has for them. */
  readonly present: readonly { readonly name: string; readonly sources: readonly EntrySource[] }[];
  readonly toolsets: readonly FoundToolset[];
  readonly places: readonly ReadPlace[];
  readonly notes: readonly ImportNote[];
  /** Literal credentials of the files, by the variable that stands for them now. */
  readonly secrets: ReadonlyMap<string, string>;
}
