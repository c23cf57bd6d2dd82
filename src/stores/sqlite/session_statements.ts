import type { DatabaseSync, StatementSync } from "node:sqlite";

const TEXTS = {
  get: "SELECT record, seen FROM session WHERE id = ? AND until > ?",
  put: `INSERT INTO session (id, record, seen, until) VALUES (?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET record = excluded.record, seen = excluded.seen, until = excluded.until`,
  touch: "UPDATE session SET seen = ?, until = ? WHERE id = ?",
  removeSession: "DELETE FROM session WHERE id = ?",
  removeSent: "DELETE FROM sent WHERE stream IN (SELECT key FROM stream WHERE session = ?)",
  removeStreams: "DELETE FROM stream WHERE session = ?",
  note: `INSERT INTO stream (key, session, requests, owner, characters, ended, until)
    VALUES (?, ?, ?, ?, ?, 0, ?)
    ON CONFLICT DO UPDATE SET characters = characters + excluded.characters, until = excluded.until`,
  add: "INSERT OR REPLACE INTO sent (stream, sequence, data) VALUES (?, ?, ?)",
  end: "UPDATE stream SET ended = 1, until = ? WHERE key = ?",
  stream: "SELECT * FROM stream WHERE key = ? AND until > ?",
  /** From the one that was asked for on. */
  sent: "SELECT sequence, data FROM sent WHERE stream = ? AND sequence >= ? ORDER BY sequence",
  oldest:
    "SELECT sequence, length(data) AS size FROM sent WHERE stream = ? ORDER BY sequence LIMIT 1",
  dropSent: "SELECT sum(length(data)) AS freed FROM sent WHERE stream = ? AND sequence <= ?",
  drop: "DELETE FROM sent WHERE stream = ? AND sequence <= ?",
  shrink: "UPDATE stream SET characters = characters - ? WHERE key = ?",
  oldestStream: "SELECT key, characters FROM stream ORDER BY until LIMIT 1",
  dropAll: "DELETE FROM sent WHERE stream = ?",
  dropStream: "DELETE FROM stream WHERE key = ?",
  addSecret: "INSERT OR IGNORE INTO secret (name, value) VALUES (?, ?)",
  secret: "SELECT value FROM secret WHERE name = ?",
  oldSent: "DELETE FROM sent WHERE stream IN (SELECT key FROM stream WHERE until <= ?)",
  oldStreams: "DELETE FROM stream WHERE until <= ?",
  oldSessions: "DELETE FROM session WHERE until <= ?",
  overSessions: `DELETE FROM session WHERE id IN (SELECT id FROM session ORDER BY until
    LIMIT max(0, (SELECT count(*) FROM session) - ?))`,
  characters: "SELECT sum(characters) AS characters FROM stream",
} as const;

export type SessionStatements = Readonly<Record<keyof typeof TEXTS, StatementSync>>;

export function prepareSessions(database: DatabaseSync): SessionStatements {
  const prepared = Object.entries(TEXTS).map(([name, text]) => [name, database.prepare(text)]);
  return Object.fromEntries(prepared) as SessionStatements;
}
