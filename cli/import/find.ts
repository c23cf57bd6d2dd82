/** Finds servers in the files of clients, or in files that were named. */
import { readFile, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { isTable, textAt } from "../../src/config/raw.ts";
import type { ClientName, Places } from "../clients/clients.ts";
import type { Draft } from "./draft.ts";
import { draftOf, type Entry } from "./entry.ts";
import { envOf } from "./env_file.ts";
import type { Existing } from "./existing.ts";
import type { Found, ImportNote, ReadPlace } from "./found.ts";
import { merged } from "./merge.ts";
import { isOwn } from "./own.ts";
import { entriesAt, entriesIn, inputsOf, isContextForge } from "./shape.ts";
import { readSources, type Source } from "./sources.ts";
import { plainText } from "./text.ts";
import { type Surroundings, translated } from "./variables.ts";

export interface FindOptions {
  /** Of this client only. */
  readonly only?: ClientName | undefined;
  /** These files in place of the known ones; `-` is stdin. */
  readonly files?: readonly string[] | undefined;
  /** Everything on stdin. */
  readonly input?: ((largest: number) => Promise<string>) | undefined;
  /** What `${workspaceFolder}` stands for; default: the project. */
  readonly workspace?: string | undefined;
  /** Default: empty, so that every variable without a default counts as needed. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** URLs of gateways of ours: entries that lead there are left out. */
  readonly ownUrls?: readonly string[] | undefined;
  /** `[backends]` of the configuration that is added to. */
  readonly backends?: Existing["backends"] | undefined;
  /** What `sentinel.env` holds already. */
  readonly known?: ReadonlyMap<string, string> | undefined;
}

const MOST_SERVERS = 1_000;
const LARGEST_ENV_FILE = 64 * 1024;

/**
 * Every server of the files, each once, with literal credentials replaced by references. Reads only, and
 * never rejects because of what stands in a file: that is a note, or the problem of a place.
 */
export async function findServers(places: Places, options: FindOptions = {}): Promise<Found> {
  const sources = await readSources(places, options);
  const reader = new Reader(places, options);
  for (const source of sources) await reader.read(source);
  return reader.found();
}

class Reader {
  readonly #places: Places;
  readonly #options: FindOptions;
  readonly #drafts: Draft[] = [];
  readonly #notes: ImportNote[] = [];
  readonly #read: { source: Source; drafts: Draft[]; problem?: string }[] = [];
  /** Client and name of what was taken: what comes first wins within a client. */
  readonly #seen = new Map<string, string>();

  constructor(places: Places, options: FindOptions) {
    this.#places = places;
    this.#options = options;
  }

  async read(source: Source): Promise<void> {
    const { document, at } = source;
    if ("problem" in document) return this.#fail(source, document.problem);
    const { value } = document;
    if (at === undefined && isContextForge(value)) {
      return this.#fail(source, "this is an export of ContextForge: add --from contextforge");
    }
    const entries = at === undefined
      ? entriesIn(value, this.#places.project)
      : entriesAt(value, at) ?? [];
    if (entries === undefined) return this.#fail(source, "there are no servers in it that we know");
    if (entries.length > MOST_SERVERS) {
      return this.#fail(source, `there are more than ${MOST_SERVERS} servers in it`);
    }
    const around = this.#surroundings(source, value);
    const drafts: Draft[] = [];
    for (const [name, entry] of entries) {
      const { client, file, isProject } = source;
      const place = { client, file, name };
      const envFile = await this.#envFile(entry, around);
      const draft = this.#take({ source: place, value: entry, around, isProject, ...envFile });
      if (draft !== undefined) drafts.push(draft);
    }
    if (entries.length > 0 || at === undefined) this.#read.push({ source, drafts });
  }

  found(): Found {
    const { env = {}, known = new Map<string, string>(), backends = {} } = this.#options;
    const valueOf = (variable: string) => env[variable] || known.get(variable);
    const all = merged(this.#drafts, { existing: { backends, valueOf }, env, known });
    const shown = new Set<string>(all.present.map(({ name }) => name));
    const placesRead = this.#read.map(({ source, drafts, problem }): ReadPlace => {
      const servers = drafts.map((draft) => {
        const name = all.nameOf.get(draft) ?? draft.name;
        const isNew = !shown.has(name);
        shown.add(name);
        return { name, isNew };
      });
      const { client, file } = source;
      return { client, file, servers, ...(problem === undefined ? {} : { problem }) };
    });
    return {
      servers: all.servers,
      present: all.present,
      toolsets: [],
      places: placesRead,
      notes: [...this.#notes, ...all.notes],
      secrets: all.secrets,
    };
  }

  #take(entry: Entry): Draft | undefined {
    const { client, file, name } = entry.source;
    const key = `${client} ${name}`;
    const first = this.#seen.get(key);
    const drafted = draftOf(entry);
    if ("refusal" in drafted) {
      this.#notes.push(drafted.refusal);
      return undefined;
    }
    const { draft } = drafted;
    const skip = (text: string) => {
      this.#notes.push({ code: "skipped", about: draft.name, text: `skipped: ${text}` });
      return undefined;
    };
    if (client !== undefined && first !== undefined) {
      return skip(`that of ${file} is hidden by the one of ${first}`);
    }
    this.#seen.set(key, file);
    const { ownUrls: urls = [] } = this.#options;
    if (isOwn(draft, { urls })) return skip("it leads back to this gateway");
    this.#drafts.push(draft);
    return draft;
  }

  #fail(source: Source, problem: string): void {
    this.#read.push({ source, drafts: [], problem });
    this.#notes.push({ code: "unreadable", about: source.file, text: problem });
  }

  #surroundings({ client }: Source, document: unknown): Surroundings {
    const { project, home } = this.#places;
    const workspace = resolve(project, this.#options.workspace ?? ".");
    return { origin: client, workspace, home, inputs: inputsOf(document) };
  }

  /** VS Code reads variables from a file of their own. */
  async #envFile(entry: unknown, around: Surroundings): Promise<Pick<Entry, "envFile">> {
    const named = isTable(entry) ? textAt(entry, "envFile") : undefined;
    if (named === undefined) return {};
    const path = plainText(translated(named, "", around).text);
    if (path === undefined) return {};
    try {
      const file = resolve(around.workspace, path);
      const { size } = await stat(file);
      if (size > LARGEST_ENV_FILE) return {};
      const variables = [...envOf(await readFile(file, "utf8"))];
      // The runtimes put them in different orders.
      return { envFile: new Map(variables.toSorted(([a], [b]) => a < b ? -1 : 1)) };
    } catch {
      return {}; // the note that it could not be read says it
    }
  }
}
