/** `answer` of resource subscriptions: counted over all sessions, so most never reach the backend. */
import type { LinkReply } from "../../backends/link.ts";
import type { Target } from "../../catalog/types.ts";
import { type Call, sessionOf } from "../call.ts";

export async function subscribe(call: Call): Promise<undefined> {
  const { backend, original } = call.target as Target;
  await counted(call, call.world.backends.get(backend)?.subscribe(original, sessionOf(call)));
  noteSubscription(call, true);
}

export async function unsubscribe(call: Call): Promise<undefined> {
  const { backend, original } = call.target as Target;
  await counted(call, call.world.backends.get(backend)?.unsubscribe(original, sessionOf(call)));
  noteSubscription(call, false);
}

/** What the session wants is written down, unless the backend has refused it. */
function noteSubscription(call: Call, isWanted: boolean): void {
  const { backend, original: uri } = call.target as Target;
  if (call.answer !== undefined && "error" in call.answer) return;
  sessionOf(call).noteSubscription({ backend, uri }, isWanted);
}

/** Without a shared subscription the call goes on to the session's own link. */
async function counted(call: Call, reply: Promise<LinkReply> | undefined): Promise<undefined> {
  if (reply !== undefined) call.answer = await reply;
}
