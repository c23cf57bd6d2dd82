/** `intercept`: rules and interceptors judge a request before anything is done for it, and may change it. */
import type { Call } from "../call.ts";

/** @throws SentinelError POLICY_DENIED, APPROVAL_REQUIRED, or the fault a rule injects */
export function intercept(call: Call): undefined | Promise<undefined> {
  return call.world.interceptors.call(call);
}
