/**
 * Opens the links of one backend: finds out which era it speaks, and shakes hands over whichever HTTP
 * transport it has. A backend that was not asked yet gets nothing but the question.
 */
import { type DroppedMessages, type Era, SentinelError } from "../../contract/mod.ts";
import type { JsonObject } from "../mcp/json.ts";
import type { Session } from "../session/session.ts";
import { EraMemory } from "./eras.ts";
import { speaksAnother } from "./greet.ts";
import type { Ask, AskReply, Link } from "./link.ts";
import { LinkMetrics } from "./link_metrics.ts";
import type { LinkOptions } from "./link_options.ts";
import { openLink } from "./open_link.ts";
import type { BackendPorts } from "./ports.ts";
import { Recall } from "./recall.ts";
import type { WireOpener } from "./wire_opener.ts";

/** A handshake that takes longer has failed (trust.md B2). */
const HANDSHAKE_MS = 10_000;

/** How one link is opened. */
export interface Opening {
  readonly capabilities: JsonObject;
  /** The backend's main link: its process is shown, and it tells of changed lists. */
  readonly main: boolean;
  /** Set when the link belongs to one session alone. */
  readonly owner?: Session | undefined;
  readonly closed: (error: SentinelError) => void;
  /** Gives the handshake up. */
  readonly signal?: AbortSignal;
  /** A start failed, and another follows at once. */
  readonly failed?: () => void;
}

export interface LinkFactoryOptions {
  readonly backend: string;
  readonly opener: WireOpener;
  readonly ports: BackendPorts;
  readonly dropped: DroppedMessages;
  readonly notified: (method: string, params: JsonObject, owner: Session | undefined) => void;
  readonly asked: (session: Session, ask: Ask) => Promise<AskReply>;
}

type Eras = NonNullable<LinkOptions["eras"]>;

export class LinkFactory {
  readonly #options: LinkFactoryOptions;
  readonly #metrics: LinkMetrics;
  readonly #memory: EraMemory;
  readonly recall: Recall;
  /** Set while processes end both with and without the question: what the next start begins with. */
  #inTurn: Era | undefined;

  constructor(options: LinkFactoryOptions) {
    const { backend, opener, ports } = options;
    this.#options = options;
    const transport = opener.kind === "stdio" ? "pipe" : "tcp";
    this.#metrics = new LinkMetrics(backend, transport, ports.telemetry);
    this.#memory = new EraMemory(backend, ports.clock, ports.log);
    this.recall = new Recall(backend, ports);
    const known = ports.memory?.found(backend);
    if (known !== undefined) this.#memory.recall(known.era ?? "legacy");
  }

  /** @throws SentinelError BACKEND_LOST, BACKEND_TIMEOUT or BACKEND_PROTOCOL */
  open(opening: Opening): Promise<Link> {
    return opening.main
      ? this.recall.noting(opening.signal, () => this.#open(opening))
      : this.#open(opening);
  }

  async #open(opening: Opening): Promise<Link> {
    const { configuredEra, kind } = this.#options.opener;
    const era = configuredEra ?? this.#memory.known;
    if (era === "legacy") return await this.#legacy(opening);
    // A process may be another program at each start: what it spoke once is no promise.
    const link = kind === "stdio" && configuredEra === undefined
      ? await this.#askProcess(opening)
      : await this.#askModern(opening, era);
    if (configuredEra === undefined) this.#memory.learn(link.era, link.revision);
    return link;
  }

  /**
   * A process that ends because of the question gets another life without it. One that ended then too ends
   * for another reason: from now on each attempt is one start, with the question and without it in turn.
   */
  async #askProcess(opening: Opening): Promise<Link> {
    const inTurn = this.#inTurn;
    try {
      const link = await this.#once(
        opening,
        inTurn === "legacy" ? ["legacy"] : ["modern", "legacy"],
      );
      this.#inTurn = undefined;
      return link;
    } catch (cause) {
      const ended = cause instanceof SentinelError && cause.code === "BACKEND_LOST" &&
        cause.details.executed !== "no";
      if (!ended || opening.signal?.aborted === true) throw cause;
      this.#inTurn = inTurn === "modern" ? "legacy" : "modern";
      if (inTurn !== undefined) throw cause;
    }
    opening.failed?.();
    const link = await this.#once(opening, ["legacy"]);
    this.#inTurn = undefined;
    return link;
  }

  /** @param era as configured or remembered; undefined: whatever it is */
  async #askModern(opening: Opening, era: Era | undefined): Promise<Link> {
    try {
      return await this.#once(opening, ["modern"]);
    } catch (cause) {
      if (!speaksAnother(cause)) throw cause;
      if (era === undefined) return await this.#legacy(opening);
      // Said, not smoothed over; the next attempt finds out what it is now.
      this.#memory.forget();
      throw notModern(this.#options.backend, cause as SentinelError);
    }
  }

  async #legacy(opening: Opening): Promise<Link> {
    try {
      return await this.#once(opening, ["legacy"]);
    } catch (cause) {
      if (!this.#options.opener.fallBack(cause)) throw cause;
      return await this.#once(opening, ["legacy"]);
    }
  }

  async #once(opening: Opening, eras: Eras): Promise<Link> {
    const { opener, ports } = this.#options;
    // A connection that was only tried is nobody's loss.
    const fate: { opened?: true; lost?: SentinelError } = {};
    const link = await openLink(opener.wire(opening.main, eras[0]), {
      ...this.#shared(opening),
      eras,
      overHttp: opener.kind !== "stdio",
      handshakeMs: HANDSHAKE_MS,
      clock: ports.clock,
      random: ports.random,
      metrics: this.#metrics,
      events: this.#eventsOf(opening, (error) => {
        if (fate.opened) opening.closed(error);
        else fate.lost = error;
      }),
    });
    fate.opened = true;
    if (fate.lost !== undefined) opening.closed(fate.lost);
    opener.speaks(link.era);
    return link;
  }

  #shared({ capabilities, signal, main }: Opening) {
    const { backend, ports, dropped } = this.#options;
    return {
      capabilities,
      version: ports.version,
      ...(signal === undefined ? {} : { signal }),
      dropped,
      followsLists: main && ports.memory === undefined,
      invalid: (sample: string) => {
        this.#metrics.invalid();
        ports.log.write("backend.invalid_output", { backend, sample });
      },
      deaf: (reason: string) =>
        ports.log.write("backend.degraded", {
          backend,
          reason: `it refuses to tell of changes: ${reason}`,
        }),
      stale: () => this.#memory.forget(),
    };
  }

  #eventsOf({ owner }: Opening, closed: (error: SentinelError) => void): LinkOptions["events"] {
    const { notified, asked } = this.#options;
    return {
      notification: (method, params) => notified(method, params, owner),
      ...(owner === undefined ? {} : { ask: (ask: Ask) => asked(owner, ask) }),
      closed,
    };
  }
}

function notModern(backend: string, { message, details }: SentinelError): SentinelError {
  return new SentinelError(
    "BACKEND_PROTOCOL",
    `Cannot use backend "${backend}": it does not speak the modern era`,
    { ...details, backend, reason: details.reason ?? message },
  );
}
