/** How far the rows of a run are delivered. May say too little after a crash, never too much. */
import { Buffer } from "node:buffer";
import { closeSync, constants, openSync, readSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { Mark } from "../../ports/audit.ts";
import { syncFile } from "./audit_sync.ts";

const OWNER_ONLY = 0o600;
/** Marks are written into two places in turn, each in a sector of its own: one of them is always whole. */
const PLACE_BYTES = 512;
const NONE: Mark = { sequence: 0, hash: "" };

export class MarkFile {
  readonly #path: string;
  readonly #descriptor: number;
  #mark: Mark;
  #place = 0;
  /** What is known to be on the disk. */
  #synced: Mark | undefined;

  constructor(folder: string) {
    const { O_CREAT, O_NOFOLLOW, O_RDWR } = constants;
    this.#path = join(folder, "mark");
    this.#descriptor = openSync(this.#path, O_CREAT | O_RDWR | O_NOFOLLOW, OWNER_ONLY);
    const [one, two] = [this.#read(0), this.#read(1)];
    this.#place = one.sequence < two.sequence ? 1 : 0;
    this.#mark = this.#place === 0 ? one : two;
  }

  get mark(): Mark {
    return this.#mark;
  }

  set(mark: Mark): void {
    this.#place = 1 - this.#place;
    const text = JSON.stringify({ sequence: mark.sequence, hash: mark.hash });
    const bytes = Buffer.from(`${text.padEnd(PLACE_BYTES - 1)}\n`);
    writeSync(this.#descriptor, bytes, 0, bytes.length, this.#place * PLACE_BYTES);
    this.#mark = mark;
  }

  /** Resolves when the mark survives a power cut. */
  async sync(): Promise<void> {
    const mark = this.#mark;
    if (this.#synced === mark) return;
    await syncFile(this.#path);
    this.#synced = mark;
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #read(place: number): Mark {
    const bytes = Buffer.alloc(PLACE_BYTES);
    readSync(this.#descriptor, bytes, 0, PLACE_BYTES, place * PLACE_BYTES);
    try {
      const { sequence, hash } = JSON.parse(bytes.toString()) as Partial<Mark>;
      const isMark = Number.isSafeInteger(sequence) && typeof hash === "string";
      return isMark ? { sequence, hash } as Mark : NONE;
    } catch {
      return NONE; // never written, or half
    }
  }
}
