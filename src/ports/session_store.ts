/** What sessions are while nobody has them in memory: after a restart, or at another replica. */
import type { SessionId } from "../contract/ids.ts";
import type { StoredEvent } from "./event_store.ts";

/** A resource somebody wants to be told of. */
export interface StoredSubscription {
  readonly backend: string;
  /** Of the backend. */
  readonly uri: string;
}

/** One session as plain JSON. */
export interface SessionRecord {
  readonly id: SessionId;
  /** What operators see instead of the id. */
  readonly ref: string;
  readonly front: "streamable_http" | "http_sse";
  readonly toolset?: string;
  /** Id of the principal: who comes with the session's id has to be the same. */
  readonly principal: string;
  readonly revision: string;
  /** As the client declared them. */
  readonly capabilities: Readonly<Record<string, unknown>>;
  readonly client?: string;
  /** The client confirmed the handshake. */
  readonly initialized: boolean;
  readonly logLevel?: string;
  readonly subscriptions: readonly StoredSubscription[];
  /** Wall time, milliseconds since 1970. */
  readonly openedAt: number;
  /** Wall time of the last sign of life that was written down; at most a minute behind. */
  readonly seenAt: number;
  /** Replica that has the session's standing stream, or had it last: it alone sends what belongs to no call. */
  readonly holder?: string;
}

/** Events of a resumable stream, for whoever has to go on with it. */
export interface KeptStream {
  readonly session: SessionId;
  /** JSON texts of the ids of the requests it answers; empty for a session's standing stream. */
  readonly requests: readonly string[];
  /** Replica that wrote it. */
  readonly owner: string;
  /** Those after the number that was asked for, oldest first; undefined when some of them are gone. */
  readonly events: readonly StoredEvent[] | undefined;
  /** Nothing more will come. */
  readonly ended: boolean;
}

/** The part of a stream that does not change. */
export type StreamFacts = Pick<KeptStream, "session" | "requests" | "owner">;

/**
 * Where sessions live beside the memory of who has them. Every method settles within 250 ms or rejects; what is
 * not found is undefined. Nothing that comes back is believed: it has the form it should have, or is not there.
 */
export interface SessionStore {
  readonly kind: "memory" | "sqlite" | "redis";
  /** Why it cannot be used now; undefined while it can. */
  readonly failure: string | undefined;
  /** How often it was away: each time, it may have lost what it had. Absent: it never is. */
  readonly outages?: number;
  get(id: SessionId): Promise<SessionRecord | undefined>;
  /** Stores or replaces. It is forgotten `keepMs` after the last `put` or `touch`. */
  put(record: SessionRecord, keepMs: number): Promise<void>;
  /** Those sessions were seen now; what is not there stays away. */
  touch(ids: readonly SessionId[], seenAt: number, keepMs: number): Promise<void>;
  /** Forgets it, and its streams. */
  remove(id: SessionId): Promise<void>;
  /**
   * Keeps one event of a stream. Never waits and never throws: what cannot be kept within the store's bounds
   * is gone, and `kept` says so.
   */
  keep(stream: string, facts: StreamFacts, event: StoredEvent): void;
  /** Nothing more will come on the stream; what is kept of it goes after a while. */
  keepEnd(stream: string): void;
  /** What is kept of a stream, from the event after this number on; undefined for a stream nobody knows. */
  kept(stream: string, after: number): Promise<KeptStream | undefined>;
  /** A text of 64 hexadecimal digits that stays the same for all who share the store; made at first use. */
  secret(name: string): Promise<string>;
  /** Forgets what is too old. */
  sweep(): void;
  /** Resolves when what was to be kept is with the store, or cannot be. */
  flush(): Promise<void>;
  close(): void;
}
