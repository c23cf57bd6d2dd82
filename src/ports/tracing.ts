/** Spans of calls, as whatever collects them takes them. */

/** Which span of which trace: what W3C trace context carries. */
export interface SpanIdentity {
  /** 32 hexadecimal digits in lower case, not all zero. */
  readonly traceId: string;
  /** 16 hexadecimal digits in lower case, not all zero. */
  readonly spanId: string;
  /** Whoever made it keeps it. */
  readonly sampled: boolean;
  /** Of the vendors on its way (`tracestate`); undefined: there is none. */
  readonly state: string | undefined;
}

export type SpanAttribute = string | number | boolean;

/** By their name of the semantic conventions; undefined ones are left out. */
export type SpanAttributes = Readonly<Record<string, SpanAttribute | undefined>>;

export interface SpanStart {
  readonly name: string;
  /** Towards whom: `server` answers a client, `client` asks a backend. */
  readonly kind: "server" | "client";
  /** Undefined: it begins a trace. */
  readonly parent: SpanIdentity | undefined;
  /** Spans of other traces, or other spans of this one, that led to it. */
  readonly links: readonly SpanIdentity[];
  readonly attributes: SpanAttributes;
}

/** A span under way. Nothing of it ever throws. */
export interface Span {
  readonly identity: SpanIdentity;
  rename(name: string): void;
  set(attributes: SpanAttributes): void;
  event(name: string, attributes: SpanAttributes): void;
  link(other: SpanIdentity): void;
  /** It ended with an error. */
  fail(): void;
  /** Exactly once. True when the span is kept, false when nobody will ever see it. */
  end(): boolean;
}

export interface Tracer {
  start(span: SpanStart): Span;
}

/** Looked at for every call. */
export interface Tracing {
  /** Undefined while no spans are made. */
  readonly tracer: Tracer | undefined;
}
