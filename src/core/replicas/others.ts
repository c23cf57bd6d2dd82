/** The other replicas of this gateway, as the fronts need them. */
import type { SessionId } from "../../contract/ids.ts";
import type { Bus } from "../../ports/bus.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Telemetry } from "../../ports/telemetry.ts";
import type { FrontContext } from "../front/context.ts";
import type { Message, RequestMessage } from "../mcp/message.ts";
import type { JsonObject } from "../mcp/json.ts";
import type { ForeignEvents } from "../session/event_stream.ts";
import type { Session } from "../session/session.ts";
import { Exchanges, type Outlet } from "./exchanges.ts";
import { Mailbox } from "./mailbox.ts";
import { type ForeignPost, type Forwarded, forwardPost, servePost } from "./remote_posts.ts";
import { foreignOwner, type ForeignRound, forwardRound, serveRound } from "./remote_rounds.ts";
import { passOn, takeSessionMessage, tellHolder } from "./remote_sessions.ts";
import { liveStream, type Position } from "./live_stream.ts";
import { serveStanding, serveStream, takeStanding, type WantedStanding } from "./remote_streams.ts";

export interface OthersOptions {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  /** Name of this replica. */
  readonly instance: string;
}

/** Speaks to other replicas and answers them. What cannot reach them ends within its bound. */
export class Others {
  readonly #options: OthersOptions;
  readonly #context: FrontContext;
  readonly #mailbox: Mailbox;
  readonly #exchanges: Exchanges;
  readonly #end: () => void;

  constructor(context: FrontContext, options: OthersOptions) {
    this.#options = options;
    this.#context = context;
    const mailbox = this.#mailbox = new Mailbox(options.bus, options.telemetry);
    const serve = (want: JsonObject, outlet: Outlet) => this.#serve(want, outlet);
    const exchanges = this.#exchanges = new Exchanges({ ...options, mailbox, serve });
    context.sessions.follow({
      changed: ({ id }) => mailbox.broadcast({ kind: "changed", session: id }),
      removed: ({ id }) => mailbox.broadcast({ kind: "ended", session: id }),
    });
    this.#end = mailbox.follow(({ from, message }) => {
      if ("exchange" in message) exchanges.take(from, message);
      else takeSessionMessage(context, message);
    });
  }

  /** True when the message concerns another replica and not this one. */
  passOn(session: Session, message: Exclude<Message, RequestMessage>): boolean {
    return passOn(this.#mailbox, session, message);
  }

  /** Tells a session's client something through the replica that holds the session; false when it cannot. */
  tell(session: SessionId, holder: string, text: string): boolean {
    return tellHolder(this.#mailbox, session, { holder, text });
  }

  takeStanding(owner: string, wanted: WantedStanding): Promise<ForeignEvents | undefined> {
    const { clock } = this.#options;
    return takeStanding({ exchanges: this.#exchanges, clock }, owner, wanted);
  }

  /**
   * Reads on where another replica is writing; undefined when that one is gone, or has nothing of it.
   * @throws SentinelError OVERLOADED when that cannot be found out now
   */
  readStream(
    session: Session,
    position: Position,
  ): Promise<ReadableStream<Uint8Array> | undefined> {
    const { clock } = this.#options;
    const [exchanges, mailbox, context] = [this.#exchanges, this.#mailbox, this.#context];
    return liveStream({ exchanges, mailbox, clock, context }, session, position);
  }

  /** Forwards a request whose call waits at another replica; false for all others. */
  forwardRound(foreign: ForeignRound, unknown: () => void): boolean {
    const owner = foreignOwner(foreign.message, this.#options.instance);
    if (owner === undefined) return false;
    const requestId = () => this.#context.line.requestId();
    forwardRound(this.#exchanges, owner, foreign, { unknown, requestId });
    return true;
  }

  forwardPost(holder: string, post: ForeignPost): Promise<Forwarded> {
    const { clock } = this.#options;
    return forwardPost({ exchanges: this.#exchanges, clock }, holder, post);
  }

  close(): void {
    this.#exchanges.close();
    this.#end();
  }

  #serve(want: JsonObject, outlet: Outlet): ((reason: string) => void) | undefined {
    switch (want["kind"]) {
      case "stream":
        return serveStream(this.#context, want, outlet);
      case "standing":
        return serveStanding(this.#context, want, outlet);
      case "round":
        return serveRound(this.#context, want, outlet);
      case "post":
        return servePost(this.#context, want, outlet);
      default:
        outlet.end({ unknown: true });
        return undefined;
    }
  }
}
