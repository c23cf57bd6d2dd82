/** Authentication and authorization: every refusal is in the journal before it is answered. */
import { type Actor, type ErrorName, SentinelError } from "../../contract/mod.ts";
import type { Scope } from "../../contract/manage/mod.ts";
import type { HttpIncoming, Peer } from "../../core/mod.ts";
import type { ManageOptions } from "../options.ts";
import { Failures, isLoopback } from "./failures.ts";
import { type Credential, Tokens } from "./tokens.ts";

/** A request at the door. */
export interface Arrival {
  readonly incoming: HttpIncoming;
  /** Path without the query. */
  readonly path: string;
  /** What stands behind the question mark. */
  readonly search: string;
  readonly peer: Peer;
  /** UUIDv7. */
  readonly request: string;
}

/** Who has come in. */
export interface Caller {
  readonly actor: Actor;
  /** Looks at the token again; always true where none is needed. */
  readonly isAllowed: () => Promise<boolean>;
}

/** Who comes without a token. */
const NOBODY = "anonymous";

export class Entrance {
  readonly #options: ManageOptions;
  readonly #tokens: Tokens;
  readonly #signIns: Failures;
  /** Refusals before anybody was asked for a token; they must not fill the journal either. */
  readonly #strangers: Failures;

  constructor(options: ManageOptions) {
    this.#options = options;
    this.#tokens = new Tokens(() => options.settings().tokens, options.clock);
    this.#signIns = new Failures(options.clock);
    this.#strangers = new Failures(options.clock);
  }

  /** @throws SentinelError UNAUTHENTICATED, INSUFFICIENT_SCOPE, RATE_LIMITED, AUDIT_UNAVAILABLE */
  async authorize(arrival: Arrival, scope: Scope): Promise<Caller> {
    if (scope === "public") {
      return { actor: actorOf(arrival), isAllowed: () => Promise.resolve(true) };
    }
    const credential = await this.#authenticate(arrival);
    const actor = actorOf(arrival, credential);
    if (scope === "admin" && credential.token.scope !== "admin") {
      const why = `token "${credential.token.name}" has scope read`;
      this.#refuse(arrival, { code: "INSUFFICIENT_SCOPE", why, actor });
      throw new SentinelError("INSUFFICIENT_SCOPE", "The token may only read", { reason: "admin" });
    }
    return { actor, isAllowed: () => this.#tokens.accepts(credential) };
  }

  /** Records a refusal by Host, Origin and the like; beyond some of one address, only in the metrics. */
  turnAway(arrival: Arrival, { code, message }: SentinelError): void {
    const { address } = arrival.peer;
    if (this.#strangers.limited(address) !== undefined) return;
    this.#strangers.count(address);
    this.#refuse(arrival, { code, why: message, actor: actorOf(arrival) });
  }

  async #authenticate(arrival: Arrival): Promise<Credential> {
    const isLocal = isLoopback(arrival.peer.address);
    if (!isLocal) this.#checkLimit(arrival);
    const found = await this.#tokens.verify(arrival.incoming.header("authorization"));
    // Again: guesses that came side by side have all passed the first look.
    if (!isLocal || !("token" in found)) this.#checkLimit(arrival);
    if ("token" in found) return found;
    this.#signIns.count(arrival.peer.address);
    this.#refuse(arrival, { code: "UNAUTHENTICATED", why: found.why, actor: actorOf(arrival) });
    throw new SentinelError("UNAUTHENTICATED", "No valid token came with the request");
  }

  /** @throws SentinelError RATE_LIMITED */
  #checkLimit(arrival: Arrival): void {
    const { address } = arrival.peer;
    const limited = this.#signIns.limited(address);
    if (limited === undefined) return;
    if (limited.begins) {
      const why = "too many failed sign-ins of this address";
      this.#refuse(arrival, { code: "RATE_LIMITED", why, actor: actorOf(arrival) });
      this.#options.log.write("management.limited", { address });
    }
    throw new SentinelError("RATE_LIMITED", "Too many failed sign-ins from this address", {
      retryAfterMs: limited.retryAfterMs,
    });
  }

  #refuse(
    { request, path, incoming: { method } }: Arrival,
    refusal: { readonly code: ErrorName; readonly why: string; readonly actor: Actor },
  ): void {
    this.#options.control.refuse({ ...refusal, request, method, path: path.slice(0, MAX_PATH) });
  }
}

/** Most of a path that is kept. */
const MAX_PATH = 500;

function actorOf({ peer: { address, subject } }: Arrival, credential?: Credential): Actor {
  return {
    name: credential?.token.name ?? NOBODY,
    ...(credential === undefined ? {} : { scope: credential.token.scope }),
    ...(subject === undefined ? {} : { subject }),
    ...(address === undefined ? {} : { address }),
  };
}
