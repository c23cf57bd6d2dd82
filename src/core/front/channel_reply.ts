import type { Ask, AskReply } from "../backends/link.ts";
import type { Call, Outcome, Reply } from "../call/call.ts";
import { encodeNotification } from "../mcp/codec.ts";
import type { JsonObject } from "../mcp/json.ts";
import type { Channel } from "../session/channel.ts";
import type { Session } from "../session/session.ts";
import type { HeaderLookup } from "../tracing/trace_context.ts";
import { answerText } from "./responses.ts";

/** Answers on the one channel a session has: HTTP+SSE, stdio. Serves all its calls. */
export class ChannelReply implements Reply {
  readonly header: HeaderLookup | undefined;
  readonly #session: Session;
  readonly #channel: Channel;

  /** @param header of the request that brought the message */
  constructor(session: Session, channel: Channel, header: HeaderLookup | undefined) {
    this.header = header;
    this.#session = session;
    this.#channel = channel;
  }

  notify(method: string, params: JsonObject): void {
    this.#channel.send(encodeNotification(method, params));
  }

  ask(_call: Call, ask: Ask): Promise<AskReply> {
    return this.#session.asks.put(ask, (text) => this.#channel.send(text));
  }

  beat(): void {
    // The channel has its own heartbeat.
  }

  finish(call: Call, outcome: Outcome): void {
    const text = answerText(call, outcome);
    if (text !== undefined) this.#channel.send(text);
  }
}
