/**
 * Every error the gateway can answer, in one table.
 *
 * Wire numbers are not unique (five names share `-32600`), so every error object also carries the stable
 * string name in `data.code`. Gateway codes lie in -31xxx, outside the range JSON-RPC and MCP reserve
 * (revision 2026-07-28, error-code policy).
 */

/** Whose fault an error is: decides log level and whether it counts into error rates. */
export type Fault = "caller" | "operator" | "backend" | "gateway";

interface ErrorRow {
  /** JSON-RPC error code. */
  readonly code: number;
  /** HTTP status when the refusal happens before the message is answered; 200 for in-band errors. */
  readonly http: number;
  readonly fault: Fault;
  /** What it means, for the reference page. */
  readonly meaning: string;
  /** What to do about it, for the reference page. */
  readonly remedy: string;
}

export const ERRORS = {
  PARSE: {
    code: -32700,
    http: 400,
    fault: "caller",
    meaning: "The body is not JSON (or not UTF-8).",
    remedy: "Send one JSON-RPC message as UTF-8 JSON without a byte order mark.",
  },
  INVALID_REQUEST: {
    code: -32600,
    http: 400,
    fault: "caller",
    meaning: "JSON, but not an acceptable JSON-RPC message: wrong shape, wrong id type, nested " +
      "deeper than 64, duplicate envelope keys, or a batch where the revision has none.",
    remedy: "Correct the message; `error.message` names what was wrong.",
  },
  METHOD_NOT_FOUND: {
    code: -32601,
    http: 200,
    fault: "caller",
    meaning: "The method does not exist in the negotiated revision.",
    remedy: "Use a method of the negotiated revision.",
  },
  INVALID_PARAMS: {
    code: -32602,
    http: 200,
    fault: "caller",
    meaning:
      "Unknown tool, prompt or cursor, or malformed parameters. A target the caller may not " +
      "see gets the same answer.",
    remedy: "List again and use a name and parameters from the list.",
  },
  ARGUMENTS_REJECTED: {
    code: -32602,
    http: 200,
    fault: "caller",
    meaning: "The arguments do not fit the tool's own schema; nothing was sent. From revision " +
      "2025-11-25 on it is told as a result with `isError` (`catalog.validation_error`).",
    remedy: "Correct what `data.problems` (or the text of the result) lists, each with its path.",
  },
  RESOURCE_NOT_FOUND: {
    code: -32002,
    http: 200,
    fault: "caller",
    meaning: "No backend the caller can see offers this resource.",
    remedy: "List resources again and use a URI from the list.",
  },
  INTERNAL: {
    code: -32603,
    http: 500,
    fault: "gateway",
    meaning: "A defect of the gateway. The answer carries only the request id.",
    remedy: "Look the request id up in the log and report it.",
  },
  HEADER_MISMATCH: {
    code: -32020,
    http: 400,
    fault: "caller",
    meaning:
      "A header that revision 2026-07-28 asks for is missing, or says something else than the " +
      "body: `MCP-Protocol-Version`, `Mcp-Method`, `Mcp-Name`, `Mcp-Param-*`.",
    remedy:
      "Write the headers from the body that is sent; `data.header` names the one that differs.",
  },
  CAPABILITY_MISSING: {
    code: -32021,
    http: 400,
    fault: "caller",
    meaning: "The request needs a capability that the client did not declare with it.",
    remedy: "Declare what `data.requiredCapabilities` names, if the client can do it.",
  },
  REVISION_UNSUPPORTED: {
    code: -32022,
    http: 400,
    fault: "caller",
    meaning: "The request names a protocol revision that is not served.",
    remedy: "Use one of `data.supported`, or send `initialize` for an older revision.",
  },
  BAD_HTTP: {
    code: -32000,
    http: 400,
    fault: "caller",
    meaning: "The HTTP request is not one the transport allows: method, headers, content type or " +
      "an unsupported `MCP-Protocol-Version`. The status says which.",
    remedy: "Follow the Streamable HTTP transport; `error.message` names the header.",
  },
  TOO_LARGE: {
    code: -32600,
    http: 413,
    fault: "caller",
    meaning: "The body is larger than `server.max_request_size`.",
    remedy: "Send less, or raise the limit.",
  },
  HEADERS_TOO_LARGE: {
    code: -32600,
    http: 431,
    fault: "caller",
    meaning: "The request headers are larger than `server.max_header_size`, or than 16 KiB.",
    remedy: "Send fewer or shorter headers.",
  },
  SLOW: {
    code: -32600,
    http: 408,
    fault: "caller",
    meaning: "The body did not come within `server.body_timeout`; the connection is closed.",
    remedy: "Send the request in one go.",
  },
  UNAUTHENTICATED: {
    code: -31001,
    http: 401,
    fault: "caller",
    meaning: "No valid token came with the request. Which check failed is in the journal only.",
    remedy: "Send `Authorization: Bearer <token>` with a token that is valid now.",
  },
  INSUFFICIENT_SCOPE: {
    code: -31002,
    http: 403,
    fault: "caller",
    meaning: "The token is valid, but its scope is too small for this act.",
    remedy: "Use a token with the scope named in `data.reason`.",
  },
  ORIGIN_OR_HOST_REFUSED: {
    code: -31003,
    http: 403,
    fault: "caller",
    meaning:
      "`Origin` is not allowed or `Sec-Fetch-Site` tells of a foreign page (403), `Host` is " +
      "malformed (400) or not ours (421).",
    remedy: "Add the origin to `server.allowed_origins` or use the address the gateway listens on.",
  },
  ADDRESS_REFUSED: {
    code: -31005,
    http: 403,
    fault: "caller",
    meaning:
      "The client's address is in `server.deny_addresses`, or not in `server.allow_addresses`.",
    remedy: "Call from an address that is allowed; behind a proxy, name it in " +
      "`server.trusted_proxies`.",
  },
  SESSION_UNKNOWN: {
    code: -31004,
    http: 404,
    fault: "caller",
    meaning: "The session ended, never existed, or belongs to somebody else.",
    remedy: "Send `initialize` again.",
  },
  RATE_LIMITED: {
    code: -31010,
    http: 429,
    fault: "caller",
    meaning:
      "Too many calls of a tool (in band, status 200; `data.reason` names the limit), too many " +
      "calls under way to open a session, or too many failed sign-ins from one address (429).",
    remedy: "Retry after `data.retryAfterMs`.",
  },
  TOOL_DISABLED: {
    code: -31011,
    http: 200,
    fault: "operator",
    meaning: "A kill switch is set for the tool; `data.reason` says why.",
    remedy: "Ask the operator; `mcp-sentinel kill list` shows who set it.",
  },
  OVERLOADED: {
    code: -31013,
    http: 503,
    fault: "gateway",
    meaning:
      "A bound is reached (sessions, calls under way, queue), or the gateway is short of time or memory. " +
      "In band, status 200, when it is the session's or the backend's own.",
    remedy: "Retry after `data.retryAfterMs`, or raise the bound named in `data.reason`.",
  },
  BACKEND_DISABLED: {
    code: -31012,
    http: 200,
    fault: "operator",
    meaning: "The backend is configured with `enabled = false`, or a kill switch is set for it; " +
      "`data.reason` says why.",
    remedy: "Enable the backend, or ask the operator; `mcp-sentinel kill list` shows who set it.",
  },
  CIRCUIT_OPEN: {
    code: -31020,
    http: 200,
    fault: "backend",
    meaning:
      "The backend is known to be down, or its circuit or that of the tool is open; the call was not " +
      "sent.",
    remedy: "Retry after `data.retryAfterMs`; `data.reason` has the last failure.",
  },
  BACKEND_LOST: {
    code: -31021,
    http: 200,
    fault: "backend",
    meaning:
      "The backend could not be reached or went away. `data.executed` is `no` when the call " +
      "was certainly not delivered, else `unknown`.",
    remedy: "Retry when `executed` is `no`; otherwise check what happened first.",
  },
  BACKEND_TIMEOUT: {
    code: -31022,
    http: 200,
    fault: "backend",
    meaning: "No answer within the timeout. The backend was told to cancel; it may have run.",
    remedy: "Check whether it ran, or raise `timeout` of the backend.",
  },
  BACKEND_PROTOCOL: {
    code: -31023,
    http: 200,
    fault: "backend",
    meaning: "The backend answered something that is not MCP: bad JSON, a foreign id, too large, " +
      "a redirect, an HTTP error.",
    remedy: "See `data.reason` and the backend's log.",
  },
  NO_BACKEND_READY: {
    code: -31024,
    http: 200,
    fault: "backend",
    meaning: "No backend the caller may see has ever answered, so there is no list; or the one " +
      "that a called name belongs to has not answered yet.",
    remedy: "Retry after `data.retryAfterMs`; `data.reason` tells the states of the backends.",
  },
  POLICY_DENIED: {
    code: -31030,
    http: 200,
    fault: "operator",
    meaning:
      "A rule or an interceptor refused the call; `data.rule` names it. Also when one failed or " +
      "took too long: then nothing passes.",
    remedy: "See `data.reason`, or ask the operator about the rule.",
  },
  DEFINITION_DRIFT: {
    code: -31031,
    http: 200,
    fault: "operator",
    meaning:
      "The definition of the tool has changed since it was approved and `catalog.on_change` is " +
      '"hold"; nothing was sent.',
    remedy: "An operator looks at the change and runs `mcp-sentinel tools approve`.",
  },
  APPROVAL_REQUIRED: {
    code: -31032,
    http: 200,
    fault: "operator",
    meaning: "A rule wants a person to approve the call; `data.rule` names it. Nothing was sent.",
    remedy: "Ask the operator; approvals of single calls are not offered yet.",
  },
  NOT_FOUND: {
    code: -31050,
    http: 404,
    fault: "caller",
    meaning: "The management API has no such route, backend, tool, session or switch.",
    remedy: "Look at the list it belongs to; `data.reason` may name the nearest one.",
  },
  CONFLICT: {
    code: -31051,
    http: 409,
    fault: "caller",
    meaning: "The act contradicts the state: an `Idempotency-Key` used for another act, or a " +
      "switch that is set by the configuration file.",
    remedy: "See `data.reason`.",
  },
  CURSOR_UNKNOWN: {
    code: -31052,
    http: 410,
    fault: "caller",
    meaning: "The cursor is ahead of the event log: it is another gateway's, or the log was lost.",
    remedy: "Begin without a cursor, or with `data.last`.",
  },
  CONFIG_INVALID: {
    code: -31053,
    http: 422,
    fault: "operator",
    meaning: "The configuration was read and refused; what runs is unchanged.",
    remedy: "Correct what `data.issues` lists, with line and column.",
  },
  OPERATION_DISABLED: {
    code: -31054,
    http: 403,
    fault: "operator",
    meaning: "The act is switched off in the configuration (`management.allow_shutdown`), or the " +
      "gateway was started without a file to reload.",
    remedy: "Allow it in the configuration.",
  },
  STOPPING: {
    code: -31055,
    http: 503,
    fault: "gateway",
    meaning: "The gateway is stopping and takes no further operations.",
    remedy: "Wait for the next start.",
  },
  AUDIT_UNAVAILABLE: {
    code: -31040,
    http: 503,
    fault: "gateway",
    meaning:
      "The journal is full or cannot be written, so nothing is done that would have to be in it. " +
      "In band, status 200, for a call; `data.executed` is `unknown` when only its outcome could not be.",
    remedy:
      "See `data.reason`; free the disk, correct the rights of the state folder, or bring the audit's " +
      "store back.",
  },
  CLIENT_UNREACHABLE: {
    code: -31025,
    http: 200,
    fault: "caller",
    meaning: "A backend asked the client something (elicitation, sampling, roots) and the client " +
      "could not be asked, did not answer in time, or went away.",
    remedy: "Keep the session's stream open and answer within 10 minutes.",
  },
} as const satisfies Record<string, ErrorRow>;

/** Stable name of an error, as in `data.code`. */
export type ErrorName = keyof typeof ERRORS;

/** Whether a failed call may have reached the backend. */
export type Executed = "no" | "unknown";

/** What helps the caller: becomes part of the error's `data`. */
export interface ErrorDetails {
  readonly backend?: string;
  readonly reason?: string;
  readonly retryAfterMs?: number;
  readonly executed?: Executed;
  /** HTTP status that differs from the table's (for instance 421 for a foreign Host). */
  readonly http?: number;
  /** Further members of `data`, such as `supported` revisions. */
  readonly more?: Readonly<Record<string, unknown>>;
}

/** A condition of the table, with what is known about this occurrence. */
export class SentinelError extends Error {
  readonly code: ErrorName;
  readonly details: ErrorDetails;

  constructor(code: ErrorName, message: string, details: ErrorDetails = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "SentinelError";
    this.code = code;
    this.details = details;
  }

  /** HTTP status of this refusal. */
  get http(): number {
    return this.details.http ?? ERRORS[this.code].http;
  }
}

/** The JSON-RPC error object of a refusal: code, message, `data.code`, `data.request` and what helps. */
export interface RpcError {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

/**
 * Renders a refusal as JSON-RPC error object.
 * @param request the call's UUIDv7
 * @param traceId 32 hexadecimal digits, where the call is part of a trace
 */
export function toRpcError(error: SentinelError, request: string, traceId?: string): RpcError {
  const { http: _http, more, ...helpful } = error.details;
  return {
    code: ERRORS[error.code].code,
    message: error.message,
    data: {
      code: error.code,
      request,
      ...(traceId === undefined ? {} : { traceId }),
      ...helpful,
      ...more,
    },
  };
}

/** Any thrown value as error of the table; a stranger becomes INTERNAL and says nothing about itself. */
export function asSentinelError(thrown: unknown): SentinelError {
  if (thrown instanceof SentinelError) return thrown;
  return new SentinelError("INTERNAL", "Internal error", {}, thrown);
}

/** Why an outbound HTTP exchange failed; thrown by every `HttpClient`. */
export class HttpFailure extends Error {
  /** False only when it is certain that the backend got nothing (refused, DNS, connect timeout). */
  readonly sent: boolean;
  /** True when an answer came but cannot be used: too large, not UTF-8. */
  readonly unusable: boolean;

  constructor(message: string, sent: boolean, cause?: unknown, unusable = false) {
    super(message, { cause });
    this.name = "HttpFailure";
    this.sent = sent;
    this.unusable = unusable;
  }
}
