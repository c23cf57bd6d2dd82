/** Databases for the tests of the audit in PostgreSQL. */
import type { AuditSink } from "../../../src/ports/audit.ts";
import type { PostgresServer } from "../../support/postgres.ts";
import type { SinkPlace } from "../audit_sink_suite.ts";

/** A new database for each place; `sinkOf` opens a sink on its URL. */
export function databasePlace(
  server: () => PostgresServer,
  sinkOf: (url: string) => AuditSink,
): () => Promise<SinkPlace> {
  return async () => {
    const url = await server().database();
    return {
      connect: () => sinkOf(url),
      makeNewer: async () => {
        await server().run(url, "update sentinel_audit_version set version = 99");
      },
      // The server goes with everything in it.
      remove: () => {},
    };
  };
}
