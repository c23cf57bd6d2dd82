/** Tables of the audit's file. */
import type { FileKind } from "./schema.ts";

/**
 * Steps are never changed, and only add: during a rolling restart the version before still works on the file.
 * Columns beside `row` are there to find rows by; `row` is the text the hash was taken over and comes last,
 * because it is large and seldom read. All keys rise with time, so that a batch changes few pages: an index for
 * each member made batches ten times as expensive. What is searched for is looked for in the first index alone.
 */
const MIGRATIONS: readonly string[] = [
  `CREATE TABLE audit (
    instance TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    at INTEGER NOT NULL, -- milliseconds since 1970
    kind TEXT NOT NULL,
    request TEXT NOT NULL,
    principal TEXT,
    name TEXT,
    backend TEXT,
    method TEXT,
    outcome TEXT NOT NULL,
    session TEXT,
    hash TEXT NOT NULL, -- '' without a chain
    row TEXT NOT NULL,
    PRIMARY KEY (instance, sequence)
  ) STRICT;
  CREATE INDEX audit_found
    ON audit (at, instance, sequence, kind, principal, name, backend, method, outcome, session);
  CREATE INDEX audit_request ON audit (request);
  CREATE TABLE trimmed ( -- where retention cut each run
    instance TEXT PRIMARY KEY,
    sequence INTEGER NOT NULL,
    hash TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;`,
];

export const AUDIT_FILE: FileKind = {
  words: {
    name: "audit file",
    withoutIt: "rows the journal still has are delivered into a new file, older ones are in the " +
      "moved file only",
  },
  application: 0x4d435041, // "MCPA"
  migrations: MIGRATIONS,
  // A row is about a kilobyte: in larger pages a batch costs two thirds of the time.
  pageBytes: 16_384,
  table: "audit",
  refusedAs: "CONFIG_INVALID",
};
