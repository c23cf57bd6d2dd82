/** Open listens of modern clients: who is told what (specification 2026-07-28, subscriptions). */
import { type Config, SentinelError } from "../../contract/mod.ts";
import type { Cancel, Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { Telemetry } from "../../ports/telemetry.ts";
import { callerOf } from "../limits/limits.ts";
import type { RequestMessage } from "../mcp/message.ts";
import { settlesWithin } from "../runtime/deadline.ts";
import { orphanedBy, signInChanged } from "../runtime/orphans.ts";
import type { World } from "../runtime/world.ts";
import type { Caller } from "../session/caller.ts";
import { rememberLists } from "../session/list_changes.ts";
import { Listen, type ListenChannel } from "./listen.ts";
import { type ListenFilter, readFilter } from "./listen_filter.ts";
import { type Answers, leave, place } from "./listen_places.ts";

export type { Listen, ListenChannel } from "./listen.ts";

/** How long backends may take to refuse a resource before it is promised. */
const ANSWER_MS = 2000;
/** Between two looks for tokens that are not valid any more. */
const SWEEP_MS = 1000;
/** Resources that all listens name together, and those of one caller: each can be 2000 characters. */
const MAX_URIS = 20_000;
const MAX_URIS_PER_CALLER = 4000;

const KIND = { kind: "client_listen" } as const;

export interface ListenPorts {
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly log: Log;
  /** In force now. */
  readonly bounds: () => Config["bridge"];
  readonly world: () => World;
  /** As the line has it: lists are decided then. */
  readonly starting: () => Promise<void> | undefined;
}

export class ListenHub {
  readonly #ports: ListenPorts;
  readonly #listens = new Set<Listen>();
  #endSweep: Cancel | undefined;
  #stopped = false;

  constructor(ports: ListenPorts) {
    this.#ports = ports;
  }

  get size(): number {
    return this.#listens.size;
  }

  /**
   * Opens a listen for `subscriptions/listen`. Nothing is sent before this returns; then the acknowledgement
   * comes first, at the latest after 2 s, and when the gateway ends the listen the answer to the request last.
   * @param channel of this request alone; its front closes the listen when the client has gone
   * @throws SentinelError INVALID_PARAMS, or OVERLOADED in band
   */
  open(caller: Caller, message: RequestMessage, channel: ListenChannel): Listen {
    const filter = readFilter(message.params);
    this.#admit(caller, filter);
    const onEnd = (listen: Listen, overflow: boolean) => this.#ended(listen, overflow);
    const listen = new Listen({ caller, id: message.id, filter, channel, onEnd });
    this.#listens.add(listen);
    this.#active(1);
    this.#endSweep ??= this.#ports.clock.every(SWEEP_MS, () => this.#sweep());
    this.#begin(listen).catch((cause: unknown) => {
      this.#ports.log.write("call.defect", { cause: String(cause) });
      listen.complete("a defect of the gateway");
    });
    return listen;
  }

  /** The catalog is another one: tells those whose lists are others. */
  announce(): void {
    for (const listen of this.#listens) this.#look(listen);
  }

  /** The configuration is another one than `before`: ends those that lost what they listened to. */
  reloaded(before: Config): void {
    const { world } = this.#ports;
    for (const listen of this.#listens) {
      const reason = orphanedBy(listen, before, world()) ??
        signInChanged(listen.principal, before, world().config);
      if (reason !== undefined) listen.complete(reason);
      else if (listen.uris.length > 0) void place(listen, world);
    }
  }

  /** Ends all of them, for good. */
  close(): void {
    this.#stopped = true;
    for (const listen of this.#listens) listen.complete("the gateway is stopping");
  }

  async #begin(listen: Listen): Promise<void> {
    await this.#ports.starting();
    if (listen.closed) return;
    const { world } = this.#ports;
    const view = world().catalog.view(listen.toolset, listen.principal);
    if (view === undefined) return listen.complete("its toolset was removed");
    rememberLists(listen, view);
    const agreed = listen.uris.length === 0 ? [] : await this.#agreed(await place(listen, world));
    if (listen.closed) return;
    listen.acknowledge(new Set(agreed));
    // They may have changed while backends were asked.
    this.#look(listen);
  }

  /** URIs that no backend has refused so far. */
  async #agreed(answers: Answers): Promise<readonly string[]> {
    const refused = new Set<string>();
    const all = [...answers].map(async ([uri, answer]) => {
      if (!await answer) refused.add(uri);
    });
    await settlesWithin(Promise.all(all), ANSWER_MS, this.#ports.clock);
    return [...answers.keys()].filter((uri) => !refused.has(uri));
  }

  #look(listen: Listen): void {
    const view = this.#ports.world().catalog.view(listen.toolset, listen.principal);
    if (view !== undefined) listen.look(view);
  }

  #admit(caller: Caller, { uris = [] }: ListenFilter): void {
    if (this.#stopped) throw refused("the gateway is stopping");
    const { listens, listens_per_caller } = this.#ports.bounds();
    if (this.#listens.size >= listens) throw refused(`bridge.listens = ${listens}`);
    const key = callerOf(caller);
    const own = [...this.#listens].filter((listen) => callerOf(listen.caller) === key);
    if (own.length >= listens_per_caller) {
      throw refused(`bridge.listens_per_caller = ${listens_per_caller}`);
    }
    if (
      uris.length > 0 && (urisOf(own) + uris.length > MAX_URIS_PER_CALLER ||
        urisOf(this.#listens) + uris.length > MAX_URIS)
    ) {
      throw refused(
        `at most ${MAX_URIS_PER_CALLER} resources of one caller and ${MAX_URIS} of all`,
      );
    }
  }

  #sweep(): void {
    const now = this.#ports.clock.now();
    for (const listen of this.#listens) {
      if ((listen.principal.expiresAt ?? Infinity) <= now) listen.complete("its token expired");
    }
  }

  #ended(listen: Listen, overflow: boolean): void {
    this.#listens.delete(listen);
    this.#active(-1);
    leave(listen, this.#ports.world());
    if (this.#listens.size === 0) {
      this.#endSweep?.();
      this.#endSweep = undefined;
    }
    if (!overflow) return;
    const { telemetry, log } = this.#ports;
    telemetry.series("sentinel_stream_events_dropped_total", KIND).add(1);
    log.write("stream.overflow", { transport: listen.caller.front });
  }

  #active(change: 1 | -1): void {
    this.#ports.telemetry.series("sentinel_streams_active", KIND).add(change);
  }
}

function urisOf(listens: Iterable<Listen>): number {
  let sum = 0;
  for (const { uris } of listens) sum += uris.length;
  return sum;
}

function refused(reason: string): SentinelError {
  return new SentinelError("OVERLOADED", "Cannot listen: too much is listened to", {
    reason,
    retryAfterMs: SWEEP_MS,
    // In band: the message was understood, and the others of the client go on.
    http: 200,
  });
}
