/** Sessions that several replicas have in memory: what one of them is told, the others learn. */
import type { SessionId } from "../../contract/ids.ts";
import { receiveOther } from "../call/receive.ts";
import type { FrontContext } from "../front/context.ts";
import { decode, encodeNotification } from "../mcp/codec.ts";
import type { Message, NotificationMessage, RequestMessage } from "../mcp/message.ts";
import { askedBy } from "../session/asks.ts";
import { ELSEWHERE } from "../session/registry.ts";
import type { Session } from "../session/session.ts";
import type { Mailbox } from "./mailbox.ts";
import type { SessionMessage } from "./messages.ts";

type Context = Pick<FrontContext, "line" | "sessions">;

/** Takes what another replica says about a session. Never throws. */
export function takeSessionMessage(context: Context, message: SessionMessage): void {
  const session = context.sessions.byId(message.session);
  if (session === undefined) return;
  switch (message.kind) {
    case "changed":
      return void refresh(context, session);
    case "ended":
      return session.close(ELSEWHERE);
    case "tell":
      if (session.isHolder) session.channel?.send(message.text);
      return;
    case "take":
      return takeText(context, session, message.text);
  }
}

/** Its standing stream is another replica's now, perhaps: a connection here must not stay. */
async function refresh({ sessions }: Context, session: Session): Promise<void> {
  await sessions.refresh(session.id);
  if (!session.isHolder) session.standalone?.release();
}

function takeText({ line }: Context, session: Session, text: string): void {
  try {
    for (const message of decode(text).messages) {
      if (message.kind !== "request") receiveOther(line, session, message);
    }
  } catch {
    // No replica sends what it could not read itself: nothing is waiting for it.
  }
}

/** Hands a message of a client to the replicas it concerns; true when it does not concern this one. */
export function passOn(
  mailbox: Mailbox,
  session: Session,
  message: Exclude<Message, RequestMessage>,
): boolean {
  if (message.kind === "notification") return passNotification(mailbox, session, message);
  const owner = message.id === undefined ? undefined : askedBy(nameOf(message.id));
  if (owner === undefined || owner === session.instance) return false;
  const answer = message.error === undefined
    ? `"result":${message.result}`
    : `"error":${message.error}`;
  const text = `{"jsonrpc":"2.0","id":${message.id},${answer}}`;
  void mailbox.send(owner, { kind: "take", session: session.id, text });
  return true;
}

function passNotification(
  mailbox: Mailbox,
  session: Session,
  { method, params = {} }: NotificationMessage,
): boolean {
  const text = encodeNotification(method, params);
  const take = { kind: "take", session: session.id, text } as const;
  switch (method) {
    case "notifications/cancelled": {
      if (session.calls.has(JSON.stringify(params["requestId"]))) return false;
      mailbox.broadcast(take);
      return true;
    }
    case "notifications/progress": {
      const owner = askedBy(params["progressToken"]);
      if (owner === undefined || owner === session.instance) return false;
      void mailbox.send(owner, take);
      return true;
    }
    case "notifications/roots/list_changed":
      // Each replica may have links of the session.
      mailbox.broadcast(take);
      return false;
    default:
      return false;
  }
}

/** Tells a session's client something through the replica that holds the session; false when it cannot. */
export function tellHolder(
  mailbox: Mailbox,
  session: SessionId,
  { holder, text }: { readonly holder: string; readonly text: string },
): boolean {
  if (mailbox.failure !== undefined) return false;
  void mailbox.send(holder, { kind: "tell", session, text });
  return true;
}

function nameOf(id: string): unknown {
  return id.startsWith('"') ? JSON.parse(id) : undefined;
}
