/** `subscriptions/listen`: what a modern client is told without a call, until it or the gateway ends it. */
import type { Listen } from "../bridge/listen_hub.ts";
import type { RequestMessage } from "../mcp/message.ts";
import type { Caller } from "../session/caller.ts";
import { EventStream } from "../session/event_stream.ts";
import type { Session } from "../session/session.ts";
import type { FrontContext } from "./context.ts";
import type { HttpIncoming, HttpOutgoing } from "./http_message.ts";
import { streamResponse } from "./responses.ts";

/** It may end while it is being opened. */
interface Opened {
  listen?: Listen;
}

/**
 * Over HTTP a listen is a stream of its own.
 * @throws SentinelError as `ListenHub.open`
 */
export function listenOverHttp(
  context: FrontContext,
  caller: Caller,
  message: RequestMessage,
  incoming: HttpIncoming,
): HttpOutgoing {
  const { answers } = context.sessions;
  const leave = (reason: "closed" | "overflow") => {
    answers.delete(stream);
    opened.listen?.close("the client went away", reason === "overflow");
  };
  const stream: EventStream = new EventStream({ key: "listen", onGone: leave });
  const body = stream.open();
  const opened: Opened = {};
  opened.listen = context.listens.open(caller, message, {
    // A stream that overflows takes the message and is gone.
    send: (text) => stream.send(text) && stream.attached,
    end: () => {
      answers.delete(stream);
      stream.end();
    },
  });
  if (stream.attached) answers.add(stream);
  incoming.onGone(() => leave("closed"));
  return streamResponse(body);
}

/**
 * On a pipe it ends when its id is cancelled.
 * @throws SentinelError as `ListenHub.open`
 */
export function listenOnPipe(
  context: FrontContext,
  caller: Caller,
  message: RequestMessage,
  { calls, channel }: Pick<Session, "calls" | "channel">,
): void {
  const opened: Opened = {};
  const inFlight = {
    cancel: (reason: string) => {
      calls.delete(message.id);
      opened.listen?.close(reason);
    },
    beat: () => {},
  };
  opened.listen = context.listens.open(caller, message, {
    send: (text) => channel?.send(text) === true,
    end: () => {
      if (calls.get(message.id) === inFlight) calls.delete(message.id);
    },
  });
  if (!opened.listen.closed) calls.set(message.id, inFlight);
}
