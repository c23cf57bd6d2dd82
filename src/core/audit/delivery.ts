/**
 * Brings rows from the journal into the store: in batches, in order, at least once. Nothing waits for it; while the
 * store is away, rows stay in the journal.
 */
import { chainHash, chainStart } from "../../contract/audit_chain.ts";
import type {
  AuditJournal,
  AuditSink,
  DeliveredRow,
  JournaledRow,
  Leftover,
  Mark,
} from "../../ports/audit.ts";
import type { Cancel, Clock } from "../../ports/clock.ts";
import type { Digest } from "../../ports/digest.ts";
import type { Log } from "../../ports/log.ts";
import type { Random } from "../../ports/random.ts";
import type { Telemetry } from "../../ports/telemetry.ts";
import { settlesWithin } from "../runtime/deadline.ts";
import { RowQueue } from "./queue.ts";

/** Rows of one batch. */
const BATCH = 250;
/** Rows the store has and a power cut could still take stay in the journal: for so long, or for so many. */
const SYNC_MS = 5000;
const MAX_UNSYNCED = 16_384;
/** How long the first row of a batch may wait for others. */
const GATHER_MS = 100;
const RETRY_MS = 250;
const MAX_RETRY_MS = 5000;

export interface DeliveryOptions {
  readonly journal: AuditJournal;
  readonly sink: AuditSink;
  readonly digest: Digest;
  /** Whether rows are chained by hash. */
  readonly chain: boolean;
  /** Rows kept in memory. */
  readonly queue: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly telemetry: Telemetry;
  /** Whether the journal fills up, so that it should forget what it can. */
  readonly isShort: () => boolean;
  /** Called with the number of rows the store has taken. */
  readonly committed: (rows: number) => void;
}

/** One run whose rows are delivered. */
interface Run {
  readonly instance: string;
  readonly source: Pick<AuditJournal, "rows" | "delivered">;
  mark: Mark;
  /** Rows the store has since it was last made sure of. */
  unsynced: number;
}

export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #queue: RowQueue;
  readonly #current: Run;
  readonly #leftovers: Leftover[];
  /** Number of the newest row. */
  #last = 0;
  #failure: string | undefined;
  #failures = 0;
  #isOpen = false;
  #isStopping = false;
  /** Monotonic time. */
  #syncedAt = -Infinity;
  #pumping: Promise<void> | undefined;
  #timer: Cancel | undefined;

  constructor(options: DeliveryOptions) {
    const { journal, digest } = options;
    this.#options = options;
    this.#queue = new RowQueue(options.queue);
    this.#leftovers = [...journal.leftovers];
    const hash = chainStart(journal.instance, (text) => digest.sha256(text));
    const mark = { sequence: 0, hash };
    this.#current = { instance: journal.instance, source: journal, mark, unsynced: 0 };
  }

  /** Why the store does not take rows; undefined while it does. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** A row that is in the journal of this run. */
  add(row: JournaledRow): void {
    this.#queue.push(row);
    this.#last = row.row.sequence;
    if (this.#pumping !== undefined || this.#failure !== undefined) return;
    if (this.#timer === undefined) this.#wake(GATHER_MS);
    else if (this.#queue.size === BATCH) this.#wake(0);
  }

  /** Begins with what earlier runs left. */
  start(): void {
    this.#wake(0);
  }

  /** Delivers what is left, within `ms`; what is not delivered then stays in the journal. */
  async stop(ms: number): Promise<void> {
    this.#isStopping = true;
    this.#timer?.();
    this.#timer = undefined;
    await settlesWithin(this.#drain(), ms, this.#options.clock);
  }

  async #drain(): Promise<void> {
    await this.#pumping;
    if (this.#failure === undefined) await this.#pump();
  }

  #wake(ms: number): void {
    if (this.#isStopping || this.#pumping !== undefined) return;
    this.#timer?.();
    this.#timer = this.#options.clock.after(ms, () => {
      this.#timer = undefined;
      this.#pumping = this.#pump().finally(() => {
        this.#pumping = undefined;
        this.#goOn();
      });
    });
  }

  /** Rows may have come while the last batch was looked at, or have to be tried again. */
  #goOn(): void {
    if (this.#failure !== undefined) this.#wake(this.#pause());
    else if (this.#current.mark.sequence < this.#last) {
      this.#wake(this.#queue.size >= BATCH || this.#queue.isBehind ? 0 : GATHER_MS);
    }
  }

  #pause(): number {
    const ms = Math.min(MAX_RETRY_MS, RETRY_MS * 2 ** Math.min(this.#failures - 1, 10));
    return ms * (0.5 + this.#options.random.fraction() / 2);
  }

  /** Delivers until there is nothing more, or the store fails. Never rejects. */
  async #pump(): Promise<void> {
    try {
      if (!this.#isOpen) await this.#options.sink.open();
      this.#isOpen = true;
      while (this.#leftovers[0] !== undefined) await this.#finish(this.#leftovers[0]);
      do await this.#deliverCurrent(); while (this.#isWorthGoingOn);
      if (this.#isStopping && this.#current.unsynced > 0) await this.#sync(this.#current);
      this.#worked();
    } catch (cause) {
      this.#failed(cause);
    }
  }

  async #finish(leftover: Leftover): Promise<void> {
    const { instance, mark } = leftover;
    const hash = mark.sequence === 0 ? chainStart(instance, this.#sha256) : mark.hash;
    const from = { sequence: mark.sequence, hash };
    const run: Run = { instance, source: leftover, mark: from, unsynced: 0 };
    for (;;) {
      const rows = await leftover.rows(run.mark.sequence, BATCH);
      if (rows.length === 0) break;
      await this.#write(run, rows);
    }
    await this.#sync(run);
    leftover.remove();
    this.#leftovers.shift();
  }

  /** What is less than a batch waits for others: each costs the store as much as many rows do. */
  get #isWorthGoingOn(): boolean {
    const { size, isBehind } = this.#queue;
    return size >= BATCH || isBehind || (this.#isStopping && size > 0);
  }

  async #deliverCurrent(): Promise<void> {
    const queued = this.#queue.head(BATCH);
    if (queued.length > 0) {
      await this.#write(this.#current, queued);
      this.#queue.drop(queued.length);
      return;
    }
    if (!this.#queue.isBehind) return;
    const rows = await this.#options.journal.rows(this.#current.mark.sequence, BATCH);
    if (rows.length > 0) await this.#write(this.#current, rows);
    else await this.#breathe();
    // Rows that came while the journal was read are not in memory either.
    if (this.#current.mark.sequence >= this.#last) this.#queue.caughtUp();
  }

  async #write(run: Run, rows: readonly JournaledRow[]): Promise<void> {
    const { sink, clock, telemetry, committed } = this.#options;
    const chained = this.#chained(run.mark.hash, rows);
    const began = clock.monotonic();
    await sink.write(chained);
    const seconds = (clock.monotonic() - began) / 1000;
    telemetry.series("sentinel_audit_write_duration_seconds", { store: sink.kind }).observe(
      seconds,
    );
    const last = chained.at(-1) as DeliveredRow;
    run.mark = { sequence: last.row.sequence, hash: last.hash };
    run.unsynced += rows.length;
    committed(rows.length);
    this.#worked();
    if (this.#isSyncDue(run)) await this.#sync(run);
    await this.#breathe();
  }

  #isSyncDue({ unsynced }: Run): boolean {
    const { clock, isShort } = this.#options;
    return unsynced >= MAX_UNSYNCED || clock.monotonic() - this.#syncedAt >= SYNC_MS || isShort();
  }

  /** What a power cut cannot take any more, the journal may forget. */
  async #sync(run: Run): Promise<void> {
    const { sink, clock } = this.#options;
    const { mark } = run;
    await sink.sync();
    this.#syncedAt = clock.monotonic();
    run.unsynced = 0;
    run.source.delivered(mark);
  }

  /** Stores that answer at once must not keep everything else from running. */
  #breathe(): Promise<void> {
    return new Promise((resolve) => this.#options.clock.after(0, resolve));
  }

  #chained(previous: string, rows: readonly JournaledRow[]): DeliveredRow[] {
    if (!this.#options.chain) return rows.map((row) => ({ ...row, hash: "" }));
    let hash = previous;
    return rows.map(({ row, text }) => {
      hash = chainHash(hash, text, this.#sha256);
      return { row, text, hash };
    });
  }

  readonly #sha256 = (text: string): string => this.#options.digest.sha256(text);

  #worked(): void {
    if (this.#failure === undefined) return;
    this.#failure = undefined;
    this.#failures = 0;
    this.#options.log.write("audit.store_recovered", { store: this.#options.sink.kind });
  }

  #failed(cause: unknown): void {
    const { log, sink, telemetry } = this.#options;
    const reason = cause instanceof Error ? cause.message : String(cause);
    telemetry.series("sentinel_audit_records_total", { result: "failed" }).add(1);
    if (this.#failure === undefined) log.write("audit.store_failed", { store: sink.kind, reason });
    this.#failure = reason;
    this.#failures++;
  }
}
