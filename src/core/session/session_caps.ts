/** How many sessions there may be. */
import { SentinelError } from "../../contract/mod.ts";
import type { Principal } from "../auth/principal.ts";

export interface CapBounds {
  readonly max: number;
  readonly maxPerPrincipal: number;
}

export class SessionCaps {
  readonly #bounds: () => CapBounds;
  /** Open sessions by id of their principal; only of those who have signed in. */
  readonly #counts = new Map<string, number>();
  #open = 0;

  constructor(bounds: () => CapBounds) {
    this.#bounds = bounds;
  }

  /** Counts one more. @throws SentinelError OVERLOADED, naming the bound */
  take({ id, roles }: Principal): void {
    const { max, maxPerPrincipal } = this.#bounds();
    if (this.#open >= max) throw overloaded("too many are open", `sessions.max = ${max}`);
    const own = this.#counts.get(id) ?? 0;
    if (roles !== undefined && own >= maxPerPrincipal) {
      const bound = `sessions.max_per_principal = ${maxPerPrincipal}`;
      throw overloaded("this principal has too many open", bound);
    }
    this.#open++;
    if (roles !== undefined) this.#counts.set(id, own + 1);
  }

  /** Counts out one of those that were taken. */
  giveBack({ id }: Pick<Principal, "id">): void {
    this.#open--;
    const left = (this.#counts.get(id) ?? 1) - 1;
    if (left > 0) this.#counts.set(id, left);
    else this.#counts.delete(id);
  }
}

function overloaded(why: string, reason: string): SentinelError {
  return new SentinelError("OVERLOADED", `Cannot open a session: ${why}`, {
    reason,
    retryAfterMs: 1000,
  });
}
