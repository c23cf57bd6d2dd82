/** Takes back what `connect --write` did to a file. */
import { rmdir } from "node:fs/promises";
import { dirname } from "node:path";
import type { Io } from "../io.ts";
import { type Backup, copyPath, digestOf, dropBackup, type EntryPlace } from "./backups.ts";
import {
  bytesOf,
  checkWritable,
  type ClientFile,
  readClientFile,
  replaceFile,
  textOf,
} from "./client_file.ts";
import { entryOf, serversIn, withoutServer, withServer } from "./servers_text.ts";

/** How far a file came back. */
export interface Undone {
  readonly client: Backup["client"];
  readonly file: string;
  /** `gone`: somebody has removed the file. `edited`: only what we did was taken back. */
  readonly how: "restored" | "removed" | "edited" | "gone";
  /** Where the bytes from before still are. */
  readonly copy: string | undefined;
}

/**
 * Puts the file back byte for byte when it is as we left it; else takes out only our entries, and puts those
 * that had been moved back in.
 * @throws CommandFailed when it cannot be written; nothing was changed then
 */
export async function undo(backup: Backup, io: Io): Promise<Undone> {
  const file = await readClientFile(backup.file);
  const { how, keeps } = await takeBack(backup, file);
  await dropBackup(io, backup.file, keeps);
  if (backup.madeFolder !== undefined) await removeEmpty(dirname(backup.file), backup.madeFolder);
  const copy = keeps ? copyPath(io, backup.file) : undefined;
  return { client: backup.client, file: backup.file, how, copy };
}

async function takeBack(
  backup: Backup,
  file: ClientFile,
): Promise<{ readonly how: Undone["how"]; readonly keeps: boolean }> {
  const { before, left, mode } = backup;
  const hasCopy = before !== undefined;
  if (file.bytes === undefined) return { how: "gone", keeps: hasCopy };
  await checkWritable(file);
  if (digestOf(file.bytes) === left) {
    await replaceFile(file, before, mode);
    return { how: hasCopy ? "restored" : "removed", keeps: false };
  }
  await replaceFile(file, bytesOf(edited(backup, file), file));
  return { how: "edited", keeps: hasCopy };
}

function edited({ before, entries, moved, file: path, mode }: Backup, file: ClientFile): string {
  const at = ({ name, ...place }: EntryPlace) => ({ place: { ...place, file: path }, name });
  const without = entries.map(at).reduce(
    (text, { place, name }) => withoutServer(text, place, name),
    textOf(file),
  );
  const old = textOf({ path, bytes: before, mode });
  return moved.map(at).reduce((text, { place, name }) => {
    const entry = serversIn(old, place).get(name);
    const isTaken = serversIn(text, place).has(name);
    return entry === undefined || isTaken ? text : withServer(text, place, name, entryOf(entry));
  }, without);
}

/** Folders that were made for the file, as long as nothing else is in them. */
async function removeEmpty(folder: string, outermost: string): Promise<void> {
  try {
    for (let current = folder;; current = dirname(current)) {
      await rmdir(current);
      if (current === outermost) return;
    }
  } catch {
    return; // somebody keeps other files there by now
  }
}
