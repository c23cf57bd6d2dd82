/** An audit in memory: a store that takes rows, or does not, as a test wants. */
import { uuidv7 } from "uuidv7";
import type { AuditRow } from "../../src/contract/audit.ts";
import type { AuditJournal, AuditSink, DeliveredRow } from "../../src/ports/audit.ts";
import { MemoryAuditJournal } from "../../src/stores/memory/audit_journal.ts";

export class TestSink implements AuditSink {
  readonly kind = "stdout";
  readonly reader = undefined;
  readonly delivered: DeliveredRow[] = [];
  /** Why it takes nothing; undefined while it does. */
  failure: string | undefined;
  /** Times rows were offered to it. */
  attempts = 0;
  isClosed = false;

  open(): Promise<void> {
    return Promise.resolve();
  }

  write(rows: readonly DeliveredRow[]): Promise<void> {
    this.attempts++;
    if (this.failure !== undefined) return Promise.reject(new Error(this.failure));
    this.delivered.push(...rows);
    return Promise.resolve();
  }

  sync(): Promise<void> {
    return Promise.resolve();
  }

  trim(): Promise<number> {
    return Promise.resolve(0);
  }

  close(): Promise<void> {
    this.isClosed = true;
    return Promise.resolve();
  }

  /** Rows of one kind, in order. */
  rows(kind: AuditRow["kind"] = "call"): AuditRow[] {
    return this.delivered.map(({ row }) => row).filter((row) => row.kind === kind);
  }
}

/** A journal that notes what is written when, and can be made to fail. */
export class TestJournal extends MemoryAuditJournal {
  /** `intent`, `append` and `synced`, in order. */
  readonly acts: string[] = [];
  /** Acts that throw. */
  readonly broken = new Set<"intent" | "append" | "synced">();

  constructor() {
    super(uuidv7());
  }

  override intent(...args: Parameters<AuditJournal["intent"]>): void {
    this.#act("intent");
    super.intent(...args);
  }

  override append(...args: Parameters<AuditJournal["append"]>): void {
    this.#act("append");
    super.append(...args);
  }

  override synced(): Promise<void> {
    try {
      this.#act("synced");
      return super.synced();
    } catch (cause) {
      return Promise.reject(cause as Error);
    }
  }

  #act(act: "intent" | "append" | "synced"): void {
    if (this.broken.has(act)) throw new Error("the disk is full");
    this.acts.push(act);
  }
}
