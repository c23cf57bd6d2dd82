/** `intent`: what is about to be sent is written down first. */
import type { Call } from "../call.ts";

/** @throws SentinelError AUDIT_UNAVAILABLE */
export function intent(call: Call): undefined | Promise<undefined> {
  return call.world.recorder.intent(call);
}
