/** What sessions subscribed to over links of their own, so that it can be told again on a new one. */
import type { Session } from "../session/session.ts";
import type { Link, LinkReply } from "./link.ts";
import { request } from "./upstream_requests.ts";

/** URIs of one session; what is beyond is lost with its link, and said to be. */
const MAX_URIS = 1000;

interface Own {
  readonly uris: Set<string>;
  /** It had a link before. */
  wasLinked: boolean;
  overflowed: boolean;
}

export class OwnSubscriptions {
  readonly #backend: string;
  readonly #sessions = new Map<Session, Own>();

  constructor(backend: string) {
    this.#backend = backend;
  }

  /** The session asks for updates over its own link. */
  add(session: Session, uri: string): void {
    const own = this.#of(session);
    if (own.uris.size < MAX_URIS) own.uris.add(uri);
    else own.overflowed = true;
  }

  delete(session: Session, uri: string): void {
    this.#sessions.get(session)?.uris.delete(uri);
  }

  release(session: Session): void {
    this.#sessions.delete(session);
  }

  /** The session has a new link: what the one before knew is told again, and the ledger says how it went. */
  async linked(session: Session, link: Link): Promise<void> {
    const own = this.#of(session);
    if (!own.wasLinked) {
      own.wasLinked = true;
      return;
    }
    if (link.era === "modern") return;
    const { ledger } = session;
    const of = `backend "${this.#backend}"`;
    ledger.noteRestored(`${of}: the connection`);
    ledger.noteLost(`${of}: whatever it kept of the connection before`);
    if (session.logLevel !== undefined) ledger.noteRestored(`${of}: the log level`);
    if (own.overflowed) ledger.noteLost(`${of}: subscriptions beyond ${MAX_URIS}`);
    for (const uri of [...own.uris]) {
      const reply = await answerOf(link, uri);
      if (!link.open) return;
      if (reply !== undefined && !("error" in reply)) {
        ledger.noteRestored(`${of}: the subscription of ${uri}`);
      } else {
        own.uris.delete(uri);
        ledger.noteLost(`${of}: the subscription of ${uri}`);
      }
    }
  }

  #of(session: Session): Own {
    const known = this.#sessions.get(session);
    if (known !== undefined) return known;
    const own: Own = { uris: new Set(), wasLinked: false, overflowed: false };
    this.#sessions.set(session, own);
    return own;
  }
}

async function answerOf(link: Link, uri: string): Promise<LinkReply | undefined> {
  try {
    return await request(link, "resources/subscribe", { uri });
  } catch {
    return undefined;
  }
}
