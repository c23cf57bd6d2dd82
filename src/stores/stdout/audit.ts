import { SentinelError } from "../../contract/errors.ts";
import type { AuditSink, DeliveredRow } from "../../ports/audit.ts";
import { openOutput, type Output } from "./output.ts";

/**
 * One row a line on standard output, as JSON of an AuditRecord, for whoever collects it there. A batch that was
 * cut off comes again as a whole, so a collector may see rows twice.
 */
export class StdoutAudit implements AuditSink {
  readonly kind = "stdout";
  readonly reader = undefined;
  #output: Output | undefined;
  #isOpen = true;

  open(): Promise<void> {
    return Promise.resolve();
  }

  async write(rows: readonly DeliveredRow[]): Promise<void> {
    if (!this.#isOpen) throw failure(new Error("it is closed"));
    try {
      this.#output ??= openOutput();
      await this.#output.write(rows.map(lineOf).join(""));
    } catch (error) {
      throw failure(error);
    }
  }

  /** What a reader of stdout has is its own affair. */
  sync(): Promise<void> {
    return Promise.resolve();
  }

  /** What was written cannot be taken back. */
  trim(): Promise<number> {
    return Promise.resolve(0);
  }

  close(): Promise<void> {
    this.#output?.close();
    this.#isOpen = false;
    return Promise.resolve();
  }
}

/** The text of the row, with its hash as the last member. */
function lineOf({ text, hash }: DeliveredRow): string {
  return hash === "" ? `${text}\n` : `${text.slice(0, -1)},"hash":${JSON.stringify(hash)}}\n`;
}

function failure(cause: unknown): SentinelError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const problem = `Cannot write the audit to standard output: ${reason}`;
  return new SentinelError("AUDIT_UNAVAILABLE", problem, { reason }, cause);
}
