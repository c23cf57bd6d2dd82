import type { Places } from "../clients/clients.ts";
import { type Forge, readForge } from "./contextforge.ts";
import type { Draft } from "./draft.ts";
import type { FindOptions } from "./find.ts";
import type { Found, FoundToolset, ImportNote, ReadPlace } from "./found.ts";
import { merged } from "./merge.ts";
import { readSources, type Source } from "./sources.ts";

export interface ForgeOptions
  extends Pick<FindOptions, "backends" | "env" | "files" | "input" | "known"> {
  /** `catalog.separator` of the configuration that is added to; default `__`. */
  readonly separator?: string | undefined;
  /** `[toolsets]` that are there. */
  readonly toolsets?: readonly string[] | undefined;
}

interface Read {
  readonly file: string;
  /** Undefined when the file could not be read. */
  readonly forge?: Forge;
  readonly problem?: string;
}

/**
 * Gateways and virtual servers of ContextForge exports. Credentials are decrypted with
 * `AUTH_ENCRYPTION_SECRET` of the environment where it is set.
 */
export async function findForge(places: Places, options: ForgeOptions): Promise<Found> {
  const { env = {}, known = new Map<string, string>(), backends = {} } = options;
  const sources = await readSources(places, { files: options.files, input: options.input });
  const reads = await Promise.all(sources.map((source) => read(source, places, options)));
  const forges = reads.flatMap(({ forge }) => forge ?? []);
  const valueOf = (variable: string) => env[variable] || known.get(variable);
  const drafts = forges.flatMap((forge) => forge.drafts);
  const all = merged(drafts, { existing: { backends, valueOf }, env, known });
  const nameOf = (draft: Draft) => all.nameOf.get(draft) ?? draft.name;
  const sets = forges.map(({ toolsets }) => toolsets(nameOf));
  const present = new Set(all.present.map(({ name }) => name));
  return {
    servers: all.servers,
    present: all.present,
    toolsets: newToolsets(sets.flatMap(({ toolsets }) => toolsets), options.toolsets ?? []),
    places: reads.map((one) => placeOf(one, nameOf, present)),
    notes: [
      ...all.notes,
      ...sets.flatMap((set) => set.notes),
      ...forges.flatMap((forge) => forge.notes),
      ...reads.flatMap(unreadable),
    ],
    secrets: all.secrets,
  };
}

async function read(
  { document, file }: Source,
  { project, home }: Places,
  { env = {}, separator = "__" }: ForgeOptions,
): Promise<Read> {
  if ("problem" in document) return { file, problem: document.problem };
  const around = { origin: "contextforge", workspace: project, home, inputs: new Map() } as const;
  const encryptionSecret = env["AUTH_ENCRYPTION_SECRET"];
  const request = { file, document: document.value, around, encryptionSecret, separator };
  const forge = await readForge(request);
  return forge === undefined
    ? { file, problem: "it is no export of ContextForge" }
    : { file, forge };
}

function unreadable({ file, problem }: Read): ImportNote[] {
  return problem === undefined ? [] : [{ code: "unreadable", about: file, text: problem }];
}

/** A toolset of a name that is there stays as it is. */
function newToolsets(
  found: readonly FoundToolset[],
  there: readonly string[],
): readonly FoundToolset[] {
  const taken = new Set(there);
  return found.filter(({ name }) => {
    if (taken.has(name)) return false;
    taken.add(name);
    return true;
  });
}

function placeOf(
  { file, forge, problem }: Read,
  nameOf: (draft: Draft) => string,
  present: ReadonlySet<string>,
): ReadPlace {
  const servers = (forge?.drafts ?? []).map((draft) => {
    const name = nameOf(draft);
    return { name, isNew: !present.has(name) };
  });
  return {
    client: "contextforge",
    file,
    servers,
    ...(problem === undefined ? {} : { problem }),
  };
}
