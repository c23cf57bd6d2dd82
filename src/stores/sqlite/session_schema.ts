import type { FileKind } from "./schema.ts";

/** Steps are never changed, and only add, as those of the state file. */
const MIGRATIONS: readonly string[] = [
  `CREATE TABLE session (
    id TEXT PRIMARY KEY,
    record TEXT NOT NULL,
    seen INTEGER NOT NULL, -- milliseconds since 1970, as all times here
    until INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX session_until ON session (until);
  CREATE TABLE stream (
    key TEXT PRIMARY KEY,
    session TEXT NOT NULL,
    requests TEXT NOT NULL,
    owner TEXT NOT NULL,
    characters INTEGER NOT NULL,
    ended INTEGER NOT NULL,
    until INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX stream_session ON stream (session);
  CREATE INDEX stream_until ON stream (until);
  CREATE TABLE sent (
    stream TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    data TEXT NOT NULL, -- as JSON: SQLite's own texts end at a NUL
    PRIMARY KEY (stream, sequence)
  ) STRICT;
  CREATE TABLE secret (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;`,
];

export const SESSION_FILE: FileKind = {
  words: {
    name: "session file",
    withoutIt: "clients begin new sessions then",
  },
  application: 0x4d435054, // "MCPT"
  migrations: MIGRATIONS,
  table: "session",
  refusedAs: "CONFIG_INVALID",
};
