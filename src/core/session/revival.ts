/** Sessions of an earlier run, or of another replica, that go on here. */
import { SentinelError, type SessionId } from "../../contract/mod.ts";
import type { SessionRecord, SessionStore } from "../../ports/session_store.ts";
import type { LinkReply } from "../backends/link.ts";
import type { World } from "../runtime/world.ts";
import type { Session } from "./session.ts";

/** Records read at a time; a session that is asked for on top is refused. */
const MAX_READS = 256;
/** What an id looks like; nothing else is looked for. */
const ID = /^[0-9a-f]{32}$/;

/** Reads records: once for all who wait for the same, and only so many at a time. */
export class RecordReader {
  readonly #store: SessionStore;
  readonly #reads = new Map<string, Promise<SessionRecord | undefined>>();

  constructor(store: SessionStore) {
    this.#store = store;
  }

  /**
   * Undefined at once for what can be no id. What is not there is not remembered.
   * @throws SentinelError OVERLOADED; rejects as the store does
   */
  read(id: string): Promise<SessionRecord | undefined> | undefined {
    if (!ID.test(id)) return undefined;
    const running = this.#reads.get(id);
    if (running !== undefined) return running;
    if (this.#reads.size >= MAX_READS) {
      throw new SentinelError(
        "OVERLOADED",
        "Cannot look for the session: too many are looked for",
        {
          reason: `at most ${MAX_READS} at a time`,
          retryAfterMs: 1000,
        },
      );
    }
    const read = this.#store.get(id as SessionId).finally(() => this.#reads.delete(id));
    this.#reads.set(id, read);
    return read;
  }
}

/**
 * Does at the backends what the session's record says, and notes what became of it. Never rejects.
 * @param world in force now
 */
export async function restoreAtBackends(session: Session, world: () => World): Promise<void> {
  const { backends } = world();
  for (const backend of backends.values()) {
    if (session.logSeverity !== undefined) backend.logLevelChanged();
    if (backend.config.instances === "per-session") {
      session.ledger.noteLost(`what backend "${backend.name}" kept for the session`);
    }
  }
  session.ledger.noteLost(
    "questions that were open, and resources known only from results, if any",
  );
  await Promise.all(session.subscriptions.map((own) => restoreSubscription(session, own, world)));
}

/** After a change at another replica: follows what is new, and not any more what is gone. Never rejects. */
export async function adjustAtBackends(
  session: Session,
  before: SessionRecord["subscriptions"],
  world: () => World,
): Promise<void> {
  const { backends } = world();
  for (const backend of backends.values()) backend.logLevelChanged();
  const wanted = new Set(session.subscriptions.map(keyOf));
  const known = new Set(before.map(keyOf));
  for (const gone of before.filter((own) => !wanted.has(keyOf(own)))) {
    backends.get(gone.backend)?.unsubscribe(gone.uri, session)?.catch(() => {});
  }
  const added = session.subscriptions.filter((own) => !known.has(keyOf(own)));
  await Promise.all(added.map((own) => restoreSubscription(session, own, world)));
}

type Subscription = SessionRecord["subscriptions"][number];

async function restoreSubscription(
  session: Session,
  { backend, uri }: Subscription,
  world: () => World,
): Promise<void> {
  const what = `subscription of ${uri} at "${backend}"`;
  const failed = await follow(session, { backend, uri }, world).then(refusalOf, messageOf);
  if (failed === undefined) session.ledger.noteRestored(what);
  else {
    session.ledger.noteLost(`${what}: ${failed}`);
    session.dropSubscription({ backend, uri });
  }
}

async function follow(
  session: Session,
  { backend, uri }: Subscription,
  world: () => World,
): Promise<LinkReply> {
  const found = world().backends.get(backend);
  if (found === undefined) throw new Error("the backend is not configured any more");
  return await found.follow(uri, session);
}

function refusalOf(reply: LinkReply): string | undefined {
  return "error" in reply ? `${reply.error.code} ${reply.error.message}` : undefined;
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

function keyOf({ backend, uri }: Subscription): string {
  return `${backend} ${uri}`;
}
