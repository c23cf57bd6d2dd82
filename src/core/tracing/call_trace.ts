/** What of a trace belongs to one call: the context it came with, and the spans the gateway makes for it. */
import type { Span, SpanAttributes, SpanIdentity, Tracer } from "../../ports/tracing.ts";
import type { Backend } from "../backends/backend.ts";
import type { LinkOutcome } from "../backends/link_metrics.ts";
import type { Call } from "../call/call.ts";
import type { Ending } from "../call/ending.ts";
import type { JsonObject } from "../mcp/json.ts";
import { ModernCaller } from "../session/modern_clients.ts";
import {
  answerAttributes,
  arrivalAttributes,
  attemptAttributes,
  endingAttributes,
  knownMethod,
  spanName,
} from "./attributes.ts";
import { startServerSpan } from "./server_span.ts";
import {
  type Carried,
  type HeaderLookup,
  headersOf,
  readCarried,
  saysTrace,
  type TraceHeaders,
  withTrace,
} from "./trace_context.ts";

/** One request to a backend. */
export interface Attempt {
  /** What the backend is told of the trace, in the place of what the client said. */
  readonly headers: TraceHeaders;
  /** How it ended. */
  end(outcome: LinkOutcome): void;
}

/** Undefined when no spans are made and the client said nothing of a trace: then it costs nothing more. */
export function beginTrace(tracer: Tracer | undefined, call: Call): CallTrace | undefined {
  const carried = readCarried(call.given, headerOf(call));
  if (tracer === undefined) return carried === undefined ? undefined : new CallTrace(carried);
  const span = startServerSpan(tracer, {
    name: knownMethod(call),
    attributes: arrivalAttributes(call),
    carried,
    trusted: call.world.config.telemetry.traces.trust_incoming,
  });
  return new CallTrace(carried, { tracer, span });
}

interface Spans {
  readonly tracer: Tracer;
  readonly span: Span;
}

export class CallTrace {
  readonly #carried: Carried | undefined;
  readonly #spans: Spans | undefined;
  /** Of the request to a backend that was sent last. */
  #asked: SpanIdentity | undefined;
  #attempts = 0;
  #isKept = false;

  constructor(carried: Carried | undefined, spans?: Spans) {
    this.#carried = carried;
    this.#spans = spans;
  }

  /** 32 hexadecimal digits; undefined when nobody gave a valid one and no spans are made. */
  get id(): string | undefined {
    return (this.#spans?.span.identity ?? this.#carried?.parent)?.traceId;
  }

  /** Of the gateway's own span, 16 hexadecimal digits. */
  get spanId(): string | undefined {
    return this.#spans?.span.identity.spanId;
  }

  /** The trace to look a measurement up in: undefined when that leads nowhere. Known when the call has ended. */
  get exemplar(): string | undefined {
    const isKept = this.#spans === undefined ? this.#carried?.parent?.sampled : this.#isKept;
    return isKept === true ? this.id : undefined;
  }

  /** Something happened on its way. */
  event(name: string, attributes: SpanAttributes): void {
    this.#spans?.span.event(name, attributes);
  }

  /** A further request of the client goes on with the call. */
  join(params: JsonObject, header: HeaderLookup | undefined): void {
    const spans = this.#spans;
    if (spans === undefined) return;
    spans.span.event("sentinel.round", {});
    const parent = readCarried(params, header)?.parent;
    if (parent !== undefined) spans.span.link(parent);
  }

  /** The call is about to be sent to its backend, for the first time or again. */
  attempt(call: Call): Attempt {
    const baggage = (call.backend as Backend).config.forward_baggage
      ? this.#carried?.baggage
      : undefined;
    const span = this.#start(call);
    const context = span === undefined ? this.#carried?.asItCame : headersOf(span.identity);
    return {
      headers: baggage === undefined ? context ?? {} : { ...context, baggage },
      end: (outcome) => endAttempt(span, outcome),
    };
  }

  /** What a backend says to the client within the call, with the span it belongs to where it names none. */
  toClient(params: JsonObject): JsonObject {
    if (this.#spans === undefined || saysTrace(params)) return params;
    return withTrace(params, headersOf(this.#asked ?? this.#spans.span.identity));
  }

  /** The call has ended. */
  end(call: Call, ending: Ending): void {
    const span = this.#spans?.span;
    if (span === undefined) return;
    span.rename(spanName(call, ({ exposed }) => exposed));
    span.set(endingAttributes(call, ending));
    if (ending.errorType !== "") span.fail();
    this.#isKept = span.end();
  }

  #start(call: Call): Span | undefined {
    if (this.#spans === undefined) return undefined;
    const span = this.#spans.tracer.start({
      name: spanName(call, ({ original }) => original),
      kind: "client",
      parent: this.#spans.span.identity,
      links: [],
      attributes: attemptAttributes(call, ++this.#attempts),
    });
    this.#asked = span.identity;
    return span;
  }
}

function endAttempt(span: Span | undefined, outcome: LinkOutcome): void {
  if (span === undefined) return;
  const attributes = answerAttributes(outcome);
  span.set(attributes);
  if (attributes["error.type"] !== undefined) span.fail();
  span.end();
}

/** Headers are of one request where they are known at all: a session has those of none. */
function headerOf({ caller, reply }: Call): HeaderLookup | undefined {
  return caller instanceof ModernCaller ? caller.header : reply.header;
}
