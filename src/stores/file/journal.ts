import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { basename, dirname } from "node:path";
import process from "node:process";
import { SentinelError } from "../../contract/errors.ts";
import type { Journal, JournalEntry } from "../../ports/journal.ts";

const OWNER_ONLY = 0o600;
const NEWLINE = 0x0a;
const encoder = new TextEncoder();

export interface FileJournalOptions {
  /** Size in bytes from which the file is put aside; 16 MiB by default. */
  readonly maxBytes?: number;
  /** Files put aside that are kept, as `<path>.<number>`, the newest with the highest; 4 by default. */
  readonly keep?: number;
}

/**
 * Journal of one JSON object a line, appended to a file (mode 0600) that two gateways may share during a
 * rolling restart. A line is with the system when `append` returns: it survives a kill, not a power cut.
 */
export class FileJournal implements Journal {
  readonly #path: string;
  readonly #maxBytes: number;
  readonly #keep: number;
  #file: OpenFile;
  #isOpen = true;

  /** @throws SentinelError when it cannot be opened for writing */
  constructor(path: string, { maxBytes = 16 * 1024 * 1024, keep = 4 }: FileJournalOptions = {}) {
    this.#path = path;
    this.#maxBytes = maxBytes;
    this.#keep = keep;
    try {
      this.#file = openPrivate(path);
    } catch (error) {
      throw failure(path, error);
    }
  }

  append(entry: JournalEntry): void {
    if (!this.#isOpen) throw failure(this.#path, new Error("it is closed"));
    try {
      const line = encoder.encode(`${JSON.stringify(entry)}\n`);
      this.#makeRoom(line.length);
      if (this.#file.torn) write(this.#file, encoder.encode("\n"));
      write(this.#file, line);
    } catch (error) {
      throw failure(this.#path, error);
    }
  }

  close(): void {
    if (this.#isOpen) closeSync(this.#file.descriptor);
    this.#isOpen = false;
  }

  /** Looks at the disk each time: another process may have written, put the file aside or removed it. */
  #makeRoom(bytes: number): void {
    const there = statSync(this.#path, { throwIfNoEntry: false });
    const isOurs = there?.ino === this.#file.ino && there.dev === this.#file.dev;
    const isFull = there !== undefined && there.size > 0 && there.size + bytes > this.#maxBytes;
    if (isFull) putAside(this.#path, this.#keep);
    if (isOurs && !isFull) return;
    const next = openPrivate(this.#path);
    closeSync(this.#file.descriptor);
    this.#file = next;
  }
}

interface OpenFile {
  readonly descriptor: number;
  readonly ino: number;
  readonly dev: number;
  /** Whether its last line has no end. */
  torn: boolean;
}

function openPrivate(path: string): OpenFile {
  const { O_APPEND, O_CREAT, O_RDWR } = constants;
  const descriptor = openSync(path, O_APPEND | O_CREAT | O_RDWR, OWNER_ONLY);
  const stat = fstatSync(descriptor);
  const isOpenToOthers = stat.isFile() && (stat.mode & 0o077) !== 0;
  if (isOpenToOthers && process.platform !== "win32") fchmodSync(descriptor, OWNER_ONLY);
  return { descriptor, ino: stat.ino, dev: stat.dev, torn: isTorn(descriptor, stat.size) };
}

/** A crash or a full disk can leave half a line; what follows must not become part of it. */
function isTorn(descriptor: number, size: number): boolean {
  if (size === 0) return false;
  const last = new Uint8Array(1);
  readSync(descriptor, last, 0, 1, size - 1);
  return last[0] !== NEWLINE;
}

function write(file: OpenFile, line: Uint8Array): void {
  for (let done = 0; done < line.length;) {
    done += writeSync(file.descriptor, line, done);
    file.torn = done < line.length;
  }
}

/** Numbers rise, so that nothing is ever written over, however many processes do this at once. */
function putAside(path: string, keep: number): void {
  const numbers = numbersOf(path);
  let number = Math.max(0, ...numbers) + 1;
  while (!claims(`${path}.${number}`)) number++;
  try {
    renameSync(path, `${path}.${number}`);
  } catch (error) {
    rmSync(`${path}.${number}`);
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return; // another process was quicker
  }
  const old = [...numbers, number].sort((a, b) => b - a).slice(keep);
  for (const gone of old) rmSync(`${path}.${gone}`, { force: true });
}

/** Numbers of the files put aside. */
function numbersOf(path: string): number[] {
  const start = `${basename(path)}.`;
  return readdirSync(dirname(path))
    .filter((name) => name.startsWith(start))
    .map((name) => name.slice(start.length))
    .filter((rest) => /^[1-9]\d{0,14}$/.test(rest))
    .map(Number);
}

/** Makes an empty file, to be replaced; false when the name is taken. */
function claims(path: string): boolean {
  try {
    closeSync(openSync(path, "wx", OWNER_ONLY));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

function failure(path: string, cause: unknown): SentinelError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const problem = `Cannot write the journal "${path}": ${reason}`;
  const remedy = "free the disk, or let this user write the file and its folder";
  return new SentinelError("AUDIT_UNAVAILABLE", `${problem}; ${remedy}`, { reason }, cause);
}
