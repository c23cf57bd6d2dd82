/** What expressions read, made when they first do. */
import type { Clock } from "../../ports/clock.ts";
import type { JsonObject } from "../mcp/json.ts";
import { toCel } from "./cel_value.ts";
import type { CallRequest, Intercepted, ResultRequest, TargetFacts } from "./interceptor.ts";

/** Variables of a rule on lists. */
export class ListScope {
  readonly tool: TargetFacts;
  readonly #seen: Intercepted;
  readonly #clock: Clock;

  constructor(seen: Intercepted, tool: TargetFacts, clock: Clock) {
    this.#seen = seen;
    this.tool = tool;
    this.#clock = clock;
  }

  get identity() {
    return this.#seen.identity;
  }

  get session() {
    return this.#seen.session;
  }

  get now(): Date {
    return new Date(this.#clock.now());
  }
}

/** Variables of a rule on calls or results; args and result are what earlier rules made of them. */
export class CallScope extends ListScope {
  readonly request: { readonly id: string };
  readonly method: string;
  readonly #seen: CallRequest | ResultRequest;
  #args: JsonObject | undefined;
  #argsSeen: unknown;
  #result: JsonObject | undefined;
  #resultSeen: unknown;

  constructor(seen: CallRequest | ResultRequest, clock: Clock) {
    super(seen, seen.tool, clock);
    this.#seen = seen;
    this.request = seen.request;
    this.method = seen.method;
  }

  get plainArgs(): JsonObject {
    return this.#args ??= this.#seen.args;
  }

  set plainArgs(args: JsonObject) {
    this.#args = args;
    this.#argsSeen = undefined;
  }

  get plainResult(): JsonObject {
    return this.#result ??= "result" in this.#seen ? this.#seen.result : {};
  }

  set plainResult(result: JsonObject) {
    this.#result = result;
    this.#resultSeen = undefined;
  }

  get args(): unknown {
    return this.#argsSeen ??= toCel(this.plainArgs);
  }

  get result(): unknown {
    return this.#resultSeen ??= toCel(this.plainResult);
  }
}
