/**
 * What `connect --write` keeps of a file it changed: a copy of its bytes and what was put in. It lies in the
 * state folder, not beside the file: it may hold credentials, and a file beside a project's is soon committed.
 */
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { isTable, textAt } from "../../src/config/raw.ts";
import { type ClientName, CLIENTS } from "../clients/clients.ts";
import { CommandFailed, EXIT } from "../exit.ts";
import { stateFolder } from "../folders.ts";
import type { Io } from "../io.ts";
import { codeOf } from "../start.ts";
import { writeWhole } from "../whole_file.ts";
import type { TextPlace } from "./servers_text.ts";

const OTHERS = 0o077;
const OWN = { mode: 0o600 };
const MAX_BACKUPS = 1000;

/** One server in a client's file. */
export interface EntryPlace extends Pick<TextPlace, "format" | "at"> {
  readonly name: string;
}

export interface Backup {
  readonly client: ClientName;
  /** Absolute, without symbolic links. */
  readonly file: string;
  /** As it was; undefined when there was no file. */
  readonly before: Uint8Array | undefined;
  /** Permissions it had. */
  readonly mode: number;
  /** SHA-256 of the file as we left it. */
  readonly left: string;
  /** Entries that are ours. */
  readonly entries: readonly EntryPlace[];
  /** Entries that were taken out. */
  readonly moved: readonly EntryPlace[];
  /** The outermost folder that was made for the file. */
  readonly madeFolder?: string;
}

type Env = Pick<Io, "env">;

/** Where the copy of a file is. */
export function copyPath(io: Env, file: string): string {
  return join(folderOf(io, file), "before");
}

export function digestOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Keeps it, in place of an earlier one of the same file. @throws CommandFailed when it cannot be written */
export async function saveBackup(io: Env, backup: Backup): Promise<void> {
  const { before, ...record } = backup;
  const folder = folderOf(io, backup.file);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    if (before === undefined) await rm(join(folder, "before"), { force: true });
    else await writeWhole(join(folder, "before"), before, OWN);
    await writeWhole(join(folder, "record.json"), `${JSON.stringify(record, null, 2)}\n`, OWN);
  } catch (thrown) {
    const message = `cannot keep a copy in "${folder}": ${(thrown as Error).message}`;
    throw new CommandFailed(EXIT.failed, message, "nothing was changed");
  }
}

/** What is kept of a file; undefined when there is nothing. */
export async function readBackup(io: Env, file: string): Promise<Backup | undefined> {
  const found = await readFolder(folderOf(io, file));
  return found?.file === file ? found : undefined;
}

/** Everything that is kept, in the order of the files' paths. */
export async function readBackups(io: Env): Promise<readonly Backup[]> {
  const folder = rootOf(io);
  const names = await readdir(folder).catch(() => []);
  const all = await Promise.all(
    names.slice(0, MAX_BACKUPS).map((name) => readFolder(join(folder, name))),
  );
  return all.filter((backup) => backup !== undefined)
    .toSorted((a, b) => a.file < b.file ? -1 : 1);
}

/** Forgets a file; with `keepCopy` its bytes stay where they are. */
export async function dropBackup(io: Env, file: string, keepCopy: boolean): Promise<void> {
  const folder = folderOf(io, file);
  await rm(keepCopy ? join(folder, "record.json") : folder, { recursive: true, force: true });
}

function rootOf(io: Env): string {
  return join(stateFolder(io), "connect");
}

function folderOf(io: Env, file: string): string {
  return join(rootOf(io), digestOf(new TextEncoder().encode(file)).slice(0, 16));
}

/** Undefined for what is none of ours or what others could have written: it says which file is replaced. */
async function readFolder(folder: string): Promise<Backup | undefined> {
  try {
    const { mode, uid } = await stat(folder);
    const isOurs = (mode & OTHERS) === 0 && uid === process.getuid?.();
    if (!isOurs && process.platform !== "win32") return undefined;
    const record: unknown = JSON.parse(await readFile(join(folder, "record.json"), "utf8"));
    const before = await readFile(join(folder, "before")).catch((thrown: unknown) => {
      if (codeOf(thrown) === "ENOENT") return undefined;
      throw thrown;
    });
    return backupOf(record, before);
  } catch {
    return undefined; // half written, or another program's
  }
}

function backupOf(record: unknown, before: Uint8Array | undefined): Backup | undefined {
  const [client, file, left] = ["client", "file", "left"].map((key) => textAt(record, key));
  if (!isTable(record) || file === undefined || left === undefined) return undefined;
  const { mode, entries, moved, madeFolder } = record;
  if (client === undefined || !isClient(client) || typeof mode !== "number") return undefined;
  if (!isPlaces(entries) || !isPlaces(moved)) return undefined;
  const made = typeof madeFolder === "string" ? { madeFolder } : {};
  return { client, file, before, mode, left, entries, moved, ...made };
}

function isClient(name: string): name is ClientName {
  return Object.hasOwn(CLIENTS, name);
}

function isPlaces(value: unknown): value is EntryPlace[] {
  return Array.isArray(value) &&
    value.every((place: unknown) =>
      isTable(place) && typeof place["name"] === "string" && Array.isArray(place["at"]) &&
      place["at"].every((key) => typeof key === "string") &&
      (place["format"] === "json" || place["format"] === "toml")
    );
}
