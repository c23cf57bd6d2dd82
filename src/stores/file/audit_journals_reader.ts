/** Reads the journals of a gateway beside it: nothing is adopted, changed or held. */
import { Buffer } from "node:buffer";
import { lstatSync } from "node:fs";
import { type FileHandle, open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { AuditRow } from "../../contract/audit.ts";
import type { JournaledRow } from "../../ports/audit.ts";
import { auditFailure, codeOf } from "./audit_failure.ts";
import { eachLine, intendedRow, journaledRow, lineOf } from "./audit_lines.ts";
import { segmentIn, segmentNumber } from "./audit_segment.ts";

const INSTANCE = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const CHUNK_BYTES = 256 * 1024;

/** One run whose journal is there. */
export interface JournalRun {
  readonly instance: string;
  /** Its gateway still runs. */
  readonly isAlive: boolean;
  /**
   * Rows after a number, oldest first, at most `limit`; reading on takes no longer than what is new.
   * @throws SentinelError AUDIT_UNAVAILABLE
   */
  rows(after: number, limit: number): Promise<readonly JournaledRow[]>;
  /** Intents without a row, oldest first. @throws SentinelError AUDIT_UNAVAILABLE */
  open(): Promise<readonly AuditRow[]>;
}

/**
 * @param folder `audit` in the folder of the gateway; it may be missing
 * @returns oldest first
 * @throws SentinelError AUDIT_UNAVAILABLE when it cannot be read
 */
export async function readAuditJournals(folder: string): Promise<readonly JournalRun[]> {
  const names = await namesIn(folder);
  return names.filter((name) => INSTANCE.test(name) && isFolder(join(folder, name))).sort()
    .map((instance) => new RunReader(join(folder, instance), instance));
}

/** Where reading goes on. */
interface Place {
  readonly segment: number;
  readonly offset: number;
}

class RunReader implements JournalRun {
  readonly instance: string;
  readonly isAlive: boolean;
  readonly #folder: string;
  #known: { readonly after: number; readonly place: Place } | undefined;

  constructor(folder: string, instance: string) {
    this.#folder = folder;
    this.instance = instance;
    this.isAlive = isOwned(folder);
  }

  async rows(after: number, limit: number): Promise<readonly JournaledRow[]> {
    const from = this.#known?.after === after ? this.#known.place : { segment: 0, offset: 0 };
    const rows: JournaledRow[] = [];
    for await (const { line, place } of this.#lines(from)) {
      const said = lineOf(line);
      if (said.kind !== "row" || said.sequence <= after) continue;
      const row = journaledRow(line);
      if (row !== undefined) rows.push(row);
      this.#known = { after: said.sequence, place };
      if (rows.length === limit) break;
    }
    return rows;
  }

  async open(): Promise<readonly AuditRow[]> {
    const intents = new Map<string, Buffer>();
    for await (const { line } of this.#lines({ segment: 0, offset: 0 })) {
      const said = lineOf(line);
      if (said.kind === "intent") intents.set(said.request, Buffer.from(line));
      else if ("request" in said) intents.delete(said.request);
    }
    return [...intents.values()].flatMap((line) => intendedRow(line) ?? []);
  }

  async *#lines(from: Place) {
    for (const segment of await this.#segments()) {
      if (segment < from.segment) continue;
      const { path } = segmentIn(this.#folder, segment);
      const start = segment === from.segment ? from.offset : 0;
      for await (const { line, end } of linesOf(path, start)) {
        yield { line, place: { segment, offset: end } };
      }
    }
  }

  async #segments(): Promise<readonly number[]> {
    const names = await namesIn(this.#folder);
    return names.flatMap((name) => segmentNumber(name) ?? []).sort((a, b) => a - b);
  }
}

interface FoundLine {
  /** Valid until the next one. */
  readonly line: Buffer;
  /** Offset of what follows. */
  readonly end: number;
}

/** Complete lines only: what has no newline is torn, or still being written. */
async function* linesOf(path: string, start: number): AsyncGenerator<FoundLine, void> {
  const file = await opened(path);
  if (file === undefined) return;
  try {
    let rest = Buffer.alloc(0);
    for (let offset = start;;) {
      const chunk = Buffer.alloc(CHUNK_BYTES);
      const { bytesRead } = await file.read(chunk, 0, CHUNK_BYTES, offset + rest.length);
      if (bytesRead === 0) return;
      const bytes = Buffer.concat([rest, chunk.subarray(0, bytesRead)]);
      const found: FoundLine[] = [];
      const used = eachLine(bytes, (line, at) => {
        found.push({ line, end: offset + at + line.length + 1 });
      });
      yield* found;
      offset += used;
      rest = bytes.subarray(used);
    }
  } catch (cause) {
    throw auditFailure("read", path, cause);
  } finally {
    await file.close();
  }
}

/** Undefined for one that was delivered and removed meanwhile. */
async function opened(path: string): Promise<FileHandle | undefined> {
  if (!isFile(path)) return undefined;
  try {
    return await open(path, "r");
  } catch (cause) {
    if (codeOf(cause) === "ENOENT") return undefined;
    throw auditFailure("read", path, cause);
  }
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (cause) {
    if (codeOf(cause) === "ENOENT") return [];
    throw auditFailure("read", folder, cause);
  }
}

/** Whether a process holds the lock of the run; the look itself holds a lock for a moment only. */
function isOwned(folder: string): boolean {
  const path = join(folder, "owner");
  if (!isFile(path)) return false;
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { readOnly: true });
    // Not as an option: Deno ignores it for a database that is only read, and waits 5 s.
    database.exec("PRAGMA busy_timeout = 0");
    database.prepare("SELECT count(*) FROM sqlite_schema").get();
    return false;
  } catch (cause) {
    if (/locked/.test(String(cause))) return true;
    throw auditFailure("read", path, cause);
  } finally {
    database?.close();
  }
}

/** Not a link to one. */
function isFile(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

function isFolder(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
