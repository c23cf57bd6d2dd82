/** The span of one request of a client, with what the request says of its trace. */
import { asSentinelError } from "../../contract/mod.ts";
import type { Span, SpanAttributes, Tracer, Tracing } from "../../ports/tracing.ts";
import { endingOfRefusal } from "../call/ending.ts";
import type { RequestMessage } from "../mcp/message.ts";
import type { World } from "../runtime/world.ts";
import type { Session } from "../session/session.ts";
import { arrivalAttributes, errorAttributes } from "./attributes.ts";
import { type Carried, type HeaderLookup, readCarried } from "./trace_context.ts";

export interface ServerSpanStart {
  readonly name: string;
  readonly attributes: SpanAttributes;
  readonly carried: Carried | undefined;
  /** `telemetry.traces.trust_incoming` */
  readonly trusted: boolean;
}

/** A caller that is not trusted gets a trace of its own, with a link to what it says. */
export function startServerSpan(
  tracer: Tracer,
  { name, attributes, carried, trusted }: ServerSpanStart,
): Span {
  const links = [trusted ? undefined : carried?.parent, carried?.beside];
  return tracer.start({
    name,
    kind: "server",
    parent: trusted ? carried?.parent : undefined,
    links: links.filter((link) => link !== undefined),
    attributes,
  });
}

/** A request that makes the session every call needs. */
export interface Handshake {
  readonly line: { readonly tracing?: Tracing | undefined; world(): World };
  readonly session: Session;
  readonly message: RequestMessage;
  readonly header: HeaderLookup | undefined;
}

/** Shakes hands within a span. Rejects as `run` does. */
export async function traced(
  { line, session, message, header }: Handshake,
  run: () => Promise<void>,
): Promise<void> {
  const tracer = line.tracing?.tracer;
  if (tracer === undefined) return await run();
  const { id, method, params = {} } = message;
  const span = startServerSpan(tracer, {
    name: method,
    attributes: arrivalAttributes({ id, method, caller: session }),
    carried: readCarried(params, header),
    trusted: line.world().config.telemetry.traces.trust_incoming,
  });
  try {
    await run();
    // The client may have asked for another one.
    span.set({ "mcp.protocol.version": session.revision });
  } catch (cause) {
    const { errorType, status } = endingOfRefusal(asSentinelError(cause).code);
    span.set(errorAttributes(errorType, status));
    if (errorType !== "") span.fail();
    throw cause;
  } finally {
    span.end();
  }
}
