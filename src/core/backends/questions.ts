/** Server requests of one link (elicitation, sampling, roots, ping) and their answers. */
import { type DroppedMessages, SentinelError } from "../../contract/mod.ts";
import { encodeError, encodeResult } from "../mcp/codec.ts";
import type { JsonObject } from "../mcp/json.ts";
import type { RequestMessage } from "../mcp/message.ts";
import { canAnswer } from "../mcp/server_requests.ts";
import type { Ask, AskReply } from "./link.ts";
import type { PendingRequests } from "./pending.ts";

/** Server requests of one backend connection that wait for clients. */
const MAX_OPEN = 256;

export interface QuestionsOptions {
  /** What was declared to the backend: it may ask for nothing else. */
  readonly capabilities: JsonObject;
  readonly pending: PendingRequests;
  readonly dropped: DroppedMessages;
  /** Who is asked when a question belongs to no request. */
  readonly ask: ((ask: Ask) => Promise<AskReply>) | undefined;
  readonly send: (text: string) => void;
  readonly notify: (method: string, params: JsonObject) => void;
}

export class Questions {
  readonly #options: QuestionsOptions;
  readonly #open = new Map<string, AbortController>();

  constructor(options: QuestionsOptions) {
    this.#options = options;
  }

  /** Answers a server request, in time. `origin` is the request whose stream carried it. */
  receive(message: RequestMessage, origin: number | undefined): void {
    const { send, capabilities, pending, ask: elsewhere } = this.#options;
    if (message.method === "ping") return send(encodeResult(message.id, "{}"));
    const belongsTo = pending.attribute(origin);
    const ask = belongsTo?.request.ask ?? elsewhere;
    const may = canAnswer(capabilities, message.method) && this.#open.size < MAX_OPEN;
    if (ask === undefined || !may) return this.#decline(message);
    if (belongsTo === undefined) return void this.#put(message, ask);
    belongsTo.asks++;
    void this.#put(message, ask).then(() => {
      belongsTo.asks--;
      pending.extend(belongsTo);
    });
  }

  /** The backend withdrew a question. */
  withdraw(id: unknown): void {
    this.#open.get(JSON.stringify(id))?.abort("withdrawn by the backend");
  }

  close(): void {
    for (const controller of this.#open.values()) controller.abort("the backend is gone");
    this.#open.clear();
  }

  async #put(message: RequestMessage, ask: (ask: Ask) => Promise<AskReply>): Promise<void> {
    const controller = new AbortController();
    this.#open.set(message.id, controller);
    const reply = await answerOf(() => ask(this.#question(message, controller.signal)));
    this.#open.delete(message.id);
    if (controller.signal.aborted) return;
    const { send } = this.#options;
    send(
      "error" in reply
        ? encodeError(message.id, reply.error)
        : encodeResult(message.id, reply.result),
    );
  }

  #question({ method, params = {} }: RequestMessage, signal: AbortSignal): Ask {
    const progress = (params: JsonObject) => this.#options.notify("notifications/progress", params);
    return { method, params, signal, progress };
  }

  #decline({ id, method }: RequestMessage): void {
    this.#options.dropped.unattributed++;
    const message = `Cannot answer "${method}": no client can be asked`;
    this.#options.send(encodeError(id, { code: -32601, message }));
  }
}

async function answerOf(ask: () => Promise<AskReply>): Promise<AskReply> {
  try {
    return await ask();
  } catch (cause) {
    const message = cause instanceof SentinelError ? cause.message : "Cannot ask the client";
    return { error: { code: -32603, message } };
  }
}
