import { renameSync, rmSync } from "node:fs";
import type { AuditRow } from "../../contract/audit.ts";
import type { JournaledRow, Mark } from "../../ports/audit.ts";
import { auditFailure } from "./audit_failure.ts";
import { forgetLine, intendedRow, intentLine, rowLine } from "./audit_lines.ts";
import { SegmentLog } from "./audit_log.ts";
import { MarkFile } from "./audit_mark.ts";
import type { Owner } from "./audit_owner.ts";
import { linesAt, RowReader } from "./audit_row_reader.ts";
import { closeIntent, type Contents, openIntent } from "./audit_scan.ts";
import type { Segment } from "./audit_segment.ts";
import { GroupedWork } from "./audit_sync.ts";

/** Segments that may wait for intents in the first; then those are copied forward. */
const MAX_WAITING = 4;

export interface AuditRunOptions {
  readonly folder: string;
  /** Size in bytes from which a new segment is begun. */
  readonly segmentBytes: number;
}

/** The journal of one run, in a folder that only its owner writes. */
export class AuditRun {
  readonly #folder: string;
  readonly #owner: Owner;
  readonly #contents: Contents;
  readonly #log: SegmentLog;
  readonly #mark: MarkFile;
  readonly #reader: RowReader;
  readonly #trimming = new GroupedWork(() => this.#trim());
  #isOpen = true;

  /** @param contents What is in the folder. */
  constructor({ folder, segmentBytes }: AuditRunOptions, owner: Owner, contents: Contents) {
    this.#folder = folder;
    this.#owner = owner;
    this.#contents = contents;
    this.#log = new SegmentLog(folder, contents.segments, segmentBytes);
    this.#mark = new MarkFile(folder);
    this.#reader = new RowReader(contents.segments);
  }

  get bytes(): number {
    return this.#isOpen ? this.#log.bytes : 0;
  }

  get mark(): Mark {
    return this.#mark.mark;
  }

  /** Number of the last row; 0 without one. */
  get last(): number {
    return Math.max(this.#contents.last, this.mark.sequence);
  }

  intent(request: string, text: string): void {
    openIntent(this.#contents, request, this.#write(intentLine(text)));
  }

  append({ row: { request, sequence }, text }: JournaledRow): void {
    const { segment } = this.#write(rowLine(text));
    segment.lastRow = sequence;
    this.#contents.last = sequence;
    closeIntent(this.#contents, request);
  }

  forget(request: string): void {
    this.#write(forgetLine(request));
    closeIntent(this.#contents, request);
  }

  synced(): Promise<void> {
    return this.#log.synced().catch((error: unknown) => {
      throw auditFailure("write", this.#folder, error);
    });
  }

  rows(after: number, limit: number): Promise<readonly JournaledRow[]> {
    return this.#reader.rows(after, limit).catch((error: unknown) => {
      throw auditFailure("read", this.#folder, error);
    });
  }

  delivered(mark: Mark): void {
    if (!this.#isOpen) return;
    try {
      this.#mark.set(mark);
    } catch (error) {
      throw auditFailure("write", this.#folder, error);
    }
    // A segment that could not be removed is looked at again with the next rows.
    if (this.#waiting() !== undefined) this.#trimming.run().catch(() => {});
  }

  /** Rows of the open intents, oldest first. One that cannot be read marks its segment as damaged. */
  async intended(): Promise<readonly AuditRow[]> {
    const rows: AuditRow[] = [];
    for (const segment of this.#contents.segments) {
      const places = [...this.#contents.open.values()].filter((place) => place.segment === segment);
      if (places.length === 0) continue;
      for (const line of await linesAt(segment.path, places)) {
        const row = intendedRow(line);
        if (row === undefined) segment.isDamaged = true;
        else rows.push(row);
      }
    }
    return rows.sort((one, two) => one.at < two.at ? -1 : one.at > two.at ? 1 : 0);
  }

  /** Ends the run; its files go when nothing in them is needed any more: true then. */
  close(): boolean {
    if (!this.#isOpen) return false;
    const { open, last } = this.#contents;
    if (open.size === 0 && this.mark.sequence >= last && !this.#isDamaged) {
      this.remove();
      return true;
    }
    this.#end();
    this.#owner.release();
    return false;
  }

  /** Removes its files, or puts them aside when there are lines in them that cannot be read. */
  remove(): void {
    if (!this.#isOpen) return;
    this.#end();
    try {
      // In one step, so that nobody else finds half of it.
      const aside = `${this.#folder}.${this.#isDamaged ? "damaged" : "removed"}`;
      renameSync(this.#folder, aside);
      if (!this.#isDamaged) rmSync(aside, { recursive: true });
    } catch (error) {
      throw auditFailure("write", this.#folder, error);
    } finally {
      this.#owner.release();
    }
  }

  get #isDamaged(): boolean {
    return this.#contents.segments.some(({ isDamaged }) => isDamaged);
  }

  #end(): void {
    this.#isOpen = false;
    this.#log.close();
    this.#mark.close();
  }

  #write(line: string): ReturnType<SegmentLog["write"]> {
    try {
      return this.#log.write(line);
    } catch (error) {
      throw auditFailure("write", this.#folder, error);
    }
  }

  /** The first segment, when others follow it and all its rows are delivered. */
  #waiting(): Segment | undefined {
    const [first, second] = this.#contents.segments;
    if (!this.#isOpen || first === undefined || second === undefined) return undefined;
    return first.lastRow <= this.mark.sequence && !first.isDamaged ? first : undefined;
  }

  /** In order: what closes an intent must not go before the intent. */
  async #trim(): Promise<void> {
    for (let first = this.#waiting(); first !== undefined; first = this.#waiting()) {
      if (first.open > 0 && this.#contents.segments.length <= MAX_WAITING) return;
      await this.#mark.sync();
      if (first.open > 0) await this.#copyForward(first);
      if (this.#isOpen && first.open === 0) this.#log.removeFirst();
    }
  }

  /** A call that goes on for hours must not keep everything that was written since. */
  async #copyForward(segment: Segment): Promise<void> {
    const open = [...this.#contents.open].filter(([, place]) => place.segment === segment);
    const lines = await linesAt(segment.path, open.map(([, place]) => place));
    for (const [index, [request, place]] of open.entries()) {
      const isStillOpen = this.#isOpen && this.#contents.open.get(request) === place;
      const line = lines[index]?.toString();
      if (!isStillOpen || line === undefined) continue;
      openIntent(this.#contents, request, this.#write(`${line}\n`));
    }
  }
}
