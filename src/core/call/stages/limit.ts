/** `limit`: kill switches first, then slots and rates. All are live, not part of the world. */
import type { Target } from "../../catalog/types.ts";
import { killedError } from "../../runtime/kill_switches.ts";
import type { Call } from "../call.ts";

/** @throws SentinelError TOOL_DISABLED, BACKEND_DISABLED, OVERLOADED, RATE_LIMITED */
export function limit(call: Call): undefined | Promise<undefined> {
  const target = call.target as Target;
  const { kills, limits } = call.world;
  const set = kills.of(target);
  if (set !== undefined) throw killedError(set, target);
  return limits.admit(call);
}
