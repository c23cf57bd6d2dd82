/** W3C trace context and baggage, read from what strangers sent and written for others. */
import type { SpanIdentity } from "../../ports/tracing.ts";
import { isObject, type JsonObject } from "../mcp/json.ts";

/** Longest `tracestate`; a longer one is dropped. */
const MAX_STATE = 512;
const MAX_STATE_MEMBERS = 32;
/** Longest `baggage`; a longer one is dropped. */
const MAX_BAGGAGE = 8192;

/** Version, trace, span and flags; what a later version adds comes after another dash. */
const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const SAMPLED = 1;
const ZEROS = /^0+$/;
const STATE_MEMBER =
  /^[a-z0-9][a-z0-9_\-*/@]{0,255}=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;
const PRINTABLE = /^[\x20-\x7e]+$/;

/** Members of `_meta`, and headers, that carry it (SEP-414: without a prefix). */
const KEYS = ["traceparent", "tracestate", "baggage"] as const;

/** What goes on to somebody else, ready to be sent: members of `_meta`, and headers of the same names. */
export type TraceHeaders = { readonly [Key in (typeof KEYS)[number]]?: string };

/** Value of a header, `name` in lower case; undefined when there is none. */
export type HeaderLookup = (name: string) => string | undefined;

/** What came with a request; texts that are not valid are as if they had not come. */
export interface Carried {
  /** Whose child the request is: as `_meta` says, else as the HTTP headers say. */
  readonly parent: SpanIdentity | undefined;
  /** What the HTTP headers say, where `_meta` says something too. */
  readonly beside: SpanIdentity | undefined;
  /** `parent` as it came, for who makes no span of its own; empty without one. */
  readonly asItCame: TraceHeaders;
  readonly baggage: string | undefined;
}

/** Undefined when nobody said anything of a trace. Never throws: it is never a reason to fail a call. */
export function readCarried(params: JsonObject, header?: HeaderLookup): Carried | undefined {
  const meta = params["_meta"];
  const inMeta = hasTrace(meta) ? said((key) => meta[key]) : NOTHING;
  const inHeaders = header === undefined ? NOTHING : saidInHeaders(header);
  if (inMeta === NOTHING && inHeaders === NOTHING) return undefined;
  const winner = inMeta.context ?? inHeaders.context;
  return {
    parent: winner?.identity,
    beside: inMeta.context === undefined ? undefined : inHeaders.context?.identity,
    asItCame: winner?.headers ?? {},
    baggage: inMeta.baggage ?? inHeaders.baggage,
  };
}

/** Whether a `_meta` of a backend's message says validly which span it belongs to. */
export function saysTrace({ _meta: meta }: JsonObject): boolean {
  return hasTrace(meta) && identityOf(meta["traceparent"], undefined) !== undefined;
}

/** The context as it is sent. */
export function headersOf({ traceId, spanId, sampled, state }: SpanIdentity): TraceHeaders {
  return textsOf(`00-${traceId}-${spanId}-0${sampled ? SAMPLED : 0}`, state);
}

/** The parameters with this context in the place of whatever they had; all other members stay as they are. */
export function withTrace(params: JsonObject, trace: TraceHeaders): JsonObject {
  const { _meta: meta, ...rest } = params;
  if (meta !== undefined && !isObject(meta)) return params;
  const { traceparent: _parent, tracestate: _state, baggage: _baggage, ...kept } = meta ?? {};
  const merged = { ...kept, ...trace };
  return Object.keys(merged).length === 0 ? rest : { ...rest, _meta: merged };
}

interface Context {
  readonly identity: SpanIdentity;
  readonly headers: TraceHeaders;
}

/** What one of the two carriers says that is valid. */
interface Said {
  readonly context: Context | undefined;
  readonly baggage: string | undefined;
}

const NOTHING: Said = { context: undefined, baggage: undefined };

function saidInHeaders(header: HeaderLookup): Said {
  const isSilent = header("traceparent") === undefined && header("baggage") === undefined;
  return isSilent ? NOTHING : said(header);
}

function said(read: (key: (typeof KEYS)[number]) => unknown): Said {
  const parent = read("traceparent");
  const identity = identityOf(parent, read("tracestate"));
  return {
    context: identity && { identity, headers: textsOf(String(parent), identity.state) },
    baggage: baggageOf(read("baggage")),
  };
}

function textsOf(traceparent: string, state: string | undefined): TraceHeaders {
  return state === undefined ? { traceparent } : { traceparent, tracestate: state };
}

function hasTrace(meta: unknown): meta is JsonObject {
  return isObject(meta) && KEYS.some((key) => meta[key] !== undefined);
}

function identityOf(parent: unknown, state: unknown): SpanIdentity | undefined {
  if (typeof parent !== "string") return undefined;
  const [, version, traceId = "", spanId = "", flags = "", more] = TRACEPARENT.exec(parent) ?? [];
  if (version === undefined || version === "ff") return undefined;
  if (version === "00" && more !== undefined) return undefined;
  if (ZEROS.test(traceId) || ZEROS.test(spanId)) return undefined;
  const sampled = (Number.parseInt(flags, 16) & SAMPLED) === SAMPLED;
  return { traceId, spanId, sampled, state: stateOf(state) };
}

function stateOf(state: unknown): string | undefined {
  if (typeof state !== "string" || state.length > MAX_STATE) return undefined;
  const members = state.split(",").map((member) => member.trim()).filter((member) => member !== "");
  if (members.length === 0 || members.length > MAX_STATE_MEMBERS) return undefined;
  return members.every((member) => STATE_MEMBER.test(member)) ? members.join(",") : undefined;
}

/** Its members are whoever wrote them's own; here only what a header can carry matters. */
function baggageOf(baggage: unknown): string | undefined {
  if (typeof baggage !== "string" || baggage.length > MAX_BAGGAGE) return undefined;
  return PRINTABLE.test(baggage) && baggage.includes("=") ? baggage : undefined;
}
