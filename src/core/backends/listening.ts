/**
 * The changes a modern backend tells of: one `subscriptions/listen`, opened anew whenever it ends. What it
 * is to tell of is fixed when it is opened, so another one takes its place before it is closed.
 */
import { SentinelError } from "../../contract/mod.ts";
import type { Cancel, Clock } from "../../ports/clock.ts";
import { META } from "../mcp/envelope.ts";
import { isObject, type JsonObject } from "../mcp/json.ts";
import type { LinkReply } from "./link.ts";
import { closedMeanwhile } from "./link_errors.ts";

/** A backend must say at once what it agrees to. */
const AGREE_MS = 10_000;
const FIRST_DELAY_MS = 1000;
const MAX_DELAY_MS = 30_000;
/** A stream that lasted this long, or told something, was a good one: the waits start small again. */
const GOOD_MS = 10_000;
/** What a backend answers that has no room for another listen now. */
const INTERNAL = -32603;
const AGREED = "notifications/subscriptions/acknowledged";
const TOOLS_CHANGED = "notifications/tools/list_changed";
const TOLD: ReadonlySet<string> = new Set([
  TOOLS_CHANGED,
  "notifications/prompts/list_changed",
  "notifications/resources/list_changed",
  "notifications/resources/updated",
]);

export interface ListeningOptions {
  /** As the backend declares them. */
  readonly capabilities: JsonObject;
  /** Whether changes of lists are wanted at all. */
  readonly lists: boolean;
  readonly clock: Clock;
  /** Uniform in [0, 1), for jitter. */
  readonly fraction: () => number;
  /** Sends a listen and gives its id. */
  readonly open: (notifications: JsonObject) => number;
  readonly close: (id: number) => void;
  readonly event: (method: string, params: JsonObject) => void;
  /** The backend tells of no changes, although it says that it does; said once. */
  readonly refused: (reason: string) => void;
}

interface Stream {
  readonly id: number;
  readonly uris: readonly string[];
  readonly openedAt: number;
  readonly agreed: PromiseWithResolvers<LinkReply>;
  readonly stopWaiting: Cancel;
  heard: boolean;
}

/** How a stream ended: by an answer, or because it broke. */
export type ListenEnd = LinkReply | SentinelError;

export class Listening {
  readonly #options: ListeningOptions;
  readonly #lists: JsonObject;
  /** Agreed by the backend. */
  #current: Stream | undefined;
  /** Asked for, and takes the place of the current one. */
  #next: Stream | undefined;
  /** URIs of the last one that was agreed. */
  #uris: readonly string[] = [];
  #attempt = 0;
  #stopPause: Cancel = () => {};
  /** Changes may have been missed since one ended. */
  #missed = false;
  #saidRefused = false;
  #stopped = false;

  constructor(options: ListeningOptions) {
    this.#options = options;
    this.#lists = options.lists ? listChanges(options.capabilities) : {};
    if (Object.keys(this.#lists).length > 0) void this.#open([]);
  }

  /** Has updates of exactly these sent; resolves with what the backend agreed to, or its refusal. */
  watch(uris: readonly string[]): Promise<LinkReply> {
    this.#stopPause();
    if (uris.length > 0 || Object.keys(this.#lists).length > 0) return this.#open(uris);
    this.#uris = [];
    this.#replace(undefined);
    return Promise.resolve({ result: "{}" });
  }

  /** Takes a message of one of the streams; false when it belongs to none. */
  receive(method: string, params: JsonObject, origin: number | undefined): boolean {
    const stream = this.#streamOf(params, origin);
    if (stream === undefined) return false;
    if (method === AGREED) this.#agree(stream, params["notifications"]);
    else if (method === "notifications/cancelled") this.ended(stream.id, { result: "{}" });
    else if (TOLD.has(method)) {
      stream.heard = true;
      this.#options.event(method, params);
    } else return false;
    return true;
  }

  /** Takes the end of one of the streams; false when it is none of them. */
  ended(id: number, end: ListenEnd): boolean {
    const stream = [this.#current, this.#next].find((candidate) => candidate?.id === id);
    if (stream === undefined) return false;
    stream.stopWaiting();
    if (stream === this.#next) this.#next = undefined;
    else this.#current = undefined;
    settleWith(stream, end);
    this.#missed ||= this.#current === undefined;
    if (this.#current === undefined && this.#next === undefined) this.#comeBack(stream, end);
    return true;
  }

  /** The connection is gone. */
  stop(): void {
    this.#stopped = true;
    this.#stopPause();
    for (const stream of [this.#current, this.#next]) {
      stream?.stopWaiting();
      stream?.agreed.reject(closedMeanwhile("the connection was closed"));
    }
    this.#current = this.#next = undefined;
  }

  #open(uris: readonly string[]): Promise<LinkReply> {
    const { clock, open } = this.#options;
    const resources = uris.length === 0 ? {} : { resourceSubscriptions: uris };
    const before = this.#next;
    const id = open({ ...this.#lists, ...resources });
    const stream: Stream = {
      id,
      uris,
      openedAt: clock.monotonic(),
      agreed: Promise.withResolvers(),
      stopWaiting: clock.after(AGREE_MS, () => this.#late(id)),
      heard: false,
    };
    this.#next = stream;
    // Nobody waits for the one that only tells of lists.
    stream.agreed.promise.catch(() => {});
    if (before !== undefined) this.#supersede(before, stream);
    return stream.agreed.promise;
  }

  #supersede(before: Stream, by: Stream): void {
    before.stopWaiting();
    before.agreed.resolve(by.agreed.promise);
    this.#options.close(before.id);
  }

  #agree(stream: Stream, notifications: unknown): void {
    if (stream !== this.#next) return;
    stream.stopWaiting();
    this.#uris = stream.uris;
    this.#replace(stream);
    stream.agreed.resolve({ result: JSON.stringify(isObject(notifications) ? notifications : {}) });
    if (!this.#missed) return;
    this.#missed = false;
    // Whatever changed while nobody listened is found by reading again.
    this.#options.event(TOOLS_CHANGED, {});
  }

  #replace(stream: Stream | undefined): void {
    const replaced = stream === undefined ? [this.#current, this.#next] : [this.#current];
    this.#current = stream;
    this.#next = undefined;
    for (const before of replaced) {
      before?.stopWaiting();
      before?.agreed.resolve({ result: "{}" });
      if (before !== undefined) this.#options.close(before.id);
    }
  }

  #late(id: number): void {
    this.#options.close(id);
    const message = "Cannot listen to the backend: it does not say what it agrees to";
    this.ended(id, new SentinelError("BACKEND_TIMEOUT", message, { executed: "unknown" }));
  }

  #comeBack({ openedAt, heard }: Stream, end: ListenEnd): void {
    const { clock, fraction, refused } = this.#options;
    if (this.#stopped) return;
    const refusal = refusalOf(end);
    if (refusal !== undefined) {
      if (!this.#saidRefused) refused(refusal);
      this.#saidRefused = true;
      return;
    }
    if (this.#uris.length === 0 && Object.keys(this.#lists).length === 0) return;
    if (heard || clock.monotonic() - openedAt >= GOOD_MS) this.#attempt = 0;
    const delay = Math.min(FIRST_DELAY_MS * 2 ** this.#attempt++, MAX_DELAY_MS);
    this.#stopPause = clock.after(delay * (1 + fraction() / 4), () => void this.#open(this.#uris));
  }

  #streamOf(params: JsonObject, origin: number | undefined): Stream | undefined {
    const meta = params["_meta"];
    const named = isObject(meta) ? meta[META.subscription] : undefined;
    const cancelled = params["requestId"];
    return [this.#current, this.#next].find((stream) =>
      stream !== undefined && [origin, named, cancelled].includes(stream.id)
    );
  }
}

/** What the backend declares that it tells of. */
function listChanges(capabilities: JsonObject): JsonObject {
  const wanted: JsonObject = {};
  for (const kind of ["tools", "prompts", "resources"]) {
    const declared = capabilities[kind];
    if (isObject(declared) && declared["listChanged"] === true) wanted[`${kind}ListChanged`] = true;
  }
  return wanted;
}

/** For who waits for what was agreed; without effect when that was said. */
function settleWith({ agreed }: Stream, end: ListenEnd): void {
  if (end instanceof SentinelError) agreed.reject(end);
  else if ("error" in end) agreed.resolve(end);
  else agreed.reject(closedMeanwhile("the backend listens to no subscription"));
}

/** Why another try is in vain; undefined when it is not. */
function refusalOf(end: ListenEnd): string | undefined {
  if (end instanceof SentinelError) {
    return end.code === "BACKEND_PROTOCOL" ? end.details.reason ?? end.message : undefined;
  }
  if (!("error" in end) || end.error.code === INTERNAL) return undefined;
  return `${end.error.code} ${end.error.message.slice(0, 200)}`;
}
