/** One open listen of a modern client: the messages it is sent, first to last. */
import type { Principal } from "../auth/principal.ts";
import type { View } from "../catalog/types.ts";
import { encodeNotification, encodeResult } from "../mcp/codec.ts";
import { META } from "../mcp/envelope.ts";
import { type JsonObject, parse } from "../mcp/json.ts";
import type { Caller } from "../session/caller.ts";
import { changedLists, listChanged, type ListWatcher } from "../session/list_changes.ts";
import type { Subscriber } from "../session/subscriber.ts";
import { type ListenFilter, writeFilter } from "./listen_filter.ts";

/** The front's side of a listen. */
export interface ListenChannel {
  /** Sends one JSON-RPC text; false when the client reads too slowly to get it, or not any more. */
  send(text: string): boolean;
  /** Nothing follows. Called at most once, and not when the front itself closed the listen. */
  end(): void;
}

export interface ListenOptions {
  readonly caller: Caller;
  /** JSON text of the request's id. */
  readonly id: string;
  readonly filter: ListenFilter;
  readonly channel: ListenChannel;
  /** Called once, however it ends. */
  readonly onEnd: (listen: Listen, overflow: boolean) => void;
}

export class Listen implements Subscriber, ListWatcher {
  readonly caller: Caller;
  seen: View["fingerprints"] | undefined;
  /** Name of the backend that was asked for updates, by URI. */
  readonly places = new Map<string, string>();
  readonly #options: ListenOptions;
  /** Updates that came before the acknowledgement, which has to be the first message. */
  #early: Set<string> | undefined = new Set();
  #filter: ListenFilter;
  #closed: string | undefined;
  #onClose: ((reason: string) => void) | undefined;

  constructor(options: ListenOptions) {
    this.#options = options;
    this.caller = options.caller;
    this.#filter = options.filter;
  }

  get principal(): Principal {
    return this.caller.principal;
  }

  get toolset(): string | undefined {
    return this.caller.toolset;
  }

  get closed(): boolean {
    return this.#closed !== undefined;
  }

  /** The resources it wants; once it is acknowledged, those it was promised. */
  get uris(): readonly string[] {
    return this.#filter.uris ?? [];
  }

  /** The client has gone, or its stream had no room: nothing is sent any more. Idempotent. */
  close(reason: string, overflow = false): void {
    this.#end(reason, overflow);
  }

  /** The gateway ends it: the request is answered. Idempotent. */
  complete(reason: string): void {
    if (this.closed) return;
    const { id, channel } = this.#options;
    const result = `{"resultType":"complete","_meta":{"${META.subscription}":${id}}}`;
    this.#end(reason, !channel.send(encodeResult(id, result)));
    channel.end();
  }

  /** Begins the messages: says what will come of what was wanted. */
  acknowledge(uris: ReadonlySet<string>): void {
    const { lists, uris: wanted } = this.#filter;
    this.#filter = { lists, uris: wanted?.filter((uri) => uris.has(uri)) };
    const early = this.#early ?? [];
    this.#early = undefined;
    this.#send(
      this.#encode("notifications/subscriptions/acknowledged", {
        notifications: writeFilter(this.#filter),
      }),
    );
    for (const text of early) this.#send(text);
  }

  /** Tells which of the lists it asked for are others now. */
  look(view: View): void {
    if (this.#early !== undefined) return;
    for (const kind of changedLists(this, view)) {
      if (this.#filter.lists.includes(kind)) this.#send(this.#encode(listChanged(kind), {}));
    }
  }

  tell(method: string, params: JsonObject): void {
    const text = this.#encode(method, params);
    if (this.#early === undefined) this.#send(text);
    else this.#early.add(text);
  }

  /** The one thing to stop when it ends; as a call has it, for interceptors. */
  onCancel(stop: (reason: string) => void): void {
    this.#onClose = stop;
    if (this.#closed !== undefined) stop(this.#closed);
  }

  #encode(method: string, params: JsonObject): string {
    // Parsed so that an id wider than a double is written as it came.
    const _meta = { [META.subscription]: parse(this.#options.id) };
    return encodeNotification(method, { ...params, _meta });
  }

  #send(text: string): void {
    const { channel } = this.#options;
    if (this.closed || channel.send(text) || this.closed) return;
    this.#end("it read too slowly", true);
    channel.end();
  }

  #end(reason: string, overflow: boolean): void {
    if (this.closed) return;
    this.#closed = reason;
    this.#onClose?.(reason);
    this.#options.onEnd(this, overflow);
  }
}
