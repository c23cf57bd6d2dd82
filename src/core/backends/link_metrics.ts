/** Metrics of the connections to one backend. */
import { SentinelError } from "../../contract/mod.ts";
import { OTHER } from "../../contract/metrics.ts";
import type { Series, Telemetry } from "../../ports/telemetry.ts";
import type { LinkReply, LinkRequest } from "./link.ts";

/** Answers without error are the many: their series are kept, for so many tools and methods. */
const MAX_KEPT = 2000;
/** Codes that get a series of their own; backends could make up as many as they like. */
const CODES: ReadonlySet<number> = new Set([
  -32700,
  -32600,
  -32601,
  -32602,
  -32603,
  -32000,
  -32001,
  -32002,
  -32020,
  -32021,
  -32022,
  -32042,
]);
const CLASSES: { readonly [code: string]: string } = {
  BACKEND_TIMEOUT: "timeout",
  BACKEND_LOST: "lost",
  BACKEND_PROTOCOL: "protocol",
};

/** How a request ended: what the backend answered, why it did not, or that nobody wants it any more. */
export type LinkOutcome = LinkReply | SentinelError | "cancelled";

export class LinkMetrics {
  readonly #telemetry: Telemetry;
  readonly #place: {
    readonly sentinel_backend: string;
    readonly network_transport: "pipe" | "tcp";
  };
  readonly #tools = new Map<string, Series>();
  readonly #methods = new Map<string, Series>();
  readonly #links: Series;
  readonly #invalid: Series;

  constructor(backend: string, transport: "pipe" | "tcp", telemetry: Telemetry) {
    const labels = { sentinel_backend: backend };
    this.#telemetry = telemetry;
    this.#place = { ...labels, network_transport: transport };
    this.#links = telemetry.series("sentinel_backend_links", labels);
    this.#invalid = telemetry.series("sentinel_backend_invalid_output_lines_total", labels);
  }

  /** Something came that is no message. */
  invalid(): void {
    this.#invalid.add(1);
  }

  opened(): void {
    this.#links.add(1);
  }

  /** An open link is gone after `ms`; `error` unless we closed it. */
  closed(ms: number, error: SentinelError | undefined): void {
    this.#links.add(-1);
    const error_type = error === undefined ? "" : classOf(error);
    const labels = { ...this.#place, error_type };
    this.#telemetry.series("mcp_client_session_duration_seconds", labels).observe(ms / 1000);
  }

  /** A request is over after `ms`. */
  answered(request: LinkRequest, outcome: LinkOutcome, ms: number): void {
    const isFine = typeof outcome === "object" && "result" in outcome && !("isError" in outcome);
    const series = isFine ? this.#fine(request) : this.#failed(request, outcome);
    series.observe(ms / 1000);
  }

  #fine(request: LinkRequest): Series {
    const { method, tool } = request;
    const [kept, key] = tool === undefined ? [this.#methods, method] : [this.#tools, tool];
    const known = kept.get(key);
    if (known !== undefined) return known;
    if (kept.size >= MAX_KEPT) kept.clear();
    const series = this.#series(request, { error_type: "", rpc_response_status_code: "" });
    kept.set(key, series);
    return series;
  }

  #failed(request: LinkRequest, outcome: LinkOutcome): Series {
    return this.#series(request, errorLabels(outcome));
  }

  #series({ method, tool = "" }: LinkRequest, error: ErrorLabels): Series {
    const name = { mcp_method_name: method, gen_ai_tool_name: tool };
    return this.#telemetry.series("mcp_client_operation_duration_seconds", {
      ...name,
      ...error,
      ...this.#place,
    });
  }
}

export interface ErrorLabels {
  readonly error_type: string;
  readonly rpc_response_status_code: string;
}

/** On this side every code is an error, also a caller's mistake (semantic conventions). */
export function errorLabels(outcome: LinkOutcome): ErrorLabels {
  if (outcome === "cancelled" || outcome instanceof SentinelError) {
    const error_type = outcome === "cancelled" ? outcome : classOf(outcome);
    return { error_type, rpc_response_status_code: "" };
  }
  if ("result" in outcome) return { error_type: "tool_error", rpc_response_status_code: "" };
  const { code } = outcome.error;
  const text = CODES.has(code) ? String(code) : OTHER;
  return { error_type: text, rpc_response_status_code: text };
}

function classOf({ code }: SentinelError): string {
  return CLASSES[code] ?? OTHER;
}
