/** Looks whether the audit database can be used, without leaving anything in it. */
import { addressOf } from "./address.ts";
import { failure } from "./failure.ts";
import { type Connection, Pool } from "./pool.ts";
import { NEWEST_VERSION, versionOf } from "./schema.ts";

export interface PostgresProbe {
  readonly kind: "postgres" | "neon";
  /** Host and database. */
  readonly place: string;
  /** Of the server, such as `17.2`. */
  readonly server: string;
  /** Of its tables; 0 when there are none. */
  readonly version: number;
  /** That this program makes. */
  readonly newest: number;
  /** Of a write that was taken back. */
  readonly writeMs: number;
}

export interface PostgresProbeOptions {
  readonly url: string;
  /** Whether the tables may be made. */
  readonly migrate: boolean;
  /** Milliseconds for each step. */
  readonly deadlineMs: number;
}

/** @throws SentinelError that says what to do when it cannot be reached, read or written */
export async function probePostgres(
  { url, migrate, deadlineMs }: PostgresProbeOptions,
): Promise<PostgresProbe> {
  const address = addressOf(url);
  const pool = new Pool({ address, max: 1, deadlineMs });
  try {
    const { version, server } = await pool.transaction(
      { access: "read only" },
      async (connection) => ({
        version: await versionOf(connection, address),
        server: await serverOf(connection),
      }),
    );
    const startedAt = performance.now();
    const mayMake = version > 0 || migrate;
    if (mayMake) await writeAndTakeBack(pool, version > 0);
    const writeMs = performance.now() - startedAt;
    const { kind, place } = address;
    return { kind, place, server, version, newest: NEWEST_VERSION, writeMs };
  } catch (thrown) {
    throw failure(address, "use", thrown);
  } finally {
    await pool.close();
  }
}

async function serverOf(connection: Connection): Promise<string> {
  const [row] = await connection.query("select current_setting('server_version') as version");
  const version = row?.["version"];
  return typeof version === "string" ? version.replace(/ .*/, "") : "";
}

/** Rolls back what it did. */
class TakenBack extends Error {}

async function writeAndTakeBack(pool: Pool, hasTables: boolean): Promise<void> {
  try {
    await pool.transaction({ access: "read write" }, async (connection) => {
      await connection.query(hasTables ? ROW : "create table sentinel_audit_version (n integer)");
      throw new TakenBack();
    });
  } catch (thrown) {
    if (!(thrown instanceof TakenBack)) throw thrown;
  }
}

const ROW = `insert into sentinel_audit
  (instance, sequence, at, kind, request, outcome, hash, row)
  values ('probe', -1, now(), 'probe', 'probe', 'probe', '', '{}')`;
