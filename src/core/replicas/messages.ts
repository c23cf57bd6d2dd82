/** What replicas say to each other: JSON, checked by hand. Nothing that comes from the bus is believed. */
import type { SessionId } from "../../contract/ids.ts";
import { isObject, type JsonObject } from "../mcp/json.ts";

/** Of the form: replicas of another one do not understand each other. */
const FORM = 1;
const SESSION_ID = /^[\x21-\x7e]{1,256}$/;
const EXCHANGE_ID = /^[0-9a-f]{12}-\d{1,15}$/;
/** Characters of a reason. */
const MAX_REASON = 1000;

/** About a session, to whoever has it in memory. */
export type SessionMessage =
  /** Its record was written: read it again. */
  | { readonly kind: "changed"; readonly session: SessionId }
  /** It has ended. */
  | { readonly kind: "ended"; readonly session: SessionId }
  /** Its client sent this to a replica that has no use for it. */
  | { readonly kind: "take"; readonly session: SessionId; readonly text: string }
  /** Its client has to be told this, on the stream that the receiver has. */
  | { readonly kind: "tell"; readonly session: SessionId; readonly text: string };

/** Of an exchange: one asks, the other answers with parts and an end. */
export type ExchangeMessage =
  | { readonly kind: "ask"; readonly exchange: string; readonly want: JsonObject }
  /** Numbered from 0: the first says that the question has arrived. */
  | {
    readonly kind: "part";
    readonly exchange: string;
    readonly number: number;
    readonly body: JsonObject;
  }
  | {
    readonly kind: "end";
    readonly exchange: string;
    readonly number: number;
    readonly body: JsonObject;
  }
  /** The asker is there, and wants to know whether the other is. */
  | { readonly kind: "still"; readonly exchange: string }
  /** The asker does not want any more of it. */
  | { readonly kind: "leave"; readonly exchange: string; readonly reason: string };

export type ReplicaMessage = SessionMessage | ExchangeMessage;

export function encodeMessage(message: ReplicaMessage): string {
  return JSON.stringify({ form: FORM, ...message });
}

/** Undefined for what no replica of this form says. */
export function decodeMessage(text: string): ReplicaMessage | undefined {
  const message = parsed(text);
  if (!isObject(message) || message["form"] !== FORM) return undefined;
  return sessionMessage(message) ?? exchangeMessage(message);
}

function sessionMessage(message: JsonObject): SessionMessage | undefined {
  const { kind, session, text } = message;
  if (typeof session !== "string" || !SESSION_ID.test(session)) return undefined;
  const id = session as SessionId;
  if (kind === "changed" || kind === "ended") return { kind, session: id };
  const isText = typeof text === "string";
  return (kind === "take" || kind === "tell") && isText ? { kind, session: id, text } : undefined;
}

function exchangeMessage(message: JsonObject): ExchangeMessage | undefined {
  const { kind, exchange, want, number, body, reason } = message;
  if (typeof exchange !== "string" || !EXCHANGE_ID.test(exchange)) return undefined;
  switch (kind) {
    case "still":
      return { kind, exchange };
    case "ask":
      return isObject(want) ? { kind, exchange, want } : undefined;
    case "leave":
      return typeof reason === "string"
        ? { kind, exchange, reason: reason.slice(0, MAX_REASON) }
        : undefined;
    case "part":
    case "end":
      return isCount(number) && isObject(body) ? { kind, exchange, number, body } : undefined;
    default:
      return undefined;
  }
}

/** A whole number that counts something. */
export function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
