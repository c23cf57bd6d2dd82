/** Rounds of modern clients whose call waits at another replica: the request goes there, the answer comes back. */
import { toRpcError } from "../../contract/mod.ts";
import { ownerOfToken } from "../bridge/parked_calls.ts";
import { resumeParked } from "../bridge/resume.ts";
import type { Round, RoundAnswer } from "../bridge/round.ts";
import type { Call, Outcome } from "../call/call.ts";
import type { FrontContext } from "../front/context.ts";
import { answerTo } from "../front/modern_answer.ts";
import { decode, encodeError, encodeRequest } from "../mcp/codec.ts";
import type { Envelope } from "../mcp/envelope.ts";
import { isObject, type JsonObject } from "../mcp/json.ts";
import type { RequestMessage } from "../mcp/message.ts";
import type { InFlight } from "../session/caller.ts";
import type { ModernRequest } from "../session/modern_clients.ts";
import type { Exchanges, Loss, Outlet } from "./exchanges.ts";
import { goneError } from "./kept_end.ts";
import { principalFacts, principalOf } from "./principal_facts.ts";

/** A request, and its way back. */
export interface ForeignRound {
  readonly request: Omit<ModernRequest, "calls">;
  readonly message: RequestMessage;
  readonly round: Round;
}

/**
 * Hands the request to the replica its token names, and its answer back. `unknown` goes on as with a token that
 * nobody knows: that replica is gone.
 */
export function forwardRound(
  exchanges: Exchanges,
  owner: string,
  { request, message, round }: ForeignRound,
  { unknown, requestId }: { readonly unknown: () => void; readonly requestId: () => string },
): void {
  const { id, method, params } = message;
  const text = encodeRequest(id, method, params);
  const want = { kind: "round", text, caller: callerFacts(request) };
  const lost = (loss: Loss) => {
    if (loss === "not arrived") unknown();
    else round.close(lostAnswer(id, requestId()));
  };
  const leave = exchanges.ask(owner, want, {
    part: ({ method: told, params: about }) => {
      if (typeof told === "string" && isObject(about)) round.notify(told, about);
    },
    end: (body) => {
      if (body["none"] === true) round.close(undefined);
      else round.close(answerOf(body) ?? lostAnswer(id, requestId()));
    },
    lost,
  });
  round.onGone(leave);
}

/** Serves `forwardRound`. */
export function serveRound(
  context: FrontContext,
  { text, caller }: JsonObject,
  outlet: Outlet,
): ((reason: string) => void) | undefined {
  const message = requestIn(text);
  const request = requestOf(caller);
  if (message === undefined || request === undefined || !hasToolset(context, request)) {
    outlet.end({});
    return undefined;
  }
  const round = new RemoteRound(message.id, outlet);
  const calls = new Map<string, InFlight>();
  round.onGone((reason) => {
    for (const call of calls.values()) call.cancel(reason);
  });
  const client = context.clients.caller({ ...request, calls });
  if (!resumeParked(context, client, message, round)) outlet.end({});
  return (reason) => round.leave(reason);
}

/** The round as the replica sees it that has the call. */
class RemoteRound implements Round {
  readonly id: string;
  readonly #outlet: Outlet;
  #isOver = false;
  #gone: string | undefined;
  #onGone: ((reason: string) => void) | undefined;

  constructor(id: string, outlet: Outlet) {
    this.id = id;
    this.#outlet = outlet;
  }

  notify(method: string, params: JsonObject): void {
    if (!this.#isOver) this.#outlet.part({ method, params });
  }

  beat(): void {
    // The replica that has the connection keeps it alive.
  }

  onGone(run: (reason: string) => void): void {
    this.#onGone = run;
    if (this.#gone !== undefined) run(this.#gone);
  }

  finish(call: Call, outcome: Outcome): void {
    this.close(answerTo(this.id, call, outcome));
  }

  close(answer: RoundAnswer | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#outlet.end(answer === undefined ? { none: true } : { ...answer });
  }

  leave(reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#gone = reason;
    this.#onGone?.(reason);
  }
}

/** Replica whose call a request goes on with; undefined for this one's, and for what names none. */
export function foreignOwner({ params }: RequestMessage, instance: string): string | undefined {
  const owner = ownerOfToken(params?.["requestState"]);
  return owner === instance ? undefined : owner;
}

function callerFacts(request: ForeignRound["request"]): JsonObject {
  const { principal, toolset, front, address, ref, envelope } = request;
  return { principal: principalFacts(principal), toolset, front, address, ref, envelope };
}

function requestOf(facts: unknown): ForeignRound["request"] | undefined {
  if (!isObject(facts)) return undefined;
  const { toolset, front, address, ref } = facts;
  const principal = principalOf(facts["principal"]);
  const envelope = envelopeOf(facts["envelope"]);
  const isKnown = front === "streamable_http" || front === "websocket" || front === "stdio";
  if (principal === undefined || envelope === undefined || !isKnown) return undefined;
  return {
    principal,
    envelope,
    front,
    toolset: textOf(toolset),
    address: textOf(address),
    ref: textOf(ref),
  };
}

function envelopeOf(facts: unknown): Envelope | undefined {
  if (!isObject(facts)) return undefined;
  const { revision, capabilities, client, logLevel } = facts;
  if (typeof revision !== "string" || !isObject(capabilities)) return undefined;
  return { revision, capabilities, client: textOf(client), logLevel: textOf(logLevel) };
}

function requestIn(text: unknown): RequestMessage | undefined {
  if (typeof text !== "string") return undefined;
  try {
    const [message] = decode(text).messages;
    return message?.kind === "request" ? message : undefined;
  } catch {
    return undefined;
  }
}

/** Configurations of replicas may differ for a while. */
function hasToolset({ line }: FrontContext, { toolset }: ForeignRound["request"]): boolean {
  return toolset === undefined || Object.hasOwn(line.world().config.toolsets, toolset);
}

function answerOf({ text, status, retryAfterMs }: JsonObject): RoundAnswer | undefined {
  if (typeof text !== "string" || typeof status !== "number") return undefined;
  return { text, status, ...(typeof retryAfterMs === "number" ? { retryAfterMs } : {}) };
}

function lostAnswer(id: string, request: string): RoundAnswer {
  const error = goneError();
  return { text: encodeError(id, toRpcError(error, request)), status: error.http };
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
