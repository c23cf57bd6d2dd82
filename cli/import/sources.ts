/** The files an import looks at. */
import { readFile, stat } from "node:fs/promises";
import { dirname, isAbsolute, join, relative, resolve } from "node:path";
import { type ClientName, type ClientRow, CLIENTS, type Places } from "../clients/clients.ts";
import { visible } from "../text.ts";
import { type Document, parseDocument } from "./document.ts";
import type { Origin } from "./found.ts";

/** Claude Code keeps its history in the same file as its servers. */
const LARGEST = 32 * 1024 * 1024;

/** One place where entries may stand. */
export interface Source {
  readonly client: Origin;
  /** For people. */
  readonly file: string;
  /** Keys that lead to the table of servers; undefined: its shape says. */
  readonly at: readonly string[] | undefined;
  readonly isProject: boolean;
  readonly document: Document;
}

export interface SourceOptions {
  /** The files of this client only; of a named file, whose spelling of variables counts. */
  readonly only?: ClientName | undefined;
  /** Files in place of those of the clients; `-` is stdin. Relative ones count from the project. */
  readonly files?: readonly string[] | undefined;
  /** Everything on stdin. */
  readonly input?: ((largest: number) => Promise<string>) | undefined;
}

/** Reads what there is: known files that do not exist are left out, named ones are a problem. */
export async function readSources(
  places: Places,
  options: SourceOptions,
): Promise<readonly Source[]> {
  const { files = [], only } = options;
  if (files.length > 0) {
    return await Promise.all(files.map((file) => readNamed(file, places, options)));
  }
  const documents = new Map<string, Promise<Document | undefined>>();
  const read = (file: string, format: "json" | "toml") => {
    const known = documents.get(file) ?? readDocument(file, format);
    documents.set(file, known);
    return known;
  };
  const wanted = distinct(clientPlaces(places))
    .filter(({ client }) => only === undefined || client === only);
  const sources = await Promise.all(
    wanted.map(async ({ client, file, format, at, scope }): Promise<Source[]> => {
      const document = await read(file, format);
      if (document === undefined) return [];
      const isProject = scope === "project";
      return [{ client, file: shortened(file, places), at, isProject, document }];
    }),
  );
  return sources.flat();
}

/** Where the clients keep their servers, client by client, in order of precedence. */
export function clientPlaces(places: Places) {
  return Object.entries(CLIENTS).flatMap(([client, row]: [string, ClientRow]) =>
    row.places(places).map((place) => ({ ...place, client: client as ClientName }))
  );
}

/** In the home folder, files of the project and of the user are the same. */
function distinct(rows: ReturnType<typeof clientPlaces>): ReturnType<typeof clientPlaces> {
  const keys = rows.map(({ client, file, at }) => JSON.stringify([client, file, at]));
  return rows.filter((_row, index) => keys.indexOf(keys[index] ?? "") === index);
}

/** A path as people write it: from the project, or from `~`. */
export function shortened(path: string, { home, project }: Places): string {
  const near = relative(project, path);
  if (near !== "" && !near.startsWith("..") && !isAbsolute(near)) return visible(near);
  const own = relative(home, path);
  return visible(own.startsWith("..") || isAbsolute(own) ? path : join("~", own));
}

async function readNamed(file: string, places: Places, options: SourceOptions): Promise<Source> {
  const { only, input } = options;
  const common = { client: only, at: undefined };
  if (file === "-") {
    const document = await readInput(input);
    return { ...common, file: "stdin", isProject: false, document };
  }
  const path = resolve(places.project, file);
  const format = path.endsWith(".toml") ? "toml" : "any";
  const document = await readDocument(path, format) ?? { problem: "no such file" };
  const isProject = !relative(places.project, dirname(path)).startsWith("..");
  return { ...common, file: visible(file), isProject, document };
}

async function readInput(input: SourceOptions["input"]): Promise<Document> {
  if (input === undefined) return { problem: "there is no stdin" };
  try {
    return await parseDocument(await input(LARGEST), "any");
  } catch (thrown) {
    return { problem: reasonOf(thrown) };
  }
}

/** Undefined when there is no such file. */
async function readDocument(
  path: string,
  format: "json" | "toml" | "any",
): Promise<Document | undefined> {
  try {
    const found = await stat(path);
    if (found.isDirectory()) return { problem: "it is a folder" };
    // A pipe or device has no size to check, and may never end.
    if (!found.isFile()) return { problem: "it is no regular file" };
    if (found.size > LARGEST) return { problem: `it is larger than ${LARGEST} bytes` };
    const text = new TextDecoder("utf-8", { fatal: true }).decode(await readFile(path));
    return await parseDocument(text, format);
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    return code === "ENOENT" || code === "ENOTDIR" ? undefined : { problem: reasonOf(thrown) };
  }
}

function reasonOf(thrown: unknown): string {
  const { code, message } = thrown as NodeJS.ErrnoException;
  if (thrown instanceof TypeError) return "it is not UTF-8";
  return code === "EACCES" ? "permission denied" : visible(message);
}
