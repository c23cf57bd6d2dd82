/** `route`: the live link to the target's backend. A backend that is down ends the call here. */
import { SentinelError } from "../../../contract/mod.ts";
import type { Backend } from "../../backends/backend.ts";
import type { Link } from "../../backends/link.ts";
import { heldError } from "../../catalog/pins.ts";
import type { Target } from "../../catalog/types.ts";
import { ModernCaller } from "../../session/modern_clients.ts";
import type { Call } from "../call.ts";

export function route(call: Call): undefined | Promise<undefined> {
  const name = call.target?.backend ?? "";
  const backend = call.world.backends.get(name);
  if (backend === undefined) {
    throw new SentinelError("INTERNAL", `No backend "${name}" in this world`);
  }
  if (call.caller.era === "modern") call.giveBack = () => backend.giveBack(call.caller);
  const link = backend.link(call.caller);
  if (link instanceof Promise) return link.then((opened) => take(call, backend, opened));
  return take(call, backend, link);
}

/** A backend that was connected anew while the call waited may not offer what was resolved. */
function take(call: Call, backend: Backend, link: Link): undefined {
  const target = call.target as Target;
  if (call.world.pins.holds(target)) throw heldError(target);
  const { caller } = call;
  if (caller instanceof ModernCaller && caller.logLevel !== undefined) {
    backend.wantLogLevel(caller.logLevel, link);
  }
  call.link = link;
}
