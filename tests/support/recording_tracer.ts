/** A tracer that keeps what it is told. */
import type {
  Span,
  SpanAttributes,
  SpanIdentity,
  SpanStart,
  Tracer,
  Tracing,
} from "../../src/ports/tracing.ts";

export interface RecordedSpan extends SpanStart {
  readonly identity: SpanIdentity;
  readonly events: { readonly name: string; readonly attributes: SpanAttributes }[];
  readonly joined: SpanIdentity[];
  /** The last one it was given. */
  shown: string;
  /** Those of the start and those that were set later. */
  all: SpanAttributes;
  failed: boolean;
  /** Times it was ended. */
  ends: number;
}

export class RecordingTracer implements Tracer, Tracing {
  readonly tracer = this;
  readonly spans: RecordedSpan[] = [];

  start(start: SpanStart): Span {
    const number = this.spans.length + 1;
    const identity = {
      traceId: start.parent?.traceId ?? number.toString(16).padStart(32, "a"),
      spanId: number.toString(16).padStart(16, "b"),
      sampled: start.parent?.sampled ?? true,
      state: start.parent?.state,
    };
    const span: RecordedSpan = {
      ...start,
      identity,
      events: [],
      joined: [],
      shown: start.name,
      all: start.attributes,
      failed: false,
      ends: 0,
    };
    this.spans.push(span);
    return {
      identity,
      rename: (name) => void (span.shown = name),
      set: (attributes) => void (span.all = { ...span.all, ...attributes }),
      event: (name, attributes) => void span.events.push({ name, attributes }),
      link: (other) => void span.joined.push(other),
      fail: () => void (span.failed = true),
      end: () => {
        span.ends++;
        return identity.sampled;
      },
    };
  }

  /** Of one kind, in the order in which they began. */
  of(kind: SpanStart["kind"]): RecordedSpan[] {
    return this.spans.filter((span) => span.kind === kind);
  }
}
