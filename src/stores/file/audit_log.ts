import { unlinkSync } from "node:fs";
import { dirname } from "node:path";
import process from "node:process";
import { codeOf } from "./audit_failure.ts";
import type { Place } from "./audit_scan.ts";
import { type Segment, segmentIn, SegmentWriter } from "./audit_segment.ts";
import { GroupedWork, syncFile, syncFolder } from "./audit_sync.ts";

/** The segments of one run: lines go into the last, and the first is removed when nothing needs it. */
export class SegmentLog {
  readonly folder: string;
  readonly segments: readonly Segment[];
  readonly #segments: Segment[];
  readonly #segmentBytes: number;
  readonly #syncing = new GroupedWork(() => this.#sync());
  #writer: SegmentWriter | undefined;
  #bytes: number;
  /** A power cut may leave files of the folder out. */
  #isFolderDirty = false;
  #isOpen = true;

  /**
   * @param segments What the folder has, by number; lines are added to new ones only.
   * @param segmentBytes Size in bytes from which a new segment is begun.
   */
  constructor(folder: string, segments: Segment[], segmentBytes: number) {
    this.folder = folder;
    this.segments = segments;
    this.#segments = segments;
    this.#segmentBytes = segmentBytes;
    this.#bytes = segments.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Appends a line, which ends with a newline, and gives its place; a failure leaves nothing of it. */
  write(line: string): Place {
    const writer = this.#current();
    const { segment } = writer;
    const before = segment.bytes;
    const length = writer.write(line);
    this.#bytes += segment.bytes - before;
    return { segment, offset: segment.bytes - length, length: length - 1 };
  }

  /** Resolves when all that was written before survives a power cut; many wait for one sync. */
  synced(): Promise<void> {
    return this.#syncing.run();
  }

  removeFirst(): void {
    const [first] = this.#segments;
    if (first === undefined) return;
    unlinkSync(first.path);
    this.#segments.shift();
    this.#bytes -= first.bytes;
  }

  close(): void {
    this.#isOpen = false;
    this.#writer?.close();
    this.#writer = undefined;
  }

  #current(): SegmentWriter {
    if (!this.#isOpen) throw new Error("it is closed");
    if (this.#writer !== undefined && this.#writer.segment.bytes < this.#segmentBytes) {
      return this.#writer;
    }
    const number = (this.#segments.at(-1)?.number ?? 0) + 1;
    const next = new SegmentWriter(segmentIn(this.folder, number));
    this.#endSegment();
    this.#writer = next;
    this.#segments.push(next.segment);
    this.#isFolderDirty = true;
    return next;
  }

  #endSegment(): void {
    this.#writer?.closeLater();
    this.#writer = undefined;
  }

  async #sync(): Promise<void> {
    if (this.#isFolderDirty && process.platform !== "win32") {
      this.#isFolderDirty = false;
      await syncFolder(this.folder);
      await syncFolder(dirname(this.folder));
    }
    const dirty = this.#segments.filter(({ bytes, synced }) => synced < bytes);
    for (const segment of dirty) await this.#syncSegment(segment);
  }

  async #syncSegment(segment: Segment): Promise<void> {
    const { bytes } = segment;
    try {
      await syncFile(segment.path);
      segment.synced = bytes;
    } catch (error) {
      if (codeOf(error) === "ENOENT" && !this.#segments.includes(segment)) return;
      // The system tells of lost pages once: a second try would succeed and prove nothing.
      segment.synced = Infinity;
      if (this.#writer?.segment === segment) this.#endSegment();
      throw error;
    }
  }
}
