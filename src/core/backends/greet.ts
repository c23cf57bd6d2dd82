/** The first exchange on a connection, and on one stream which of two eras the backend speaks. */
import { SentinelError } from "../../contract/mod.ts";
import type { Clock } from "../../ports/clock.ts";
import { LATEST_MODERN } from "../mcp/envelope.ts";
import { isObject } from "../mcp/json.ts";
import type { Dialect, Greeting } from "./dialect.ts";
import { isEvidence } from "./http_errors.ts";
import type { LinkReply } from "./link.ts";
import { toResult } from "./reply.ts";
import { settles } from "./stop_child.ts";

/** A process that says nothing for so long to the first question is asked the other one too. */
const SILENCE_MS = 2000;
const REVISION_UNSUPPORTED = -32022;

/** A first request under way. */
export interface Hello {
  /** Rejects as any request does. */
  readonly reply: Promise<LinkReply>;
  /** Nobody waits for the answer any more. */
  drop(): void;
}

export type Say = (dialect: Dialect) => Hello;

/** What the backend speaks, and says of itself. */
export interface Greeted {
  readonly dialect: Dialect;
  readonly greeting: Greeting;
}

/** How to greet: in one dialect, or in the first and, unless it is understood, the second. */
export type Dialects = readonly [Dialect] | readonly [Dialect, Dialect];

/** @throws SentinelError BACKEND_LOST, BACKEND_TIMEOUT or BACKEND_PROTOCOL */
export async function greet(dialects: Dialects, say: Say, clock: Clock): Promise<Greeted> {
  const [first, second] = dialects;
  if (second === undefined) return await hail(first, say);
  const hello = say(first);
  const hailed = hail(first, say, hello);
  if (!await settles(hailed.catch(() => {}), SILENCE_MS, clock)) {
    return await whichever({ hello, hailed }, second, say);
  }
  try {
    return await hailed;
  } catch (cause) {
    if (!speaksAnother(cause)) throw cause;
    return await hail(second, say);
  }
}

/** True when the failure of a first request says that the backend does not speak its era. */
export function speaksAnother(cause: unknown): boolean {
  if (!(cause instanceof SentinelError) || cause.code !== "BACKEND_PROTOCOL") return false;
  const status = cause.details.more?.["status"];
  return status === undefined || isEvidence(Number(status));
}

/** True when an error answer says that our revision is not spoken. */
export function refusesRevision(reply: LinkReply): boolean {
  return "error" in reply && reply.error.code === REVISION_UNSUPPORTED;
}

/** Greets in one dialect. */
async function hail(dialect: Dialect, say: Say, hello: Hello = say(dialect)): Promise<Greeted> {
  let reply = await hello.reply;
  // It speaks our revision after all: the question may have been put in words of another.
  if (dialect.era === "modern" && namesOurs(reply)) reply = await say(dialect).reply;
  return { dialect, greeting: dialect.greeting(toResult(reply)) };
}

function namesOurs(reply: LinkReply): boolean {
  if (!("error" in reply) || !refusesRevision(reply)) return false;
  const { data } = reply.error;
  const supported = isObject(data) ? data["supported"] : undefined;
  return Array.isArray(supported) && supported.includes(LATEST_MODERN);
}

interface Hailing {
  readonly hello: Hello;
  readonly hailed: Promise<Greeted>;
}

/** The first good answer decides; without one, what the second question failed with. */
async function whichever(first: Hailing, dialect: Dialect, say: Say): Promise<Greeted> {
  const hello = say(dialect);
  try {
    return await Promise.any([hail(dialect, say, hello), first.hailed]);
  } catch (cause) {
    throw cause instanceof AggregateError ? cause.errors[0] : cause;
  } finally {
    hello.drop();
    first.hello.drop();
  }
}
