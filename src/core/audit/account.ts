/** Counts every row: `written = committed + queued + dropped`. */
import type { AuditAccount } from "../../contract/audit.ts";
import type { AuditJournal, AuditSink } from "../../ports/audit.ts";
import type { Log } from "../../ports/log.ts";
import type { Series, Telemetry } from "../../ports/telemetry.ts";
import type { Draft } from "./call_row.ts";
import { gapRow, type Said } from "./other_rows.ts";

/** Share of the journal's size from which it should forget what it can. */
const SHORT = 0.1;
/** Shares of the journal's size: above the first it is filling, below the second it was emptied again. */
const FILLING = 0.8;
const EMPTIED = 0.6;

export interface AccountOptions {
  readonly journal: AuditJournal;
  readonly log: Log;
  readonly telemetry: Telemetry;
  /** Size of the journal at which it is full. */
  readonly maxBytes: () => number;
}

export class Account {
  readonly #options: AccountOptions;
  readonly #series: Readonly<Record<"written" | "committed" | "dropped", Series>>;
  #written = 0;
  #committed = 0;
  #dropped = 0;
  #open = 0;
  /** Rows dropped since the last row of kind `gap`. */
  #gap: { count: number; readonly first: string; last: string } | undefined;
  #isFilling = false;

  constructor(options: AccountOptions) {
    this.#options = options;
    const { telemetry } = options;
    const seriesOf = (result: "written" | "committed" | "dropped" | "failed") => {
      const series = telemetry.series("sentinel_audit_records_total", { result });
      series.add(0);
      return series;
    };
    this.#series = {
      written: seriesOf("written"),
      committed: seriesOf("committed"),
      dropped: seriesOf("dropped"),
    };
    seriesOf("failed");
    const length = telemetry.series("sentinel_audit_queue_length", {});
    const bytes = telemetry.series("sentinel_audit_journal_bytes", {});
    const capacity = telemetry.series("sentinel_audit_queue_capacity", {});
    telemetry.onCollect(() => {
      length.set(this.#queued);
      bytes.set(options.journal.bytes);
      capacity.set(options.maxBytes());
    });
  }

  get #queued(): number {
    return this.#written - this.#committed - this.#dropped;
  }

  get isShort(): boolean {
    return this.#options.journal.bytes > this.#options.maxBytes() * SHORT;
  }

  /** Rows are in the journal. */
  written(rows = 1): void {
    this.#written += rows;
    this.#series.written.add(rows);
  }

  committed(rows: number): void {
    this.#committed += rows;
    this.#series.committed.add(rows);
  }

  /** A row that should have been written was given up. */
  dropped(request: string): void {
    this.#written++;
    this.#dropped++;
    this.#series.written.add(1);
    this.#series.dropped.add(1);
    if (this.#gap === undefined) {
      this.#gap = { count: 1, first: request, last: request };
      this.#options.log.write("audit.dropped", { request_id: request });
    } else {
      this.#gap.count++;
      this.#gap.last = request;
    }
  }

  /** An intent is in the journal. */
  opened(): void {
    this.#open++;
  }

  closed(): void {
    this.#open--;
  }

  /** Rows were dropped that no row tells of yet. */
  get hasGap(): boolean {
    return this.#gap !== undefined;
  }

  /** The row that tells of what was dropped, once the journal has room for it. */
  gap(said: Said): Draft | undefined {
    return this.#gap === undefined ? undefined : gapRow(said, this.#gap);
  }

  gapWritten(): void {
    this.#gap = undefined;
  }

  /** Whether the journal takes more calls. */
  hasRoom(): boolean {
    const { bytes } = this.#options.journal;
    const max = this.#options.maxBytes();
    this.#watch(bytes / max);
    return bytes < max;
  }

  read(store: AuditSink["kind"], failure: string | undefined): AuditAccount {
    return {
      store,
      written: this.#written,
      committed: this.#committed,
      queued: this.#queued,
      dropped: this.#dropped,
      open: this.#open,
      journalBytes: this.#options.journal.bytes,
      journalMaxBytes: this.#options.maxBytes(),
      ok: failure === undefined,
      ...(failure === undefined ? {} : { error: failure }),
    };
  }

  #watch(share: number): void {
    if (share >= FILLING && !this.#isFilling) {
      this.#isFilling = true;
      this.#options.log.write("audit.filling", { bytes: this.#options.journal.bytes });
    } else if (share < EMPTIED) this.#isFilling = false;
  }
}
