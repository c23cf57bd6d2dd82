/** What the runtimes say about failed exchanges, as `HttpFailure` in the same words everywhere. */
import { HttpFailure } from "../../contract/mod.ts";

/** Failures that come before the first byte of a request. */
const NOT_SENT: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ENOTFOUND: "host name not found",
  EAI_AGAIN: "host name not found",
  EHOSTUNREACH: "host not reachable",
  ENETUNREACH: "network not reachable",
  UND_ERR_CONNECT_TIMEOUT: "no connection in time",
};

const MAYBE_SENT: Readonly<Record<string, string>> = {
  ECONNRESET: "connection closed",
  EPIPE: "connection closed",
  ETIMEDOUT: "connection timed out",
  EPROTO: "TLS failed",
  UND_ERR_SOCKET: "connection closed",
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: "connection closed",
};

const CERTIFICATE = /^(?:CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|ERR_TLS_CERT)/;
/** Deno gives no code; its text ends with the cause, after an address that may hold a secret. */
const DENO_TEXT = /client error \((\w+)\): (.*)$/;
const DENO_WORDS: readonly (readonly [RegExp, string])[] = [
  [/Connection refused/, "connection refused"],
  [/^dns error/, "host name not found"],
];

/** `sent` where the client knows it; otherwise it is told from the failure, and true when in doubt. */
export function failureOf(thrown: unknown, sent?: boolean): HttpFailure {
  const { words, before } = describe(thrown);
  return new HttpFailure(words, sent ?? !before, thrown);
}

interface Description {
  readonly words: string;
  /** The failure certainly came before the request was sent. */
  readonly before: boolean;
}

function describe(thrown: unknown): Description {
  const cause = rootOf(thrown);
  if (cause.name === "AbortError") return { words: "the exchange was aborted", before: false };
  const { code = "" } = cause;
  if (NOT_SENT[code] !== undefined) return { words: NOT_SENT[code], before: true };
  if (MAYBE_SENT[code] !== undefined) return { words: MAYBE_SENT[code], before: false };
  if (CERTIFICATE.test(code)) return { words: `certificate refused (${code})`, before: true };
  const [, phase, text] = DENO_TEXT.exec(cause.message) ?? [];
  if (text !== undefined) return { words: plain(text), before: phase === "Connect" };
  return {
    words: code === "" ? "the exchange failed" : `the exchange failed (${code})`,
    before: false,
  };
}

function plain(denoText: string): string {
  return DENO_WORDS.find(([pattern]) => pattern.test(denoText))?.[1] ?? denoText;
}

interface Cause {
  readonly name: string;
  readonly message: string;
  readonly code?: string;
}

/** `fetch` wraps the failure in a TypeError; several addresses tried give an AggregateError. */
function rootOf(thrown: unknown): Cause {
  if (!(thrown instanceof Error)) return { name: "", message: String(thrown) };
  if (thrown.cause instanceof Error) return rootOf(thrown.cause);
  if (thrown instanceof AggregateError && thrown.errors.length > 0) return rootOf(thrown.errors[0]);
  const code: unknown = (thrown as { code?: unknown }).code;
  const { name, message } = thrown;
  return typeof code === "string" ? { name, message, code } : { name, message };
}
