/** Calls of modern clients that wait, at a legacy backend, for the answer to a question. */
import { type Config, SentinelError } from "../../contract/mod.ts";
import type { Cancel, Clock } from "../../ports/clock.ts";
import type { Random } from "../../ports/random.ts";
import type { Telemetry } from "../../ports/telemetry.ts";
import type { Call } from "../call/call.ts";
import type { JsonObject } from "../mcp/json.ts";
import type { Caller } from "../session/caller.ts";
import { bindingOf } from "./binding.ts";
import type { Round } from "./round.ts";
import { randomToken } from "./token.ts";

export interface ParkedPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: Telemetry;
  /** Name of this replica. */
  readonly instance: string;
  /** In force now. */
  readonly bounds: () => Config["bridge"];
}

/** A further request of the client for a call that waited. */
export interface NextRound {
  readonly round: Round;
  readonly params: JsonObject;
}

/** What waits for the client's next request. */
export interface Waiting {
  /** True when the call has ended and only its answer waits. */
  readonly isFinished: boolean;
  /** Goes on with the client's next request. */
  attach(call: Call, next: NextRound): void;
  /** The client did not come back in time. */
  expire(): void;
  /** Nobody can come back any more. */
  end(error: SentinelError): void;
}

/** A call that waits. */
export interface ParkedCall {
  readonly call: Call;
  readonly waiting: Waiting;
  /** What a request must be to go on with it. */
  readonly binding: string;
}

interface Entry extends ParkedCall {
  readonly owner: string;
  readonly cancel: Cancel;
}

const PREFIX = "parked.";

/** Replica that a token leads to; undefined for what is none. */
export function ownerOfToken(state: unknown): string | undefined {
  if (typeof state !== "string") return undefined;
  return /^parked\.([0-9a-f]{12})\.[0-9a-f]{48}$/.exec(state)?.[1];
}

export class ParkedCalls {
  readonly #ports: ParkedPorts;
  readonly #entries = new Map<string, Entry>();
  /** How many each caller has, for those who have some. */
  readonly #owned = new Map<string, number>();
  #isClosed = false;

  constructor(ports: ParkedPorts) {
    this.#ports = ports;
    this.#show();
  }

  /** Calls that wait now. */
  get size(): number {
    return this.#entries.size;
  }

  get clock(): Clock {
    return this.#ports.clock;
  }

  /** Most times a client may be asked within one call. */
  get maxRounds(): number {
    return this.#ports.bounds().rounds;
  }

  /** True when the text is a token as `park` gives them, known or not. */
  isToken(state: unknown): state is string {
    return typeof state === "string" && state.startsWith(PREFIX);
  }

  /** A token to go on with the call, once; undefined when too many wait already. */
  park(call: Call, waiting: Waiting): string | undefined {
    const { parked, parked_per_caller, answer_timeout } = this.#ports.bounds();
    const owner = ownerOf(call.caller);
    const owned = this.#owned.get(owner) ?? 0;
    if (this.#isClosed || this.size >= parked || owned >= parked_per_caller) return undefined;
    const token = `${PREFIX}${this.#ports.instance}.${randomToken(this.#ports.random)}`;
    const cancel = this.#ports.clock.after(answer_timeout, () => {
      this.take(token);
      this.count("expired");
      waiting.expire();
    });
    const binding = bindingOf(call.caller, { method: call.method, params: call.given });
    this.#entries.set(token, { call, waiting, binding, owner, cancel });
    this.#owned.set(owner, owned + 1);
    this.#show();
    return token;
  }

  find(token: string): ParkedCall | undefined {
    return this.#entries.get(token);
  }

  /** The token is used: the call waits no more. */
  take(token: string): void {
    const entry = this.#entries.get(token);
    if (entry === undefined) return;
    entry.cancel();
    this.#entries.delete(token);
    const left = (this.#owned.get(entry.owner) ?? 1) - 1;
    if (left === 0) this.#owned.delete(entry.owner);
    else this.#owned.set(entry.owner, left);
    this.#show();
  }

  /** How asking the client ended. */
  count(result: "answered" | "failed" | "expired"): void {
    const labels = { bridge: "modern-to-legacy", result } as const;
    this.#ports.telemetry.series("sentinel_bridge_rounds_total", labels).add(1);
  }

  /** Gives up all of them, and takes no more. */
  close(): void {
    this.#isClosed = true;
    const error = new SentinelError("STOPPING", "Cannot finish the call: the gateway is stopping", {
      executed: "unknown",
    });
    for (const [token, { waiting }] of [...this.#entries]) {
      this.take(token);
      this.count("failed");
      waiting.end(error);
    }
  }

  #show(): void {
    this.#ports.telemetry.series("sentinel_parked_calls", {}).set(this.size);
  }
}

/** While sign-in is off nobody is anybody: each address counts for itself. */
function ownerOf({ principal, ref, address }: Caller): string {
  return principal.roles === undefined ? ref ?? address ?? "" : principal.id;
}
