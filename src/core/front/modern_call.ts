/** A modern request becomes a call, the same way on every front. */
import { ParkingReply } from "../bridge/parked_reply.ts";
import { resumeParked } from "../bridge/resume.ts";
import type { Round } from "../bridge/round.ts";
import type { Reply } from "../call/call.ts";
import { ASKING } from "../call/methods.ts";
import { receiveRequest } from "../call/receive.ts";
import type { RequestMessage } from "../mcp/message.ts";
import type { InFlight } from "../session/caller.ts";
import type { ModernRequest } from "../session/modern_clients.ts";
import type { FrontContext } from "./context.ts";
import { RoundReply } from "./round_reply.ts";

/** Starts the call that a request is for, or goes on with the one it belongs to; the answer goes to the round. */
export async function startModern(
  context: FrontContext,
  request: Omit<ModernRequest, "calls">,
  message: RequestMessage,
  round: Round,
): Promise<void> {
  // The call may be one that began earlier, under another id.
  const calls = new Map<string, InFlight>();
  const client = { isGone: false };
  const leave = (reason: string) => {
    client.isGone = true;
    for (const call of calls.values()) call.cancel(reason);
  };
  round.onGone(leave);
  const starting = context.line.starting();
  if (starting !== undefined) await starting;
  if (client.isGone) return;
  const mayAsk = ASKING.has(message.method);
  const begin = () => {
    round.onGone(leave);
    const caller = context.clients.caller({ ...request, calls });
    if (mayAsk && resumeParked(context, caller, message, round)) return;
    receiveRequest(context.line, caller, message, replyOn(context, round, mayAsk));
  };
  if (mayAsk && context.others?.forwardRound({ request, message, round }, begin) === true) return;
  begin();
}

function replyOn({ parked }: FrontContext, round: Round, mayAsk: boolean): Reply {
  return mayAsk ? new ParkingReply(round, parked) : new RoundReply(round);
}
