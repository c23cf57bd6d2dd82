/** Whether new requests are taken: not while the gateway is short of time or memory, nor when it stops. */
import { SentinelError } from "../../contract/mod.ts";
import type { Shedding, Shortage } from "../limits/shedding.ts";
import type { Message } from "../mcp/message.ts";
import type { HttpIncoming, HttpOutgoing } from "./http_message.ts";

/** Longest message that is looked into while requests are refused: it may be an answer or a cancellation. */
const MAX_RELIEF_BYTES = 16_384;
const RETRY_MS = 1000;

const MESSAGES: Readonly<Record<Shortage, string>> = {
  lag: "it is short of time",
  memory: "it is short of memory",
};

export class Intake {
  /** Every answer ends its connection, so that clients look for another replica. */
  isLeaving = false;
  /** New requests are refused for good. */
  isClosed = false;
  readonly #shedding: Shedding;

  constructor(shedding: Shedding) {
    this.#shedding = shedding;
  }

  /**
   * Before anything of a request costs more than its head. What can only help is let through: ends of sessions,
   * and short messages that may be answers or cancellations; `checkMessages` judges these.
   * @throws SentinelError OVERLOADED or STOPPING
   */
  check(incoming: HttpIncoming): void {
    if (this.#isOpen || mayRelieve(incoming)) return;
    this.#refuse();
  }

  /** @throws SentinelError OVERLOADED or STOPPING when one of them is a request */
  checkMessages(messages: readonly Message[]): void {
    if (this.#isOpen || !messages.some(({ kind }) => kind === "request")) return;
    this.#refuse();
  }

  /** An answer as it leaves. */
  last(answer: HttpOutgoing): HttpOutgoing {
    if (!this.isLeaving) return answer;
    return { ...answer, headers: { ...answer.headers, connection: "close" } };
  }

  get #isOpen(): boolean {
    return !this.isClosed && this.#shedding.shortage === undefined;
  }

  #refuse(): never {
    if (this.isClosed) {
      throw new SentinelError("STOPPING", "Cannot take the request: the gateway is stopping", {
        executed: "no",
        retryAfterMs: RETRY_MS,
      });
    }
    const shortage = this.#shedding.shortage as Shortage;
    this.#shedding.shed(shortage);
    throw new SentinelError("OVERLOADED", `Cannot take the request: ${MESSAGES[shortage]}`, {
      reason: shortage === "lag" ? "limits.max_lag" : "limits.memory",
      executed: "no",
      retryAfterMs: RETRY_MS,
    });
  }
}

function mayRelieve(incoming: HttpIncoming): boolean {
  if (incoming.method === "DELETE") return true;
  if (incoming.method !== "POST") return false;
  const method = incoming.header("mcp-method");
  if (method !== undefined) return method.startsWith("notifications/");
  const isOfSession = incoming.header("mcp-session-id") !== undefined ||
    incoming.target.startsWith("/messages");
  const length = Number(incoming.header("content-length") ?? Infinity);
  return isOfSession && length <= MAX_RELIEF_BYTES;
}
