/** Which spans are kept: those of sampled traces at once, the others when the call has ended and is worth it. */
import {
  type Attributes,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
} from "@opentelemetry/api";
import { Slowness } from "./slowness.ts";

/** Calls of traces that are not sampled, under way at once; of others only what is kept for itself is seen. */
const MAX_OPEN = 10_000;
/** Spans of one such call that wait for its end. */
const MAX_WAITING = 64;

/** What decides; the SDK's own spans have more. */
export interface EndedSpan {
  readonly name: string;
  readonly kind: SpanKind;
  readonly parentSpanContext?: SpanContext;
  readonly attributes: Attributes;
  readonly status: { readonly code: SpanStatusCode };
  /** Seconds and nanoseconds. */
  readonly duration: readonly [number, number];
  spanContext(): SpanContext;
}

export interface TailOptions<Ended> {
  readonly keep: (spans: readonly Ended[]) => void;
  /** Counts what the sample leaves out, and what had no room. */
  readonly count: (result: "sampled_out" | "dropped", spans: number) => void;
}

/** To be told of every span that starts and ends, as the SDK's span processors are. */
export class Tail<Ended extends EndedSpan> {
  readonly #options: TailOptions<Ended>;
  readonly #slowness = new Slowness();
  /** By id of the span of a call: the spans of its requests to backends. */
  readonly #open = new Map<string, Ended[]>();
  #kept: string | undefined;

  constructor(options: TailOptions<Ended>) {
    this.#options = options;
  }

  /** Whether the span of a call that has just ended is kept. */
  readonly isKept = ({ spanId }: SpanContext): boolean => this.#kept === spanId;

  started(span: Pick<Ended, "kind" | "spanContext">): void {
    const own = span.spanContext();
    if (span.kind !== SpanKind.SERVER || isSampled(own) || this.#open.size >= MAX_OPEN) return;
    this.#open.set(own.spanId, []);
  }

  ended(span: Ended): void {
    const isCall = span.kind === SpanKind.SERVER;
    const isWorth = isCall && this.#isWorth(span);
    const own = span.spanContext();
    if (isSampled(own)) {
      if (isCall) this.#kept = own.spanId;
      this.#options.keep([span]);
    } else if (isCall) this.#decide(span, isWorth);
    else this.#wait(span);
  }

  #decide(span: Ended, isWorth: boolean): void {
    const { spanId } = span.spanContext();
    const waiting = this.#open.get(spanId) ?? [];
    this.#open.delete(spanId);
    if (!isWorth) return this.#options.count("sampled_out", waiting.length + 1);
    this.#kept = spanId;
    this.#options.keep([...waiting, span]);
  }

  #wait(span: Ended): void {
    const waiting = this.#open.get(span.parentSpanContext?.spanId ?? "");
    if (waiting === undefined || waiting.length >= MAX_WAITING) {
      this.#options.count("dropped", 1);
    } else waiting.push(span);
  }

  /** Failures, and what is slower than 99 of 100 of the same name. */
  #isWorth({ name, status, duration: [seconds, nanoseconds] }: Ended): boolean {
    if (status.code === SpanStatusCode.ERROR) return true;
    return this.#slowness.isSlow(name, seconds * 1000 + nanoseconds / 1e6);
  }
}

function isSampled({ traceFlags }: SpanContext): boolean {
  return (traceFlags & TraceFlags.SAMPLED) === TraceFlags.SAMPLED;
}
