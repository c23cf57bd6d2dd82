/** Files of clients as bytes: read whole, replaced in one step, put back as they were. */
import { constants } from "node:fs";
import { access, mkdir, readFile, realpath, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { CommandFailed, EXIT } from "../exit.ts";
import { codeOf } from "../start.ts";
import { visible } from "../text.ts";
import { writeWhole } from "../whole_file.ts";

const LARGEST = 64 * 1024 * 1024;
const ANYBODY_MAY_WRITE = 0o222;
const PERMISSIONS = 0o777;
const OWNER_ONLY = 0o600;

/** A file as it was at one moment. */
export interface ClientFile {
  /** Absolute, without symbolic links. */
  readonly path: string;
  /** Undefined when there is no file. */
  readonly bytes: Uint8Array | undefined;
  readonly mode: number;
}

/** Reads a file; a missing one has no bytes. @throws CommandFailed when it cannot be read */
export async function readClientFile(named: string): Promise<ClientFile> {
  const path = await realPathOf(named);
  try {
    const found = await stat(path);
    if (!found.isFile()) throw new Error("it is no regular file");
    if (found.size > LARGEST) throw new Error("it is larger than 64 MiB");
    return { path, bytes: await readFile(path), mode: found.mode & PERMISSIONS };
  } catch (thrown) {
    if (codeOf(thrown) === "ENOENT") return { path, bytes: undefined, mode: OWNER_ONLY };
    throw failure("read", path, thrown);
  }
}

/** The text of a file without a byte order mark; empty for a missing one. @throws CommandFailed when it is not UTF-8 */
export function textOf({ path, bytes }: ClientFile): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes ?? new Uint8Array());
  } catch {
    throw new CommandFailed(EXIT.failed, `cannot read "${visible(path)}": it is not UTF-8`);
  }
}

/** The text as bytes of that file: with a byte order mark if it had one. */
export function bytesOf(text: string, { bytes }: ClientFile): Uint8Array {
  const hasMark = bytes?.[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  return new TextEncoder().encode(hasMark ? `\ufeff${text}` : text);
}

/** @throws CommandFailed when the file, or the folder of a new one, may not be written */
export async function checkWritable({ path, bytes, mode }: ClientFile): Promise<void> {
  if (bytes === undefined) return;
  const isWritable = await access(path, constants.W_OK).then(() => true, () => false);
  // Who may do everything is told so, too: somebody has protected this file.
  if (isWritable && (mode & ANYBODY_MAY_WRITE) !== 0) return;
  const hint = "nothing was changed; --print shows what to write";
  throw new CommandFailed(EXIT.failed, `"${visible(path)}" is read-only`, hint);
}

/** Makes the folder of a file. @returns the outermost one that was made; undefined when all were there */
export async function makeFolder({ path }: ClientFile): Promise<string | undefined> {
  try {
    return await mkdir(dirname(path), { recursive: true });
  } catch (thrown) {
    throw failure("write", path, thrown);
  }
}

/**
 * Replaces the file, unless somebody has changed it since it was read. Without bytes it is removed.
 * @throws CommandFailed when it has changed or cannot be written
 */
export async function replaceFile(
  file: ClientFile,
  bytes: Uint8Array | undefined,
  mode: number = file.mode,
): Promise<void> {
  const { path } = file;
  const check = () => checkUnchanged(file);
  try {
    if (bytes !== undefined) await writeWhole(path, bytes, { mode, check });
    else {
      await check();
      await rm(path, { force: true });
    }
  } catch (thrown) {
    throw thrown instanceof CommandFailed ? thrown : failure("write", path, thrown);
  }
}

/** True for the same bytes, or no file twice. */
export function isSame(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

async function checkUnchanged(file: ClientFile): Promise<void> {
  const { bytes } = await readClientFile(file.path);
  if (isSame(bytes, file.bytes)) return;
  const message = `"${visible(file.path)}" was changed by another program just now`;
  throw new CommandFailed(EXIT.failed, message, "nothing was changed; try again");
}

/** The file behind links; of a missing file the folder's, as far as there is one. */
async function realPathOf(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch {
    const folder = dirname(path);
    return folder === path ? path : join(await realPathOf(folder), basename(path));
  }
}

function failure(verb: string, path: string, thrown: unknown): CommandFailed {
  const reason = visible(thrown instanceof Error ? thrown.message : String(thrown));
  const hint = "nothing was changed";
  return new CommandFailed(EXIT.failed, `cannot ${verb} "${visible(path)}": ${reason}`, hint);
}
