/** One file of a client on its way from how it is to how it should be. */
import type { ClientName, ServerPlace } from "../clients/clients.ts";
import type { Io } from "../io.ts";
import {
  type Backup,
  digestOf,
  dropBackup,
  type EntryPlace,
  readBackup,
  saveBackup,
} from "./backups.ts";
import {
  bytesOf,
  checkWritable,
  type ClientFile,
  isSame,
  makeFolder,
  readClientFile,
  replaceFile,
  textOf,
} from "./client_file.ts";
import { type Entry, serversIn, withoutServer, withServer } from "./servers_text.ts";
import type { Tree } from "./tree.ts";

/** A file with the edits that were made to its text so far; nothing is written. */
export class Change {
  readonly client: ClientName;
  readonly file: ClientFile;
  /** What was kept when we wrote it before. */
  readonly kept: Backup | undefined;
  /** Entries that were put in. */
  readonly entries: EntryPlace[] = [];
  /** Entries that were taken out. */
  readonly moved: EntryPlace[] = [];
  #text: string;

  private constructor(client: ClientName, file: ClientFile, kept: Backup | undefined) {
    this.client = client;
    this.file = file;
    this.kept = kept;
    this.#text = textOf(file);
  }

  /** Reads the file; a missing one is empty. @throws CommandFailed when it cannot be read */
  static async of(client: ClientName, path: string, io: Io): Promise<Change> {
    const file = await readClientFile(path);
    return new Change(client, file, await readBackup(io, file.path));
  }

  /** @throws CommandFailed for a broken file */
  servers(place: ServerPlace): ReadonlyMap<string, Tree> {
    return serversIn(this.#text, place);
  }

  put(place: ServerPlace, name: string, entry: Entry): void {
    this.#text = withServer(this.#text, place, name, entry);
    this.entries.push(placeOf(place, name));
  }

  take(place: ServerPlace, name: string): void {
    this.#text = withoutServer(this.#text, place, name);
    this.moved.push(placeOf(place, name));
  }

  /** True when we put that entry in. */
  isOurs({ at }: ServerPlace, name: string): boolean {
    return this.kept?.entries.some((entry) =>
      entry.name === name && entry.at.join("\n") === at.join("\n")
    ) ?? false;
  }

  /** Keeps a copy, then replaces the file. @throws CommandFailed; nothing was changed then */
  async write(io: Io): Promise<void> {
    await checkWritable(this.file);
    const after = bytesOf(this.#text, this.file);
    if (isSame(after, this.file.bytes)) return;
    const madeFolder = await makeFolder(this.file) ?? this.kept?.madeFolder;
    await saveBackup(io, this.#backup(after, madeFolder));
    try {
      await replaceFile(this.file, after);
    } catch (thrown) {
      if (this.kept === undefined) await dropBackup(io, this.file.path, false);
      else await saveBackup(io, this.kept);
      throw thrown;
    }
  }

  #backup(after: Uint8Array, madeFolder: string | undefined): Backup {
    const { client, file, kept } = this;
    const isAsLeft = kept !== undefined && kept.left === digestOf(file.bytes ?? new Uint8Array());
    const first = isAsLeft ? kept : undefined;
    return {
      client: kept?.client ?? client,
      file: file.path,
      before: first === undefined ? this.#withoutUs() : first.before,
      mode: first?.mode ?? file.mode,
      left: digestOf(after),
      entries: union(kept?.entries ?? [], this.entries),
      moved: union(kept?.moved ?? [], this.moved),
      ...(madeFolder === undefined ? {} : { madeFolder }),
    };
  }

  /** The file as it is, or, where somebody has edited it since we wrote it, without what we put in then. */
  #withoutUs(): Uint8Array | undefined {
    const { file, kept } = this;
    if (kept === undefined || file.bytes === undefined) return file.bytes;
    const text = kept.entries.reduce(
      (rest, { name, ...place }) => withoutServer(rest, { ...place, file: file.path }, name),
      textOf(file),
    );
    return bytesOf(text, file);
  }
}

function placeOf({ format, at }: ServerPlace, name: string): EntryPlace {
  return { format, at: [...at], name };
}

function union(before: readonly EntryPlace[], more: readonly EntryPlace[]): EntryPlace[] {
  const all = [...before, ...more].map((place) => [JSON.stringify([place.at, place.name]), place]);
  return [...new Map(all as [string, EntryPlace][]).values()];
}
