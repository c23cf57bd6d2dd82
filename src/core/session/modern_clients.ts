/** Clients without sessions: what the requests of one principal share, and the caller that each request is. */
import type { Clock } from "../../ports/clock.ts";
import type { Principal } from "../auth/principal.ts";
import type { Envelope } from "../mcp/envelope.ts";
import type { JsonObject } from "../mcp/json.ts";
import { canAnswer } from "../mcp/server_requests.ts";
import { type Caller, type FrontName, type InFlight, type Load, noLoad } from "./caller.ts";
import { severityOf } from "./log_levels.ts";

/** Principals that are remembered; who has nothing under way is forgotten first. */
const MAX_CLIENTS = 10_000;
/** Without a request for so long a principal is forgotten. */
const IDLE_MS = 30 * 60_000;

interface Known {
  readonly load: Load;
  readonly producers: Map<string, string>;
  /** Monotonic time of the last request. */
  lastSeen: number;
}

/** One modern request as it comes to the line. */
export interface ModernRequest {
  readonly principal: Principal;
  readonly toolset: string | undefined;
  readonly front: FrontName;
  readonly address: string | undefined;
  readonly envelope: Envelope;
  /** Value of a header of the request, `name` in lower case; absent where there are none. */
  readonly header?: ((name: string) => string | undefined) | undefined;
  /** Of the pipe it came by: its session, as operators see it. */
  readonly ref?: string | undefined;
  /** The call that it becomes, while it is under way. */
  readonly calls?: Map<string, InFlight> | undefined;
}

export class ModernClients {
  readonly #clock: Clock;
  /** By id of the principal; those that were seen last come last. */
  readonly #known = new Map<string, Known>();
  #requests = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  caller(request: ModernRequest): ModernCaller {
    return new ModernCaller(String(++this.#requests), request, this.#knownOf(request.principal));
  }

  /** Forgets principals that made no request for long. */
  sweep(): void {
    const now = this.#clock.monotonic();
    for (const [id, { load, lastSeen }] of this.#known) {
      if (now - lastSeen < IDLE_MS) return;
      if (load.inFlight === 0) this.#known.delete(id);
    }
  }

  #knownOf({ id }: Principal): Known {
    const known = this.#known.get(id) ?? { load: noLoad(), producers: new Map(), lastSeen: 0 };
    known.lastSeen = this.#clock.monotonic();
    this.#known.delete(id);
    this.#known.set(id, known);
    if (this.#known.size > MAX_CLIENTS) this.#dropOldest();
    return known;
  }

  #dropOldest(): void {
    for (const [id, { load }] of this.#known) {
      if (load.inFlight > 0) continue;
      this.#known.delete(id);
      return;
    }
  }
}

export class ModernCaller implements Caller {
  readonly era = "modern";
  readonly id: string;
  readonly ref: string | undefined;
  readonly front: FrontName;
  readonly toolset: string | undefined;
  readonly principal: Principal;
  readonly revision: string;
  readonly capabilities: JsonObject;
  readonly client: string | undefined;
  readonly address: string | undefined;
  readonly producers: Map<string, string>;
  readonly calls: Map<string, InFlight> | undefined;
  readonly load: Load;
  /** Value of a header of the request, `name` in lower case; undefined where there are none. */
  readonly header: ((name: string) => string | undefined) | undefined;
  /** Least severe log message the client wants with this request; undefined: none. */
  readonly logLevel: string | undefined;

  constructor(number: string, request: ModernRequest, { load, producers }: Known) {
    const { envelope, principal, toolset, front, address, ref, calls, header } = request;
    this.id = `request ${number}`;
    this.ref = ref;
    this.front = front;
    this.toolset = toolset;
    this.principal = principal;
    this.revision = envelope.revision;
    this.capabilities = envelope.capabilities;
    this.client = envelope.client;
    this.address = address;
    this.producers = producers;
    this.calls = calls;
    this.load = load;
    this.header = header;
    this.logLevel = envelope.logLevel;
  }

  canAnswer(method: string): boolean {
    return canAnswer(this.capabilities, method);
  }

  /** Without a level in the request nothing is wanted (specification 2026-07-28, logging). */
  wantsLog(params: JsonObject): boolean {
    const least = severityOf(this.logLevel);
    const severity = severityOf(params["level"]);
    return least !== undefined && severity !== undefined && severity >= least;
  }
}
