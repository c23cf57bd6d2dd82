/** Questions of backends (elicitation, sampling, roots) on their way to one client and back. */
import { SentinelError } from "../../contract/mod.ts";
import type { Cancel, Clock } from "../../ports/clock.ts";
import type { Ask, AskReply } from "../backends/link.ts";
import { encodeNotification, encodeRequest, toRemoteError } from "../mcp/codec.ts";
import { isObject, type JsonObject } from "../mcp/json.ts";
import type { ResponseMessage } from "../mcp/message.ts";

/** How long a person may think (protocol.md 4.4). */
const ANSWER_MS = 10 * 60_000;
/** Questions one client may have open. */
const MAX_OPEN = 64;

interface OpenAsk {
  readonly settle: (reply: AskReply | SentinelError) => void;
  readonly ask: Ask;
}

export class Asks {
  /** Made with the first question: most clients are asked nothing. */
  #open: Map<string, OpenAsk> | undefined;
  readonly #clock: Clock;
  readonly #instance: string;
  #lastId = 0;

  /** @param instance name of this replica: ids are unique over all of them */
  constructor(clock: Clock, instance: string) {
    this.#clock = clock;
    this.#instance = instance;
  }

  /**
   * Sends a question through `send` and waits for the answer.
   * @throws SentinelError CLIENT_UNREACHABLE: not sent, no answer in time, withdrawn, session closed
   */
  put(ask: Ask, send: (text: string) => boolean): Promise<AskReply> {
    const own = this.#open ??= new Map();
    if (own.size >= MAX_OPEN) {
      return Promise.reject(unreachable("too many questions are open"));
    }
    const name = `${this.#instance}-${++this.#lastId}`;
    const id = JSON.stringify(name);
    if (!send(encodeRequest(id, ask.method, withOwnToken(ask.params, name)))) {
      return Promise.reject(unreachable("it has no open stream"));
    }
    return new Promise((resolve, reject) => {
      const cancels: Cancel[] = [];
      const settle = (reply: AskReply | SentinelError) => {
        own.delete(id);
        for (const cancel of cancels) cancel();
        if (reply instanceof SentinelError) reject(reply);
        else resolve(reply);
      };
      const withdraw = (reason: string) => {
        send(encodeNotification("notifications/cancelled", { requestId: name, reason }));
        settle(unreachable(reason));
      };
      own.set(id, { settle, ask });
      cancels.push(this.#clock.after(ANSWER_MS, () => withdraw("no answer in time")));
      cancels.push(onAbort(ask.signal, () => withdraw("withdrawn")));
    });
  }

  /** Takes the client's answer; false when no question has this id. */
  answer(message: ResponseMessage): boolean {
    const open = message.id === undefined ? undefined : this.#open?.get(message.id);
    if (open === undefined) return false;
    if (message.error === undefined) open.settle({ result: message.result as string });
    else open.settle({ error: toRemoteError(message.error) });
    return true;
  }

  /** Hands the client's progress on a question to the backend that asked it. */
  progress(params: JsonObject): void {
    const open = this.#open?.get(JSON.stringify(params["progressToken"]));
    const meta = open?.ask.params["_meta"];
    const original = isObject(meta) ? meta["progressToken"] : undefined;
    if (original !== undefined) open?.ask.progress({ ...params, progressToken: original });
  }

  /** Fails everything that is open. */
  close(): void {
    for (const open of [...this.#open?.values() ?? []]) {
      open.settle(unreachable("its session ended"));
    }
  }
}

function unreachable(reason: string): SentinelError {
  return new SentinelError("CLIENT_UNREACHABLE", `Cannot ask the client: ${reason}`, { reason });
}

/** Replica that gave a question this id, or this token of progress; undefined for what is neither. */
export function askedBy(name: unknown): string | undefined {
  return typeof name === "string" ? /^([0-9a-f]{12})-\d{1,15}$/.exec(name)?.[1] : undefined;
}

/** Two backends may choose the same token; ours is unique within the session. */
function withOwnToken(params: JsonObject, token: string): JsonObject {
  const meta = params["_meta"];
  if (!isObject(meta) || meta["progressToken"] === undefined) return params;
  return { ...params, _meta: { ...meta, progressToken: token } };
}

function onAbort(signal: AbortSignal, run: () => void): Cancel {
  if (signal.aborted) run();
  else signal.addEventListener("abort", run, { once: true });
  return () => signal.removeEventListener("abort", run);
}
