import type { AuditReader, AuditSink, DeliveredRow } from "../../ports/audit.ts";
import { type Address, addressOf } from "./address.ts";
import { PostgresAuditReader } from "./audit_reader.ts";
import { trimRuns } from "./audit_trim.ts";
import { INSERT, valuesOf } from "./audit_rows.ts";
import { codeOf, failure } from "./failure.ts";
import { Pool } from "./pool.ts";
import { prepareTables } from "./schema.ts";

export interface PostgresAuditOptions {
  /** `postgres://user:password@host:port/database`; a host of Neon is spoken to over WebSockets. */
  readonly url: string;
  /** Whether the tables may be made and brought up to date; true by default. */
  readonly migrate?: boolean;
  /**
   * Milliseconds after which a write, a read or an attempt to connect is given up and its connection destroyed;
   * 10,000 by default.
   */
  readonly deadlineMs?: number;
}

/** Four connections: readers, who may be slow, never take the one for rows. */
const WRITERS = 1;
const READERS = 3;

/**
 * The audit in PostgreSQL or Neon. Connects when it is used first.
 * @throws SentinelError CONFIG_INVALID for a URL that cannot be read
 */
export function openPostgresAudit(options: PostgresAuditOptions): AuditSink {
  return new PostgresAudit(addressOf(options.url), options);
}

class PostgresAudit implements AuditSink {
  readonly kind: Address["kind"];
  readonly reader: AuditReader;
  readonly #address: Address;
  readonly #migrate: boolean;
  readonly #writers: Pool;
  readonly #readers: Pool;
  #isReady = false;

  constructor(address: Address, options: PostgresAuditOptions) {
    const { migrate = true, deadlineMs = 10_000 } = options;
    this.kind = address.kind;
    this.#address = address;
    this.#migrate = migrate;
    this.#writers = new Pool({ address, max: WRITERS, deadlineMs });
    this.#readers = new Pool({ address, max: READERS, deadlineMs });
    this.reader = new PostgresAuditReader(
      this.#readers,
      (cause) => failure(address, "read", cause),
    );
  }

  open(): Promise<void> {
    return this.#try("open", () => this.#prepare());
  }

  write(rows: readonly DeliveredRow[]): Promise<void> {
    return this.#try("write", async () => {
      if (rows.length === 0) return;
      if (!this.#isReady) await this.#prepare();
      const values = valuesOf(rows);
      // One statement however many rows: all of them or none.
      await this.#writers.transaction(
        { access: "read write" },
        (connection) => connection.query(INSERT, values),
      );
    });
  }

  /** A commit is on the disk when the server has answered. */
  sync(): Promise<void> {
    return Promise.resolve();
  }

  trim(before: number): Promise<number> {
    return this.#try("trim", () => trimRuns(this.#readers, before));
  }

  async close(): Promise<void> {
    await Promise.all([this.#writers.close(), this.#readers.close()]);
  }

  async #prepare(): Promise<void> {
    await prepareTables(this.#writers, this.#address, this.#migrate);
    this.#isReady = true;
  }

  async #try<Result>(act: string, work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      // Tables that are gone, because an empty database took the place of this one, are made again.
      if (codeOf(error) === UNDEFINED_TABLE) this.#isReady = false;
      throw failure(this.#address, act, error);
    }
  }
}

const UNDEFINED_TABLE = "42P01";
