/** What a changed policy, or time, takes from clients that are connected: no stream outlives its right. */
import type { Config } from "../../contract/mod.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { Telemetry } from "../../ports/telemetry.ts";
import type { FrontName } from "../session/caller.ts";
import { TOKEN_EXPIRED } from "../session/registry.ts";
import { Rounds } from "../session/rounds.ts";
import type { Session } from "../session/session.ts";
import { orphanedBy, signInChanged } from "./orphans.ts";
import type { World } from "./world.ts";

/** Between two looks for tokens that are not valid any more. */
const ROUND_MS = 1000;
/** Their sessions live on one connection and end with it; each of their messages is judged anew. */
const ONE_CONNECTION: ReadonlySet<FrontName> = new Set(["http_sse", "websocket"]);

export interface RevocationOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly telemetry: Telemetry;
  readonly sessions: () => Iterable<Session> & { readonly size: number };
}

export class Revocation {
  readonly #options: RevocationOptions;
  readonly #rounds: Rounds<Session>;

  constructor(options: RevocationOptions) {
    this.#options = options;
    this.#rounds = new Rounds<Session>({
      clock: options.clock,
      everyMs: ROUND_MS,
      all: options.sessions,
      look: (some) => this.#endExpired(some),
    });
  }

  /** Another configuration is in force; `before` is the one it replaced. */
  reloaded(before: Config, world: World): void {
    for (const session of [...this.#options.sessions()]) {
      const reason = orphanedBy(session, before, world);
      if (reason !== undefined) {
        this.#close(session, reason, "config");
        continue;
      }
      // Its client comes back with its token, which is judged anew.
      if (signInChanged(session.principal, before, world.config) !== undefined) {
        session.standalone?.dismiss();
      }
      unsubscribe(session, world);
    }
  }

  stop(): void {
    this.#rounds.stop();
  }

  #endExpired(some: readonly Session[]): void {
    const now = this.#options.clock.now();
    for (const session of some) {
      const { expiresAt = Infinity } = session.principal;
      if (expiresAt > now) continue;
      if (!ONE_CONNECTION.has(session.front)) session.standalone?.dismiss();
      // A call goes on with the right it began with.
      else if (session.load.inFlight === 0) this.#close(session, TOKEN_EXPIRED, "lifetime");
    }
  }

  #close(session: Session, reason: string, kind: "config" | "lifetime"): void {
    const { telemetry, log } = this.#options;
    session.close(reason);
    telemetry.series("sentinel_session_evictions_total", { reason: kind }).add(1);
    log.write("session.ended", { session: session.ref, reason });
  }
}

/** What a session may not read any more is not followed for it either; listens look after theirs. */
function unsubscribe(session: Session, { backends, catalog }: World): void {
  const view = catalog.view(session.toolset, session.principal);
  for (const subscription of session.subscriptions) {
    const { backend: name, uri } = subscription;
    const backend = backends.get(name);
    // One that is gone may come back, when the reload is taken back for instance.
    if (backend === undefined || view?.resource(uri, name) !== undefined) continue;
    session.dropSubscription(subscription);
    // A link that is lost has forgotten it anyway.
    backend.unsubscribe(uri, session)?.catch(() => {});
  }
}
