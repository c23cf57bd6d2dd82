/** What PostgreSQL or the way to it refuses, in words: which database, why, what to do. */
import { SentinelError } from "../../contract/errors.ts";
import type { Address } from "./address.ts";

/**
 * By the beginning of the SQLSTATE: https://www.postgresql.org/docs/current/errcodes-appendix.html
 * The longer beginning goes first.
 */
const BY_STATE: readonly (readonly [string, string])[] = [
  ["25006", "the server takes no writes, as a standby does not; name the primary in the URL"],
  ["28", "correct user and password in the URL, or the server's pg_hba.conf"],
  ["3D000", "create the database, or correct its name in the URL"],
  ["3F000", "create the schema, or correct the user's search_path"],
  [
    "42501",
    "grant the user what it needs: create on the schema to make the tables, afterwards " +
    "select, insert and delete on them",
  ],
  ["53100", "free disk space on the database server"],
  ["53300", "raise max_connections of the server; each gateway takes up to 4"],
  ["53", "the database server is short of memory or another resource"],
  ["57014", "it took too long and was cancelled; look for what the server is busy with"],
  ["57P", "the server is starting or stopping; rows wait in the journal until it is back"],
  ["58", "look at the log and the disk of the database server"],
  ["XX001", "its tables are damaged; look at the log of the database server"],
];

/** By the code or text of the system, the runtime or the driver. */
const BY_TEXT: readonly (readonly [RegExp, string])[] = [
  [/ECONNREFUSED|connection refused/i, "start the server, or correct host and port in the URL"],
  [
    /ENOTFOUND|EAI_AGAIN|getaddrinfo|failed to lookup/i,
    "correct the host in the URL, or the name service",
  ],
  [/does not support SSL/i, "switch TLS on in the server, or remove sslmode from the URL"],
  [
    /certificate|self.signed|altname|issuer/i,
    "name the authority of its certificate with sslrootcert in the URL",
  ],
  [/timeout|timed out|no answer/i, "the server, or the way to it, hangs"],
];

/** @param act What was tried, such as `read`, `write`. */
export function failure(address: Address, act: string, cause: unknown): SentinelError {
  if (cause instanceof SentinelError) return cause;
  const said = reasonOf(cause);
  const remedy = remedyFor(codeOf(cause), said);
  const problem = `Cannot ${act} the audit database "${address.place}": ${said}`;
  const reason = address.mask(remedy === undefined ? problem : `${problem}; ${remedy}`);
  // A cause may be printed with everything it carries.
  const isClean = address.mask(said) === said;
  return new SentinelError("AUDIT_UNAVAILABLE", reason, { reason }, isClean ? cause : undefined);
}

/** The database is there and must not be used as it is. */
export function unusable(address: Address, problem: string, remedy: string): SentinelError {
  const reason = address.mask(`${problem}; ${remedy}`);
  const message = `Cannot use the audit database "${address.place}": ${reason}`;
  return new SentinelError("CONFIG_INVALID", address.mask(message), { reason });
}

/** SQLSTATE, or code of the system; empty without one. */
export function codeOf(thrown: unknown): string {
  const { code } = (thrown ?? {}) as { readonly code?: unknown };
  return typeof code === "string" ? code : "";
}

function remedyFor(code: string, said: string): string | undefined {
  const isState = /^[0-9A-Z]{5}$/.test(code);
  const byState = BY_STATE.find(([start]) => isState && code.startsWith(start));
  if (byState !== undefined) return byState[1];
  return BY_TEXT.find(([pattern]) => pattern.test(`${code} ${said}`))?.[1];
}

/** One failed try for each address of a host has no message of its own; a WebSocket throws events. */
function reasonOf(thrown: unknown): string {
  if (thrown instanceof AggregateError && thrown.message === "") {
    return [...new Set(thrown.errors.map(reasonOf))].join(", ");
  }
  const { message, error } = (thrown ?? {}) as {
    readonly message?: unknown;
    readonly error?: unknown;
  };
  if (typeof message === "string" && message !== "") return message;
  if (error !== undefined && error !== null) return reasonOf(error);
  return codeOf(thrown) || "the connection failed";
}
