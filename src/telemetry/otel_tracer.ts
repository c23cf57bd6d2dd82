/** The port `Tracer` over the OpenTelemetry API, whoever is registered behind it: the SDK, or Deno itself. */
import {
  type Attributes,
  type Context,
  context,
  createTraceState,
  ROOT_CONTEXT,
  type Span as ApiSpan,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Tracer as ApiTracer,
} from "@opentelemetry/api";
import type { Span, SpanAttributes, SpanIdentity, SpanStart, Tracer } from "../ports/tracing.ts";

export interface OtelTracerOptions {
  readonly tracer: ApiTracer;
  /** Whether a span that has just ended will be seen; default: when it is sampled. */
  readonly isKept?: (span: SpanContext) => boolean;
  /** Replaces known secrets in a text. */
  readonly mask: (text: string) => string;
}

/** What callers and rules wrote themselves, at length. */
const FREE_TEXT: readonly string[] = [
  "gen_ai.tool.call.arguments",
  "mcp.resource.uri",
  "sentinel.decision",
];

export class OtelTracer implements Tracer {
  readonly #options: OtelTracerOptions;

  constructor(options: OtelTracerOptions) {
    this.#options = options;
  }

  start(start: SpanStart): Span {
    const { name, kind, links, attributes } = start;
    const options = {
      kind: kind === "server" ? SpanKind.SERVER : SpanKind.CLIENT,
      links: links.map((link) => ({ context: spanContext(link, true) })),
      attributes: this.#present(attributes),
    };
    const span = this.#options.tracer.startSpan(name, options, contextOf(start));
    return new OtelSpan(span, this.#options.isKept ?? isSampled, (own) => this.#present(own));
  }

  #present(attributes: SpanAttributes): Attributes {
    const present: Attributes = {};
    for (const name in attributes) {
      const value = attributes[name];
      if (value === undefined) continue;
      const isFree = typeof value === "string" && FREE_TEXT.includes(name);
      present[name] = isFree ? this.#options.mask(value) : value;
    }
    return present;
  }
}

class OtelSpan implements Span {
  readonly identity: SpanIdentity;
  readonly #span: ApiSpan;
  readonly #isKept: (span: SpanContext) => boolean;
  readonly #present: (attributes: SpanAttributes) => Attributes;

  constructor(
    span: ApiSpan,
    isKept: (span: SpanContext) => boolean,
    present: (attributes: SpanAttributes) => Attributes,
  ) {
    this.#span = span;
    this.#isKept = isKept;
    this.#present = present;
    const own = span.spanContext();
    this.identity = {
      traceId: own.traceId,
      spanId: own.spanId,
      sampled: isSampled(own),
      state: own.traceState?.serialize(),
    };
  }

  rename(name: string): void {
    this.#span.updateName(name);
  }

  set(attributes: SpanAttributes): void {
    this.#span.setAttributes(this.#present(attributes));
  }

  event(name: string, attributes: SpanAttributes): void {
    this.#span.addEvent(name, this.#present(attributes));
  }

  link(other: SpanIdentity): void {
    this.#span.addLink({ context: spanContext(other, true) });
  }

  fail(): void {
    this.#span.setStatus({ code: SpanStatusCode.ERROR });
  }

  end(): boolean {
    this.#span.end();
    return this.#isKept(this.#span.spanContext());
  }
}

/**
 * Where a runtime has a span for the HTTP request itself (Deno), that is the parent, unless the span belongs to
 * another trace.
 */
function contextOf({ kind, parent, links }: SpanStart): Context {
  const around = kind === "server" ? trace.getSpanContext(context.active()) : undefined;
  if (parent === undefined) {
    return around !== undefined && links.length === 0 ? context.active() : ROOT_CONTEXT;
  }
  if (around?.traceId === parent.traceId) return context.active();
  return trace.setSpanContext(ROOT_CONTEXT, spanContext(parent, kind === "server"));
}

function spanContext(
  { traceId, spanId, sampled, state }: SpanIdentity,
  isRemote: boolean,
): SpanContext {
  return {
    traceId,
    spanId,
    traceFlags: sampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
    isRemote,
    ...(state === undefined ? {} : { traceState: createTraceState(state) }),
  };
}

function isSampled({ traceFlags }: SpanContext): boolean {
  return (traceFlags & TraceFlags.SAMPLED) === TraceFlags.SAMPLED;
}
