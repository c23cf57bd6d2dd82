import type { HttpReply } from "./reply_reader.ts";
import { resultOf } from "./session.ts";
import { percentile } from "./stats.ts";

/** Latency percentiles in milliseconds. */
export interface Latency {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

/** Counts the calls of one slice; only right replies have a latency. */
export class Tally {
  #latencies: number[] = [];
  errors = 0;
  /** What the first error said. */
  firstError: string | undefined;

  get requests(): number {
    return this.#latencies.length;
  }

  /** Takes a reply to an `echo` of `text`: right id, a result that is no error, the same text. */
  take(reply: HttpReply, id: number, text: string, tookMs: number): void {
    try {
      const [item] = resultOf(reply, id)["content"] as readonly { text?: string }[];
      if (item?.text === text) this.#latencies.push(tookMs);
      else this.fail(`Echo of another call: wanted "${text}", got "${item?.text ?? ""}"`);
    } catch (error) {
      this.fail(error);
    }
  }

  fail(error: unknown): void {
    this.errors++;
    this.firstError ??= String(error);
  }

  /** Forgets the calls so far, but no error. */
  restart(): void {
    this.#latencies = [];
  }

  latency(): Latency {
    const ascending = Float64Array.from(this.#latencies).sort();
    return {
      p50: percentile(ascending, 0.5),
      p95: percentile(ascending, 0.95),
      p99: percentile(ascending, 0.99),
    };
  }
}
