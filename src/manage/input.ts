/** What a request brings, checked by the schemas of the table. */
import * as v from "valibot";
import { SentinelError } from "../contract/mod.ts";
import { suggest } from "../contract/suggest.ts";
import type { BodyDeadlines, HttpIncoming } from "../core/mod.ts";

/** Longest body (bytes). */
const MAX_BODY = 65_536;
const KEY = /^[\x21-\x7e]{1,200}$/;
const JSON_TYPE = /^application\/json(?:\s*;\s*charset="?utf-8"?)?$/i;
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** For routes without parameters. */
export const nothing = v.strictObject({});

/** @throws SentinelError BAD_HTTP */
export function decodeParams(
  params: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const entries = Object.entries(params).map(([name, value]) => [name, decodeParam(value)]);
  return Object.fromEntries(entries) as Record<string, string>;
}

function decodeParam(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    throw badHttp(400, "Cannot read the path: it is not percent-encoded UTF-8");
  }
}

/** @throws SentinelError INVALID_PARAMS */
export function readQuery(search: string, schema: v.GenericSchema): unknown {
  const query: Record<string, string> = {};
  for (const [name, value] of new URLSearchParams(search)) {
    if (Object.hasOwn(query, name)) throw invalid(`Query parameter ${quoted(name)} is given twice`);
    // A plain assignment would set the prototype for `__proto__`.
    Object.defineProperty(query, name, { value, enumerable: true });
  }
  return check(query, schema, "query parameter");
}

/** @throws SentinelError INVALID_PARAMS, BAD_HTTP, TOO_LARGE, SLOW, PARSE */
export async function readBody(
  incoming: HttpIncoming,
  schema: v.GenericSchema | undefined,
  bodies: BodyDeadlines,
): Promise<unknown> {
  if (schema === undefined) return refuseBody(incoming);
  const type = incoming.header("content-type");
  if (type !== undefined && !JSON_TYPE.test(type.trim())) throw wrongType();
  const bytes = await bodies.read(incoming, MAX_BODY);
  if (bytes.length > 0 && type === undefined) throw wrongType();
  return check(bytes.length === 0 ? {} : parse(bytes), schema, "member");
}

/** @throws SentinelError INVALID_PARAMS */
export function readIdempotencyKey(incoming: HttpIncoming): string | undefined {
  const key = incoming.header("idempotency-key");
  if (key === undefined || KEY.test(key)) return key;
  throw invalid(
    "Idempotency-Key cannot be used: write 1 to 200 visible ASCII characters without a space",
  );
}

export function invalid(message: string, reason?: string): SentinelError {
  return new SentinelError("INVALID_PARAMS", message, {
    http: 400,
    ...(reason === undefined ? {} : { reason }),
  });
}

/** A body nobody reads would be taken for the next request by some. */
function refuseBody(incoming: HttpIncoming): undefined {
  const length = incoming.header("content-length") ?? "0";
  if (length !== "0" || incoming.header("transfer-encoding") !== undefined) {
    throw badHttp(400, "Cannot take a body here");
  }
  return undefined;
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(utf8.decode(bytes));
  } catch {
    throw new SentinelError("PARSE", "Cannot read the body: it is not JSON in UTF-8");
  }
}

function check(value: unknown, schema: v.GenericSchema, noun: string): unknown {
  const result = v.safeParse(schema, value, { abortEarly: true, abortPipeEarly: true });
  if (result.success) return result.output;
  throw problem(result.issues[0], schema, noun);
}

function problem(
  issue: v.BaseIssue<unknown>,
  schema: v.GenericSchema,
  noun: string,
): SentinelError {
  const field = v.getDotPath(issue as v.InferIssue<v.GenericSchema>);
  if (field === null) return invalid("The body must be one JSON object");
  if (issue.kind !== "schema" || issue.type !== "strict_object") {
    return invalid(`${capitalized(noun)} ${quoted(field)} cannot be used: ${issue.message}`);
  }
  if (issue.expected !== "never") {
    return invalid(`${capitalized(noun)} ${quoted(field)} is missing`);
  }
  const known = "entries" in schema ? Object.keys(schema.entries as object) : [];
  const near = suggest(field, known);
  return invalid(
    `Unknown ${noun} ${quoted(field)}`,
    near === undefined
      ? `known: ${known.length === 0 ? "none" : known.join(", ")}`
      : `did you mean "${near}"?`,
  );
}

function wrongType(): SentinelError {
  return badHttp(415, "Cannot read the body: write content-type: application/json");
}

function badHttp(http: number, message: string): SentinelError {
  return new SentinelError("BAD_HTTP", message, { http });
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 100));
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
