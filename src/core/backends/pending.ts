/** Requests of one link that wait for an answer: own ids, deadlines, and whom a server message belongs to. */
import { type DroppedMessages, SentinelError } from "../../contract/mod.ts";
import type { Clock } from "../../ports/clock.ts";
import { isObject } from "../mcp/json.ts";
import type { LinkReply, LinkRequest } from "./link.ts";

/** However often progress comes, a request ends after this long (protocol: "a maximum regardless"). */
const HARD_LIMIT_MS = 30 * 60_000;
/** A stream that is to bring an answer and is silent for so long has failed, or for half of the timeout. */
const SILENCE_MS = 30_000;
/** Ids that timed out or were cancelled, kept to tell late answers from foreign ones. */
const MAX_ABANDONED = 1024;

export interface Pending {
  readonly request: LinkRequest;
  /** The caller's own progress token, put back on progress. */
  readonly token: unknown;
  readonly settle: (reply: LinkReply | SentinelError) => void;
  /** Monotonic time of the next expiry; moved by progress. */
  deadline: number;
  readonly hardDeadline: number;
  /** As `deadline`, for the silence of its stream; moved by whatever comes on it. */
  silentUntil: number;
  /** Questions to the client under way: nobody times out while a person thinks. */
  asks: number;
}

export class PendingRequests {
  readonly #clock: Clock;
  readonly #dropped: DroppedMessages;
  readonly #pending = new Map<number, Pending>();
  readonly #abandoned = new Set<number>();
  #lastId = 0;

  constructor(clock: Clock, dropped: DroppedMessages) {
    this.#clock = clock;
    this.#dropped = dropped;
  }

  get size(): number {
    return this.#pending.size;
  }

  /** Id of the request that was added last. */
  get lastId(): number {
    return this.#lastId;
  }

  get(id: number): Pending | undefined {
    return this.#pending.get(id);
  }

  /** A new id, for what is no request of a caller. */
  nextId(): number {
    return ++this.#lastId;
  }

  /** Enters a request under a new id, at `now` (monotonic ms). */
  add(request: LinkRequest, now: number, settle: Pending["settle"]): number {
    const id = this.nextId();
    this.#pending.set(id, {
      request,
      token: progressToken(request),
      settle,
      deadline: now + request.timeoutMs - (request.spentMs ?? 0),
      hardDeadline: now + Math.max(HARD_LIMIT_MS, request.timeoutMs),
      silentUntil: Infinity,
      asks: 0,
    });
    return id;
  }

  take(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    return pending;
  }

  /** Takes a request whose answer nobody wants any more; it is late if it comes. */
  abandon(id: number): Pending | undefined {
    const pending = this.take(id);
    if (pending !== undefined) this.noteAbandoned(id);
    return pending;
  }

  /** An answer under this id will be late, not foreign. */
  noteAbandoned(id: number): void {
    this.#abandoned.add(id);
    if (this.#abandoned.size <= MAX_ABANDONED) return;
    const [oldest] = this.#abandoned;
    if (oldest !== undefined) this.#abandoned.delete(oldest);
  }

  /** Counts an answer that no request waits for. */
  drop(id: number): void {
    if (!Number.isInteger(id) || id < 1 || id > this.#lastId) this.#dropped.foreign++;
    else if (this.#abandoned.delete(id)) this.#dropped.late++;
    else this.#dropped.duplicate++;
  }

  /** The backend is alive: it gets its full time again. */
  extend(pending: Pending): void {
    const now = this.#clock.monotonic();
    pending.deadline = now + pending.request.timeoutMs;
    if (pending.silentUntil !== Infinity) pending.silentUntil = silenceEnds(now, pending);
  }

  /** Something came on the stream of a request; not `isOpen`: there is none for now. */
  heard(id: number, isOpen: boolean): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    pending.silentUntil = isOpen ? silenceEnds(this.#clock.monotonic(), pending) : Infinity;
  }

  /** Whose message this is: the request of its stream, or any when all in flight have one owner. */
  attribute(origin: number | undefined): Pending | undefined {
    if (origin !== undefined) return this.#pending.get(origin);
    let last: Pending | undefined;
    for (const pending of this.#pending.values()) {
      // Our own, and about nobody: a call that wants the level must not lose its messages by it.
      if (pending.request.method === "logging/setLevel") continue;
      if (last !== undefined && last.request.owner !== pending.request.owner) return undefined;
      last = pending;
    }
    return last;
  }

  /** Fails what is over time, and gives the ids. */
  expire(): number[] {
    const now = this.#clock.monotonic();
    const expired: number[] = [];
    for (const [id, pending] of this.#pending) {
      const { asks, deadline, hardDeadline, silentUntil, request } = pending;
      const due = asks > 0 ? hardDeadline : Math.min(deadline, hardDeadline, silentUntil);
      if (now < due) continue;
      this.abandon(id);
      pending.settle(due === silentUntil ? silence(request) : timeout(request));
      expired.push(id);
    }
    return expired;
  }

  failAll(error: SentinelError): void {
    for (const id of [...this.#pending.keys()]) this.take(id)?.settle(error);
  }
}

function progressToken({ params }: LinkRequest): unknown {
  const meta = params["_meta"];
  return isObject(meta) ? meta["progressToken"] : undefined;
}

function silenceEnds(now: number, { request }: Pending): number {
  return now + silenceOf(request);
}

function silenceOf({ timeoutMs }: LinkRequest): number {
  return Math.max(SILENCE_MS, timeoutMs / 2);
}

function silence(request: LinkRequest): SentinelError {
  const reason = `its stream was silent for ${silenceOf(request)} ms`;
  const message = `Cannot finish "${request.method}": ${reason}`;
  return new SentinelError("BACKEND_TIMEOUT", message, { executed: "unknown", reason });
}

function timeout({ method, timeoutMs }: LinkRequest): SentinelError {
  const message = `Cannot finish "${method}": no answer within ${timeoutMs} ms`;
  return new SentinelError("BACKEND_TIMEOUT", message, { executed: "unknown" });
}
