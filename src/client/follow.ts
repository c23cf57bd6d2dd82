/** A stream that is connected again whenever it breaks. */
import * as v from "valibot";
import { type RouteRow, ROUTES, type StreamRoute } from "../contract/manage/mod.ts";
import { addressOf } from "./address.ts";
import { type Call, mismatch } from "./call.ts";
import { isAhead, isCursor, justBefore } from "./cursor.ts";
import { ManagementError } from "./errors.ts";
import { DEFAULT_TIMEOUT_MS } from "./exchange.ts";
import { type Batch, type Message, readMessages } from "./messages.ts";
import type { Target } from "./options.ts";
import { checked } from "./request.ts";
import { type Ending, endingOf, retryDelay } from "./retry.ts";
import type { Followed, Gap, StreamState } from "./types.ts";
import { aborted, Watch } from "./watch.ts";

/** Options of any stream; which of them a route takes is a matter of types. */
export interface AnyFollow {
  readonly from?: string | undefined;
  readonly filter?: string | undefined;
  readonly onState?: ((state: StreamState) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number | undefined;
}

const GapNotice = v.object({
  after: v.exactOptional(v.string()),
  oldest: v.exactOptional(v.pipe(v.string(), v.check(isCursor))),
  lost: v.exactOptional(v.number()),
});
const SlowNotice = v.object({ lost: v.exactOptional(v.number()) });

/** The entries of a stream; ends by `return()`, by the signal, or when the gateway stops. */
export function follow(
  target: Target,
  name: StreamRoute,
  options: AnyFollow = {},
): AsyncIterableIterator<Followed<unknown>> {
  const stop = new Watch(target.clock, options.signal);
  const entries = new Follower({ target, name, options, stop }).entries();
  return {
    next: () => entries.next(),
    // A generator alone would return only after what it waits for: perhaps never.
    return: async () => {
      stop.end();
      await entries.return();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

interface FollowerParts {
  readonly target: Target;
  readonly name: StreamRoute;
  readonly options: AnyFollow;
  readonly stop: Watch;
}

class Follower {
  readonly #target: Target;
  readonly #row: RouteRow;
  readonly #options: AnyFollow;
  readonly #stop: Watch;
  /** Without cursors, what happens between two connections is lost. */
  readonly #hasCursors: boolean;
  #cursor: string | undefined;
  #hasLived = false;
  #failures = 0;
  #lastSign: number;
  /** Entries the gateway said it dropped. */
  #dropped: number | undefined;
  #state: StreamState | undefined;

  constructor({ target, name, options, stop }: FollowerParts) {
    this.#target = target;
    this.#row = ROUTES[name];
    this.#hasCursors = "after" in ROUTES[name].query.entries;
    this.#options = options;
    this.#stop = stop;
    this.#lastSign = target.clock.now();
  }

  async *entries(): AsyncGenerator<Followed<unknown>, void, undefined> {
    try {
      this.#lastSign = this.#target.clock.now();
      this.#enter({ state: "connecting", since: this.#lastSign });
      while (!this.#stop.signal.aborted) {
        const ending = yield* this.#connection();
        if (ending.state !== "stale") return this.#over(ending);
        await this.#rest(ending.error);
      }
    } finally {
      this.#stop.end();
      this.#over({ state: "gone" });
    }
  }

  /** One connection, from the request to its end; says whether another one is worth it. */
  async *#connection(): AsyncGenerator<Followed<unknown>, Ending, undefined> {
    const { clock } = this.#target;
    const { timeoutMs = DEFAULT_TIMEOUT_MS } = this.#options;
    const watch = new Watch(clock, this.#stop.signal);
    const call = this.#call();
    try {
      for await (const batch of readMessages(call, watch, timeoutMs)) {
        this.#lastSign = clock.now();
        if (batch.isOpening) yield* this.#opened();
        else yield* this.#entriesOf(batch, call);
      }
      const { base } = this.#target;
      return endingOf(new ManagementError("unreachable", `The stream of ${base} was cut`));
    } catch (error) {
      if (this.#stop.signal.aborted) return { state: "gone" };
      return endingOf(error);
    } finally {
      watch.end();
    }
  }

  *#opened(): Generator<Gap> {
    // Who named a cursor begins there again, as long as no event has come.
    const { from = "now" } = this.#options;
    const isGap = this.#hasLived && this.#cursor === undefined && from === "now";
    this.#hasLived = true;
    this.#enter({ state: "live", since: this.#lastSign });
    if (isGap) {
      yield { kind: "gap", ...(this.#dropped === undefined ? {} : { lost: this.#dropped }) };
    }
    this.#dropped = undefined;
  }

  *#entriesOf({ messages, lastId }: Batch, call: Call): Generator<Followed<unknown>> {
    this.#failures = 0;
    for (const message of messages) {
      const entry = this.#entryOf(message, call);
      if (entry !== undefined) yield entry;
      this.#stop.signal.throwIfAborted();
    }
    if (lastId !== undefined) this.#advance(lastId, call);
  }

  /** Undefined for what was delivered before, and for kinds of messages of later versions. */
  #entryOf({ name, id, data }: Message, call: Call): Followed<unknown> | undefined {
    switch (name) {
      case this.#row.schema: {
        const event = { kind: "event", data: checked(call, data) } as const;
        if (!this.#hasCursors) return event;
        return this.#advance(id, call) ? event : undefined;
      }
      case "gap":
        return this.#gap(data, call);
      case "slow":
        // Zero where nothing is lost, because the stream resumes.
        this.#dropped = noticeOf(SlowNotice, data, call).lost || undefined;
        throw new ManagementError("server", "The gateway ended the stream: it was read too slowly");
      case "failed":
        throw new ManagementError("server", "The gateway cannot read its events now");
      case "unauthorized":
        throw new ManagementError("unauthorized", "The token is not valid any more");
      case "stopping":
        throw new ManagementError("server", "The gateway is stopping", { code: "STOPPING" });
      default:
        return undefined;
    }
  }

  #gap(data: string, call: Call): Gap {
    const notice = noticeOf(GapNotice, data, call);
    if (notice.oldest !== undefined) this.#advance(justBefore(notice.oldest), call);
    return { kind: "gap", ...notice };
  }

  /** False for a cursor that we have passed. */
  #advance(id: string | undefined, call: Call): boolean {
    if (!this.#hasCursors) return false;
    if (id === undefined || !isCursor(id)) throw mismatch(call, "sent an event without a cursor");
    if (this.#cursor !== undefined && !isAhead(id, this.#cursor)) return false;
    this.#cursor = id;
    return true;
  }

  #call(): Call {
    const { from = "now", filter } = this.#options;
    const row = this.#row;
    const start = from === "oldest" ? "0" : from;
    const isStart = this.#cursor === undefined && this.#hasCursors && start !== "now";
    const query = { filter, ...(isStart ? { after: start } : {}) };
    return {
      target: this.#target,
      row,
      address: addressOf(row, { query }),
      headers: this.#cursor === undefined ? {} : { "last-event-id": this.#cursor },
    };
  }

  async #rest(error: ManagementError): Promise<void> {
    const { clock, random } = this.#target;
    const retryInMs = retryDelay(this.#failures, error, random());
    this.#failures += 1;
    const state = this.#hasLived ? "stale" : "connecting";
    this.#enter({ state, since: this.#lastSign, error, retryInMs });
    const rest = new Watch(clock, this.#stop.signal);
    rest.within(retryInMs, () => undefined);
    await aborted(rest.signal);
    rest.end();
  }

  /** Ends for good, once. */
  #over({ state, error }: Ending): void {
    if (this.#state?.state === "gone" || this.#state?.state === "unauthorized") return;
    const since = this.#target.clock.now();
    this.#enter({ state, since, ...(error === undefined ? {} : { error }) });
    if (error !== undefined && error.code !== "STOPPING") throw error;
  }

  #enter(state: StreamState): void {
    this.#state = state;
    this.#options.onState?.(state);
  }
}

function noticeOf<Schema extends v.GenericSchema>(schema: Schema, data: string, call: Call) {
  return checked({ ...call, row: { ...call.row, answer: schema } }, data) as v.InferOutput<Schema>;
}
