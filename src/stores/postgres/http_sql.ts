/** SQL over HTTP, as Neon speaks it: a POST is one transaction. */
import { neon, neonConfig } from "@neondatabase/serverless";
import { type Address, addressOf } from "./address.ts";
import { codeOf, failure } from "./failure.ts";
import { CHECK, PREPARE } from "./http_schema.ts";
import type { Row } from "./pool.ts";

/** For one transaction, the start of a database that slept included. */
const ANSWER_MS = 10_000;
const UNDEFINED_TABLE = "42P01";
/** What the driver makes of the host of a URL. */
const NEON_ENDPOINT = neonConfig.fetchEndpoint;

export interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
}

export interface HttpSqlOptions {
  /** `postgres://user:password@host/database` of Neon, or of whatever answers at `endpoint`. */
  readonly url: string;
  /** Where statements are posted, for databases that are not Neon's; default: what Neon has for the host. */
  readonly endpoint?: string | undefined;
  /** Whether the tables may be made and brought up to date. */
  readonly migrate: boolean;
}

/** The tables are made or checked before the first statement. */
export class HttpSql {
  readonly kind: Address["kind"];
  readonly #options: HttpSqlOptions;
  readonly #address: Address;
  #isReady = false;

  /** @throws SentinelError CONFIG_INVALID for a URL that cannot be read */
  constructor(options: HttpSqlOptions) {
    this.#options = options;
    this.#address = addressOf(options.url);
    this.kind = this.#address.kind;
  }

  /**
   * Runs them in one transaction; gives the rows of each.
   * @throws SentinelError AUDIT_UNAVAILABLE
   */
  async run(statements: readonly Statement[]): Promise<readonly (readonly Row[])[]> {
    try {
      await this.#prepare();
      return await this.#send(statements);
    } catch (cause) {
      // Tables that are gone, because an empty database took the place of this one, are made again.
      if (codeOf(cause) === UNDEFINED_TABLE) this.#isReady = false;
      throw failure(this.#address, "write", cause);
    }
  }

  async #prepare(): Promise<void> {
    if (this.#isReady) return;
    await this.#send([{ text: this.#options.migrate ? PREPARE : CHECK, values: [] }]);
    this.#isReady = true;
  }

  async #send(statements: readonly Statement[]): Promise<readonly (readonly Row[])[]> {
    const { url, endpoint = NEON_ENDPOINT } = this.#options;
    const sql = neon(url);
    const fetchOptions = { signal: AbortSignal.timeout(ANSWER_MS), redirect: "manual" };
    const queries = statements.map(({ text, values }) => sql.query(text, [...values]));
    // The driver has no other place for it, and reads it before this call returns.
    neonConfig.fetchEndpoint = endpoint;
    return await sql.transaction(queries, { fetchOptions }) as unknown as readonly Row[][];
  }
}
