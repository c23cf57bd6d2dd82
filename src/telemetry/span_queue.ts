/** Spans on their way to the collector: in batches, never more than fit, kept while it is away. */
import type { Cancel, Clock } from "../ports/clock.ts";

/** Spans that wait; those beyond are dropped. */
const MAX_QUEUED = 8192;
/** Spans that are sent at once. */
const MAX_BATCH = 512;

/** Why a batch was not taken. */
export interface SendFailure {
  readonly reason: string;
  /** It would be refused again. */
  readonly isFinal: boolean;
}

export interface SpanQueueOptions<Span> {
  readonly clock: Clock;
  /** Time spans are gathered before they are sent, and between two tries. */
  readonly delayMs: number;
  /** Never rejects; undefined: they were taken. */
  readonly send: (spans: readonly Span[]) => Promise<SendFailure | undefined>;
  readonly count: (result: "exported" | "dropped", spans: number) => void;
}

export class SpanQueue<Span> {
  readonly #options: SpanQueueOptions<Span>;
  #queued: Span[] = [];
  #waiting: Cancel | undefined;
  #sending: Promise<void> | undefined;
  /** The last batch was not taken. */
  #isHeldUp = false;
  #isClosed = false;

  constructor(options: SpanQueueOptions<Span>) {
    this.#options = options;
  }

  add(spans: readonly Span[]): void {
    const room = this.#isClosed ? 0 : MAX_QUEUED - this.#queued.length;
    const taken = spans.slice(0, Math.max(0, room));
    this.#queued.push(...taken);
    if (taken.length < spans.length) this.#options.count("dropped", spans.length - taken.length);
    this.#schedule();
  }

  /** Sends what is left, within the time; what could not be sent is dropped. */
  async close(limitMs: number): Promise<void> {
    this.#isClosed = true;
    this.#waiting?.();
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const cancel = this.#options.clock.after(limitMs, resolve);
    await Promise.race([late, (this.#sending ?? Promise.resolve()).then(() => this.#sendAll())]);
    cancel();
    this.#lose(this.#queued.length);
  }

  /** A full batch goes at once, unless the collector is away. */
  #schedule(): void {
    if (this.#isClosed || this.#sending !== undefined || this.#queued.length === 0) return;
    if (this.#queued.length >= MAX_BATCH && !this.#isHeldUp) return this.#start();
    const { clock, delayMs } = this.#options;
    this.#waiting ??= clock.after(delayMs, () => this.#start());
  }

  #start(): void {
    this.#waiting?.();
    this.#waiting = undefined;
    this.#sending = this.#sendAll().then(() => {
      this.#sending = undefined;
      this.#schedule();
    });
  }

  /** Until none is left, or a batch was not taken and may be later. */
  async #sendAll(): Promise<void> {
    while (this.#queued.length > 0) {
      const batch = this.#queued.slice(0, MAX_BATCH);
      const failure = await this.#options.send(batch);
      this.#isHeldUp = failure !== undefined && !failure.isFinal;
      if (this.#isHeldUp) return;
      if (failure !== undefined) this.#lose(batch.length);
      else {
        this.#queued = this.#queued.slice(batch.length);
        this.#options.count("exported", batch.length);
      }
    }
  }

  #lose(spans: number): void {
    if (spans === 0) return;
    this.#queued = this.#queued.slice(spans);
    this.#options.count("dropped", spans);
  }
}
