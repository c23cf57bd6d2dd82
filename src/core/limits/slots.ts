/** Calls under way at backends: a bound for each session and one for the gateway. */
import { type Config, SentinelError } from "../../contract/mod.ts";
import type { Call } from "../call/call.ts";

/** How soon a refused call is worth another try. */
const RETRY_MS = 1000;

type Bounds = Pick<Config["limits"], "concurrency" | "per_session">;

export class Slots {
  #taken = 0;

  /**
   * The call holds a slot until it is released.
   * @throws SentinelError OVERLOADED when there is none, and it holds none then
   */
  take(call: Call, { concurrency, per_session }: Bounds): void {
    const { load } = call.caller;
    if (load.slots >= per_session) throw sessionFull(per_session);
    if (this.#taken >= concurrency) throw gatewayFull(concurrency);
    this.#taken++;
    load.slots++;
    call.holdsSlot = true;
  }

  /** Does nothing for a call that holds none. */
  release(call: Call): void {
    if (!call.holdsSlot) return;
    call.holdsSlot = false;
    call.caller.load.slots--;
    this.#taken--;
  }

  /**
   * While all slots are taken nobody new is let in: it would cost what those who are in need.
   * @throws SentinelError RATE_LIMITED with status 429
   */
  admitNewcomer({ concurrency }: Bounds): void {
    if (this.#taken < concurrency) return;
    throw new SentinelError("RATE_LIMITED", "Cannot open a session: too many calls are under way", {
      reason: `limits.concurrency = ${concurrency}`,
      retryAfterMs: RETRY_MS,
      executed: "no",
    });
  }
}

/** In band: the other calls of the client go on. */
function sessionFull(bound: number): SentinelError {
  const message = "Cannot take the call: too many of this session are under way";
  return new SentinelError("OVERLOADED", message, {
    reason: `limits.per_session = ${bound}`,
    retryAfterMs: RETRY_MS,
    executed: "no",
    http: 200,
  });
}

function gatewayFull(bound: number): SentinelError {
  const message = "Cannot take the call: too many of the whole gateway are under way";
  return new SentinelError("OVERLOADED", message, {
    reason: `limits.concurrency = ${bound}`,
    retryAfterMs: RETRY_MS,
    executed: "no",
  });
}
