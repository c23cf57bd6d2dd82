/**
 * `route`: a place among the calls the target's backend works on, and the live link to it. A backend that is
 * down ends the call here.
 */
import { asSentinelError, SentinelError } from "../../../contract/mod.ts";
import type { Backend } from "../../backends/backend.ts";
import type { Link } from "../../backends/link.ts";
import { heldError } from "../../catalog/pins.ts";
import type { Target } from "../../catalog/types.ts";
import { ModernCaller } from "../../session/modern_clients.ts";
import type { Call } from "../call.ts";
import { callTimeMs, inTime, unsent } from "./call_time.ts";

/** @throws SentinelError BACKEND_DISABLED, CIRCUIT_OPEN, OVERLOADED, or what the handshake fails with */
export function route(call: Call): undefined | Promise<undefined> {
  const name = call.target?.backend ?? "";
  const backend = call.world.backends.get(name);
  if (backend === undefined) {
    throw new SentinelError("INTERNAL", `No backend "${name}" in this world`);
  }
  call.backend = backend;
  if (call.deadline === 0) call.deadline = call.startedAt + callTimeMs(call, backend);
  if (call.caller.era === "modern") call.giveBack = () => backend.giveBack(call.caller);
  const turn = backend.guard.enter(call);
  return turn === undefined ? connect(call, backend) : turn.then(() => connect(call, backend));
}

function connect(call: Call, backend: Backend): undefined | Promise<undefined> {
  const link = backend.link(call.caller);
  return link instanceof Promise ? opened(call, backend, link) : take(call, backend, link);
}

async function opened(call: Call, backend: Backend, opening: Promise<Link>): Promise<undefined> {
  let link: Link | undefined;
  try {
    link = await inTime(call, backend, opening);
  } catch (cause) {
    const error = asSentinelError(cause);
    backend.guard.failed(call, error);
    throw unsent(error, backend.name);
  }
  return link === undefined ? undefined : take(call, backend, link);
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
