/** Opens the links of one backend: the handshake, over whichever HTTP transport the backend speaks. */
import type { DroppedMessages, SentinelError } from "../../contract/mod.ts";
import type { JsonObject } from "../mcp/json.ts";
import type { Session } from "../session/session.ts";
import type { Ask, AskReply, Link } from "./link.ts";
import { LinkMetrics } from "./link_metrics.ts";
import { openLink } from "./open_link.ts";
import type { BackendPorts } from "./ports.ts";
import type { WireOpener } from "./wire_opener.ts";

/** A handshake that takes longer has failed (trust.md B2). */
const HANDSHAKE_MS = 10_000;

/** How one link is opened. */
export interface Opening {
  readonly capabilities: JsonObject;
  /** Set when the link belongs to one session alone. */
  readonly owner: Session | undefined;
  readonly closed: (error: SentinelError) => void;
  /** Gives the handshake up. */
  readonly signal?: AbortSignal;
}

export interface LinkFactoryOptions {
  readonly backend: string;
  readonly opener: WireOpener;
  readonly ports: BackendPorts;
  readonly dropped: DroppedMessages;
  readonly notified: (method: string, params: JsonObject, owner: Session | undefined) => void;
  readonly asked: (session: Session, ask: Ask) => Promise<AskReply>;
}

export class LinkFactory {
  readonly #options: LinkFactoryOptions;
  readonly #metrics: LinkMetrics;

  constructor(options: LinkFactoryOptions) {
    const { backend, opener, ports } = options;
    this.#options = options;
    const transport = opener.kind === "stdio" ? "pipe" : "tcp";
    this.#metrics = new LinkMetrics(backend, transport, ports.telemetry);
  }

  /** @throws SentinelError BACKEND_LOST, BACKEND_TIMEOUT or BACKEND_PROTOCOL */
  async open(opening: Opening): Promise<Link> {
    try {
      return await this.#once(opening);
    } catch (cause) {
      if (!this.#options.opener.fallBack(cause)) throw cause;
      return await this.#once(opening);
    }
  }

  #once({ capabilities, owner, closed, signal }: Opening): Promise<Link> {
    const { backend, opener, ports, dropped, notified, asked } = this.#options;
    return openLink(opener.wire(owner === undefined), {
      capabilities,
      version: ports.version,
      handshakeMs: HANDSHAKE_MS,
      ...(signal === undefined ? {} : { signal }),
      clock: ports.clock,
      dropped,
      invalid: (sample) => {
        this.#metrics.invalid();
        ports.log.write("backend.invalid_output", { backend, sample });
      },
      metrics: this.#metrics,
      events: {
        notification: (method, params) => notified(method, params, owner),
        ...(owner === undefined ? {} : { ask: (ask: Ask) => asked(owner, ask) }),
        closed,
      },
    });
  }
}
