/** Reads rows of a run back, in pieces, and goes on where it ended. */
import { Buffer } from "node:buffer";
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import type { JournaledRow } from "../../ports/audit.ts";
import { eachLine, isRowLine, journaledRow } from "./audit_lines.ts";
import type { Place } from "./audit_scan.ts";
import type { Segment } from "./audit_segment.ts";

const CHUNK_BYTES = 256 * 1024;
/** Size of rows from which an answer is complete, however many rows are asked for. */
const MAX_BYTES = 4 * 1024 * 1024;

/** A place between two rows. */
interface Position {
  readonly segment: Segment;
  readonly offset: number;
  /** Number of the row before it. */
  readonly after: number;
}

/** Rows of one answer. */
interface Page {
  readonly after: number;
  readonly limit: number;
  readonly rows: JournaledRow[];
  bytes: number;
}

export class RowReader {
  readonly #segments: readonly Segment[];
  #position: Position | undefined;

  /** @param segments Those of the run; may grow, and lose the first. */
  constructor(segments: readonly Segment[]) {
    this.#segments = segments;
  }

  /** Rows after a number, oldest first; at least one when there is one, at most `limit`. */
  async rows(after: number, limit: number): Promise<readonly JournaledRow[]> {
    const page: Page = { after, limit, rows: [], bytes: 0 };
    for (const segment of this.#segments.filter(({ lastRow }) => lastRow > after)) {
      const offset = await this.#read(segment, page);
      const last = page.rows.at(-1);
      if (last !== undefined) this.#position = { segment, offset, after: last.row.sequence };
      if (isFull(page)) break;
    }
    return page.rows;
  }

  /** @returns the end of the last line that was taken */
  async #read(segment: Segment, page: Page): Promise<number> {
    const position = this.#position;
    const goesOn = position?.segment === segment && position.after === page.after;
    let offset = goesOn ? position.offset : 0;
    // What is written from now on is for the next time.
    const end = segment.bytes;
    const file = await openToRead(segment.path);
    try {
      let size = CHUNK_BYTES;
      while (offset < end && !isFull(page)) {
        const wanted = Math.min(size, end - offset);
        const chunk = await bytesAt(file, offset, wanted);
        const done = eachLine(chunk, (line) => take(line, segment, page));
        // An acknowledged end is the end of a line: something has shortened or changed the file.
        if (done === 0 && (chunk.length < wanted || wanted < size)) {
          segment.isDamaged = true;
          break;
        }
        size = done === 0 ? 2 * size : CHUNK_BYTES;
        offset += done;
      }
      return offset;
    } finally {
      await file.close();
    }
  }
}

/** The lines at some places of one segment. */
export async function linesAt(
  path: string,
  places: readonly Place[],
): Promise<readonly Buffer[]> {
  const lines: Buffer[] = [];
  const file = await openToRead(path);
  try {
    for (const { offset, length } of places) lines.push(await bytesAt(file, offset, length));
    return lines;
  } finally {
    await file.close();
  }
}

function openToRead(path: string): Promise<FileHandle> {
  const { O_NOFOLLOW, O_RDONLY } = constants;
  return open(path, O_RDONLY | O_NOFOLLOW);
}

/** Fewer than asked for only at the end of the file. */
async function bytesAt(file: FileHandle, offset: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  for (let done = 0; done < length;) {
    const { bytesRead } = await file.read(bytes, done, length - done, offset + done);
    if (bytesRead === 0) return bytes.subarray(0, done);
    done += bytesRead;
  }
  return bytes;
}

/** @returns false when the page is full */
function take(line: Buffer, segment: Segment, page: Page): boolean {
  if (!isRowLine(line)) return true;
  const found = journaledRow(line);
  if (found === undefined) segment.isDamaged = true;
  else if (found.row.sequence > page.after) {
    page.rows.push(found);
    page.bytes += line.length;
  }
  return !isFull(page);
}

function isFull({ rows, limit, bytes }: Page): boolean {
  return rows.length >= limit || bytes >= MAX_BYTES;
}
