/** One reader of a stream: it pulls what it can take, and is told why when its stream ends. */
import { asSentinelError } from "../../contract/mod.ts";
import type { Clock } from "../../ports/clock.ts";
import { frame, type Source } from "./source.ts";

/** Between two signs of life. */
const BEAT_MS = 15_000;
/** How long a reader may take nothing while something waits. */
const SLOW_MS = 60_000;

/** Why a stream has ended; the first four are the names of its last event. */
export type StreamEnd = "slow" | "unauthorized" | "stopping" | "failed" | "gone";

const TEXTS: Readonly<Record<Exclude<StreamEnd, "gone">, string>> = {
  slow: "The stream was read too slowly. Open it again with the last id.",
  unauthorized: "The token is not accepted any more.",
  stopping: "The gateway is stopping.",
  failed: "The events cannot be read now; the log of the gateway says why.",
};

export interface FeedOptions {
  readonly source: Source;
  readonly clock: Clock;
  /** Whether the reader's token is still accepted; asked before each read. */
  readonly isAllowed: () => Promise<boolean>;
  /** Called once. */
  readonly onEnd: (end: StreamEnd, cause?: unknown) => void;
}

const encoder = new TextEncoder();

export class Feed {
  readonly body: ReadableStream<Uint8Array>;
  readonly #options: FeedOptions;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #isPulling = false;
  /** When the last frame was ready. */
  #sentAt: number;
  /** Since when the reader has been seen to take nothing while something waits. */
  #stuckSince: number | undefined;
  /** How often something may have come. */
  #looks = 0;
  #wake: (() => void) | undefined;

  constructor(options: FeedOptions) {
    this.#options = options;
    this.#sentAt = options.clock.monotonic();
    options.source.watch(() => {
      this.#looks++;
      this.#wake?.();
    });
    this.body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller;
        // Some runtimes and proxies hold the head of an answer back until its body begins.
        this.#send(": connected\n\n");
      },
      pull: () => this.#pull(),
      cancel: () => this.#finish("gone"),
    }, { highWaterMark: 0 });
  }

  get #isOpen(): boolean {
    return this.#controller !== undefined;
  }

  /** Ends the stream and says so. */
  end(end: Exclude<StreamEnd, "gone">, cause?: unknown): void {
    const controller = this.#controller;
    if (controller === undefined) return;
    const { source } = this.#options;
    source.close();
    this.#send(frame(end, { message: TEXTS[end], lost: source.lost }));
    controller.close();
    this.#finish(end, cause);
  }

  /** Ends the stream when its reader has taken nothing for too long; to be called now and then. */
  checkPace(): void {
    const { clock, source } = this.#options;
    const isStuck = !this.#isPulling && source.isWaiting;
    this.#stuckSince = isStuck ? this.#stuckSince ?? clock.monotonic() : undefined;
    if (this.#stuckSince === undefined) return;
    if (clock.monotonic() - this.#stuckSince >= SLOW_MS) this.end("slow");
  }

  async #pull(): Promise<void> {
    this.#isPulling = true;
    this.#stuckSince = undefined;
    try {
      const text = await this.#next();
      if (text !== undefined) this.#send(text);
    } catch (thrown) {
      this.end("failed", asSentinelError(thrown).cause ?? thrown);
    } finally {
      this.#isPulling = false;
    }
  }

  /** Waits for frames, or until it is time for a sign of life; undefined when the stream has ended. */
  async #next(): Promise<string | undefined> {
    const { source, isAllowed } = this.#options;
    while (this.#isOpen) {
      if (!(await isAllowed())) return this.#endNow("unauthorized");
      const looks = this.#looks;
      const text = await source.next();
      if (text !== undefined) return text;
      if (source.isOver) return this.#endNow("slow");
      if (this.#untilBeat() <= 0) return source.beat();
      if (looks === this.#looks && this.#isOpen) await this.#wait();
    }
    return undefined;
  }

  #endNow(end: "unauthorized" | "slow"): undefined {
    this.end(end);
  }

  #untilBeat(): number {
    return this.#sentAt + BEAT_MS - this.#options.clock.monotonic();
  }

  #wait(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = this.#options.clock.after(this.#untilBeat(), () => this.#wake?.());
    this.#wake = () => {
      this.#wake = undefined;
      cancel();
      resolve();
    };
    return promise;
  }

  #send(text: string): void {
    this.#sentAt = this.#options.clock.monotonic();
    this.#controller?.enqueue(encoder.encode(text));
  }

  #finish(end: StreamEnd, cause?: unknown): void {
    if (this.#controller === undefined) return;
    this.#controller = undefined;
    this.#options.source.close();
    this.#wake?.();
    this.#options.onEnd(end, cause);
  }
}
