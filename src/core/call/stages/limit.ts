/** `limit`: kill switches first. They are live, not part of the world: a switch holds from its answer on. */
import type { Target } from "../../catalog/types.ts";
import { killedError } from "../../runtime/kill_switches.ts";
import type { Call } from "../call.ts";

export function limit(call: Call): undefined {
  const target = call.target as Target;
  const set = call.world.kills.of(target);
  if (set !== undefined) throw killedError(set, target);
}
