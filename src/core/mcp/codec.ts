/**
 * JSON-RPC texts to messages and back. What is forwarded is always written anew from the inspected form;
 * only results of backends pass as text, after the scan.
 */
import { type RpcError, SentinelError } from "../../contract/mod.ts";
import { isObject, type JsonObject, parseExact } from "./json.ts";
import type { Frame, Message } from "./message.ts";
import { paramsText } from "./params_text.ts";
import { type Envelope, scan } from "./scan.ts";

const INTEGER = /^-?(?:0|[1-9]\d*)$/;
const MAX_ID = 1024;
const MAX_METHOD = 256;

/** How slices of the text at hand are parsed and passed on. */
interface Slices {
  parse(slice: string): unknown;
  pass(slice: string): string;
}

/**
 * Decodes one JSON-RPC message, or a batch.
 * @throws SentinelError PARSE or INVALID_REQUEST
 */
export function decode(text: string): Frame {
  const { batch, envelopes, wide, compact } = scan(text);
  const parse = wide ? parseExact : JSON.parse;
  const pass = compact ? same : (slice: string) => JSON.stringify(parse(slice));
  const messages = envelopes.map((envelope) => toMessage(envelope, { parse, pass }));
  if (batch) return { batch, messages };
  return { batch: false, messages: [messages[0] as Message] };
}

function same(slice: string): string {
  return slice;
}

function toMessage(envelope: Envelope, slices: Slices): Message {
  if (envelope.jsonrpc !== '"2.0"') {
    throw new SentinelError("INVALID_REQUEST", 'Cannot read the message: "jsonrpc" is not "2.0"');
  }
  if (envelope.method === undefined) return toResponse(envelope, slices);
  const method = toMethod(envelope.method);
  const params = toParams(envelope.params, slices);
  if (envelope.id === undefined) return { kind: "notification", method, params };
  const size = envelope.params?.length ?? 0;
  return { kind: "request", id: toId(envelope.id), method, params, size };
}

function toResponse(envelope: Envelope, slices: Slices): Message {
  const { id, result, error } = envelope;
  if ((result === undefined) === (error === undefined)) {
    throw new SentinelError(
      "INVALID_REQUEST",
      'Cannot read the message: it has neither "method" nor exactly one of "result" and "error"',
    );
  }
  return {
    kind: "response",
    id: id === undefined || id === "null" ? undefined : toId(id),
    result: result === undefined ? undefined : slices.pass(result),
    error: error === undefined ? undefined : slices.pass(error),
  };
}

function toMethod(text: string): string {
  const method: unknown = text.startsWith('"') ? JSON.parse(text) : undefined;
  if (typeof method === "string" && method !== "" && method.length <= MAX_METHOD) return method;
  throw new SentinelError(
    "INVALID_REQUEST",
    'Cannot read the message: "method" is not a usable string',
  );
}

function toParams(text: string | undefined, slices: Slices): JsonObject | undefined {
  if (text === undefined) return undefined;
  const params = slices.parse(text);
  if (isObject(params)) return params;
  throw new SentinelError("INVALID_REQUEST", 'Cannot read the message: "params" is not an object');
}

function toId(text: string): string {
  const usable = text.length <= MAX_ID && (text.startsWith('"') || INTEGER.test(text));
  if (usable) return text;
  throw new SentinelError(
    "INVALID_REQUEST",
    `Cannot read the message: "id" is not a string or an integer of at most ${MAX_ID} characters`,
  );
}

/** JSON text of a request; `id` is JSON text. */
export function encodeRequest(id: string, method: string, params: JsonObject | undefined): string {
  const tail = params === undefined ? "" : `,"params":${paramsText(params)}`;
  return `{"jsonrpc":"2.0","id":${id},"method":${JSON.stringify(method)}${tail}}`;
}

export function encodeNotification(method: string, params?: JsonObject): string {
  const tail = params === undefined ? "" : `,"params":${JSON.stringify(params)}`;
  return `{"jsonrpc":"2.0","method":${JSON.stringify(method)}${tail}}`;
}

/** JSON text of an answer; `id` and `result` are JSON text and pass as they are. */
export function encodeResult(id: string, result: string): string {
  return `{"jsonrpc":"2.0","id":${id},"result":${result}}`;
}

/** JSON text of an error answer; without an id (it could not be read) the id is null. */
export function encodeError(id: string | undefined, error: RpcError): string {
  return `{"jsonrpc":"2.0","id":${id ?? "null"},"error":${JSON.stringify(error)}}`;
}

/** The error member of a response as error object; members of unexpected types are replaced. */
export function toRemoteError(text: string): RpcError {
  const error: unknown = JSON.parse(text);
  if (!isObject(error)) {
    return { code: -32603, message: "The backend answered with a malformed error" };
  }
  const { code, message, data } = error;
  return {
    code: typeof code === "number" && Number.isInteger(code) ? code : -32603,
    message: typeof message === "string" ? message : "The backend gave no message",
    ...(data === undefined ? {} : { data }),
  };
}
