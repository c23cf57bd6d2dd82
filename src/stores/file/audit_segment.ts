/** One file of the audit's journal: lines are appended, and never changed. */
import {
  close,
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  openSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { TORN_END } from "./audit_lines.ts";

const OWNER_ONLY = 0o600;
const NAME = /^(\d{6,12})\.ndjson$/;
const encoder = new TextEncoder();
/** Lines are put into bytes here: a new array for each would cost more than writing it. */
const scratch = new Uint8Array(128 * 1024);

/** What is known of a segment. */
export interface Segment {
  readonly number: number;
  readonly path: string;
  /** Up to the end of the last line that was acknowledged. */
  bytes: number;
  /** How much of it is known to be on the disk. */
  synced: number;
  /** Number of its last row; 0 without one. */
  lastRow: number;
  /** Intents in it that are still open. */
  open: number;
  /** It has a line that cannot be read: it must not be removed. */
  isDamaged: boolean;
}

export function segmentIn(folder: string, number: number): Segment {
  const path = join(folder, `${String(number).padStart(6, "0")}.ndjson`);
  return { number, path, bytes: 0, synced: 0, lastRow: 0, open: 0, isDamaged: false };
}

/** Number of the segment with this file name. */
export function segmentNumber(name: string): number | undefined {
  const digits = NAME.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

export class SegmentWriter {
  readonly segment: Segment;
  readonly #descriptor: number;
  /** What follows its last line could not be taken back. */
  #isTorn = false;

  /** Makes the file. */
  constructor(segment: Segment) {
    const { O_APPEND, O_CREAT, O_EXCL, O_RDWR } = constants;
    this.segment = segment;
    this.#descriptor = openSync(segment.path, O_APPEND | O_CREAT | O_EXCL | O_RDWR, OWNER_ONLY);
  }

  /**
   * Appends a line as a whole, or leaves nothing of it that could be read; it ends with a newline.
   * @returns its length in bytes
   */
  write(line: string): number {
    if (this.#isTorn) this.#closeOff();
    const bytes = bytesOf(line);
    try {
      this.#writeAll(bytes);
    } catch (error) {
      this.#takeBack();
      throw error;
    }
    this.segment.bytes += bytes.length;
    return bytes.length;
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  /** Beside the event loop: systems take their time over a file that was just written. */
  closeLater(): void {
    close(this.#descriptor, () => {});
  }

  #writeAll(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length;) {
      const count = writeSync(this.#descriptor, bytes, done, bytes.length - done);
      if (count === 0) throw new Error("nothing more is written");
      done += count;
    }
  }

  #takeBack(): void {
    try {
      ftruncateSync(this.#descriptor, this.segment.bytes);
    } catch {
      this.#isTorn = true;
    }
  }

  #closeOff(): void {
    this.#writeAll(encoder.encode(TORN_END));
    this.segment.bytes = fstatSync(this.#descriptor).size;
    this.#isTorn = false;
  }
}

function bytesOf(line: string): Uint8Array {
  const { read, written } = encoder.encodeInto(line, scratch);
  return read === line.length ? scratch.subarray(0, written) : encoder.encode(line);
}
