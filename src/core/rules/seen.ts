/** What hooks see in each phase. Everything that costs is made when it is first read. */
import type { Ask } from "../backends/link.ts";
import type { Call } from "../call/call.ts";
import type { Target } from "../catalog/types.ts";
import { type JsonObject, parse } from "../mcp/json.ts";
import type { Caller } from "../session/caller.ts";
import { argsOf } from "./args.ts";
import type { Attention } from "./attention.ts";
import { CallerIdentity, CallerRequest, CallerSession, factsOf, type ToolFacts } from "./facts.ts";
import type {
  AskRequest,
  CallRequest,
  Intercepted,
  ListRequest,
  ReplyRequest,
  ResultRequest,
} from "./interceptor.ts";

class Seen implements Intercepted {
  readonly #caller: Caller;
  readonly #attention: Attention;
  #identity: CallerIdentity | undefined = undefined;
  #shown: CallerSession | undefined = undefined;

  constructor(caller: Caller, attention: Attention) {
    this.#caller = caller;
    this.#attention = attention;
  }

  get identity(): CallerIdentity {
    return this.#identity ??= new CallerIdentity(this.#caller.principal);
  }

  get session(): CallerSession {
    return this.#shown ??= new CallerSession(this.#caller);
  }

  get signal(): AbortSignal {
    return this.#attention.signal;
  }
}

class SeenOfCall extends Seen {
  readonly #call: Call;
  #request: CallerRequest | undefined = undefined;
  #args: JsonObject | undefined = undefined;
  /** The parameters that `#args` were read from. */
  #params: JsonObject | undefined = undefined;

  constructor(call: Call, attention: Attention) {
    super(call.caller, attention);
    this.#call = call;
  }

  get request(): CallerRequest {
    return this.#request ??= new CallerRequest(this.#call.request);
  }

  get method(): string {
    return this.#call.method;
  }

  get tool(): ToolFacts {
    return factsOf(this.#call.target as Target);
  }

  get params(): JsonObject {
    return this.#call.params;
  }

  get args(): JsonObject {
    const { params } = this.#call;
    if (this.#args === undefined || this.#params !== params) this.#args = argsOf(this.#call);
    this.#params = params;
    return this.#args;
  }

  get note(): (decision: string) => void {
    return (decision) => this.#call.decided(decision);
  }
}

export class SeenCall extends SeenOfCall implements CallRequest {}

/** `text` is replaced when a hook changes the result. */
export class SeenResult extends SeenOfCall implements ResultRequest {
  readonly isError: boolean;
  #text: string | undefined;
  #result: JsonObject | undefined;

  constructor(call: Call, attention: Attention, answer: { text: string } | { error: JsonObject }) {
    super(call, attention);
    this.isError = "error" in answer;
    this.#text = "text" in answer ? answer.text : undefined;
    this.#result = "error" in answer ? answer.error : undefined;
  }

  get text(): string {
    return this.#text ??= JSON.stringify(this.#result);
  }

  get result(): JsonObject {
    return this.#result ??= parse(this.#text as string) as JsonObject;
  }

  replace(result: JsonObject): void {
    this.#result = result;
    this.#text = undefined;
  }
}

export class SeenList extends Seen implements ListRequest {
  items: readonly ToolFacts[];

  constructor(caller: Caller, attention: Attention, items: readonly ToolFacts[]) {
    super(caller, attention);
    this.items = items;
  }
}

/** A backend's question and who it is for. */
export interface Question {
  readonly caller: Caller;
  /** Empty when it belongs to no call. */
  readonly backend: string;
  readonly ask: Ask;
}

export class SeenAsk extends Seen implements AskRequest {
  readonly method: string;
  readonly backend: string;
  params: JsonObject;

  constructor({ caller, backend, ask }: Question, attention: Attention) {
    super(caller, attention);
    this.method = ask.method;
    this.backend = backend;
    this.params = ask.params;
  }
}

export class SeenReply extends SeenAsk implements ReplyRequest {
  result: JsonObject;

  constructor(question: Question, attention: Attention, result: JsonObject) {
    super(question, attention);
    this.result = result;
  }
}
