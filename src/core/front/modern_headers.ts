/** Headers that repeat the body (specification 2026-07-28): whoever routes by them must not be told something else. */
import { SentinelError } from "../../contract/mod.ts";
import { decodeHeaderValue, NAMED_BY } from "../mcp/header_values.ts";
import type { JsonObject } from "../mcp/json.ts";
import type { NotificationMessage, RequestMessage } from "../mcp/message.ts";
import type { HttpIncoming } from "./http_message.ts";

const VERSION = "MCP-Protocol-Version";
const METHOD = "Mcp-Method";
const NAME = "Mcp-Name";

/**
 * What headers say must be what the body says; a header may be missing.
 * @throws SentinelError HEADER_MISMATCH
 */
export function checkAgreement(
  incoming: HttpIncoming,
  { method }: RequestMessage | NotificationMessage,
  revision: string | undefined,
): void {
  const version = said(incoming, VERSION);
  if (revision !== undefined && version !== undefined && version !== revision) {
    throw differs(VERSION);
  }
  const told = said(incoming, METHOD);
  if (told !== undefined && told !== method) throw differs(METHOD);
}

/**
 * A request must have the headers that are about it.
 * @throws SentinelError HEADER_MISMATCH
 */
export function checkPresence(
  incoming: HttpIncoming,
  { method, params }: RequestMessage,
): void {
  for (const name of [VERSION, METHOD]) {
    if (said(incoming, name) === undefined) throw missing(name);
  }
  const key = NAMED_BY.get(method);
  if (key === undefined) return;
  const name = textOf(params, key);
  const header = incoming.header("mcp-name");
  if (header === undefined) {
    // What the body does not name, the call refuses.
    if (name === undefined) return;
    throw missing(NAME);
  }
  const told = decodeHeaderValue(header);
  if (told === undefined || (name !== undefined && told !== name)) throw differs(NAME);
}

/** A header that is missing, or says something else than the body. */
function differs(header: string): SentinelError {
  return new SentinelError(
    "HEADER_MISMATCH",
    `Cannot serve the request: "${header}" says something else than the body`,
    { more: { header } },
  );
}

function missing(header: string): SentinelError {
  const message = `Cannot serve the request: the "${header}" header is missing`;
  return new SentinelError("HEADER_MISMATCH", message, { more: { header } });
}

function textOf(params: JsonObject | undefined, key: string): string | undefined {
  const value = params?.[key];
  return typeof value === "string" ? value : undefined;
}

function said(incoming: HttpIncoming, name: string): string | undefined {
  return incoming.header(name.toLowerCase())?.trim();
}
