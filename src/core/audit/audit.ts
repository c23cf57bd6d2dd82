/**
 * The record of everything: an intent before a call may reach a backend, a row before its answer leaves, rows of
 * operators' acts and of refusals, and an account of what became of all of them.
 */
import { uuidv7 } from "uuidv7";
import type { AuditAccount, AuditRow } from "../../contract/audit.ts";
import { type Config, type Operation, SentinelError } from "../../contract/mod.ts";
import type { AuditJournal, AuditSink, JournaledRow } from "../../ports/audit.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Digest } from "../../ports/digest.ts";
import type { Log } from "../../ports/log.ts";
import type { Random } from "../../ports/random.ts";
import type { Telemetry } from "../../ports/telemetry.ts";
import type { Call, Outcome } from "../call/call.ts";
import { Account } from "./account.ts";
import {
  type CallEnd,
  completeDraft,
  type Draft,
  draftOf,
  endedText,
  type RowOptions,
} from "./call_row.ts";
import { Delivery } from "./delivery.ts";
import { Forms } from "./forms.ts";
import { RecordingPolicies, type RecordingPolicy } from "./policy.ts";
import { closeOpenIntents } from "./recovery.ts";
import type { Recorder } from "./recorder.ts";
import { operationRow, type Refusal, refusalRow, type Said, startRow } from "./other_rows.ts";

/** A journal that did not take what it was given is tried again after that. */
const FAILING_MS = 10_000;
const HOUR_MS = 3_600_000;
/** For the rows of the last calls, when the gateway stops. */
const STOP_MS = 5000;

/** Where the audit is kept. */
export interface AuditStores {
  readonly journal: AuditJournal;
  readonly sink: AuditSink;
}

export interface AuditOptions extends AuditStores {
  readonly digest: Digest;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly telemetry: Telemetry;
  /** Replaces secrets. */
  readonly mask: (text: string) => string;
  /** Version of the product. */
  readonly version: string;
}

/** What rows say of the gateway. */
export interface Place {
  readonly revision: () => number;
  /** Hash of the configuration in force. */
  readonly config: () => string;
}

export class Audit implements Recorder {
  readonly #options: AuditOptions;
  readonly #place: Place;
  readonly #account: Account;
  readonly #delivery: Delivery;
  #config: Config["audit"];
  #policies: RecordingPolicies;
  #forms: Forms;
  #endRetention: () => void = () => {};
  /** When the journal last failed (monotonic). */
  #failedAt = -Infinity;
  /** Number of the last row. */
  #last = 0;

  constructor(config: Config["audit"], options: AuditOptions, place: Place) {
    this.#options = options;
    this.#place = place;
    this.#config = config;
    this.#policies = new RecordingPolicies(config);
    this.#forms = new Forms(config.redact, options.digest);
    this.#account = new Account({ ...options, maxBytes: () => this.#config.journal });
    this.#delivery = new Delivery({
      ...options,
      chain: config.chain,
      queue: config.queue,
      isShort: () => this.#account.isShort,
      committed: (rows) => this.#account.committed(rows),
    });
  }

  configure(config: Config["audit"]): void {
    if (config === this.#config) return;
    this.#config = config;
    this.#policies = new RecordingPolicies(config);
    this.#forms = new Forms(config.redact, this.#options.digest);
  }

  /** Closes what a crash left open, writes the first row of this run and begins to deliver. */
  start(): void {
    const { journal, log, clock } = this.#options;
    for (const problem of journal.problems) {
      log.write("state.failed", { store: "audit journal", reason: problem });
    }
    const left = journal.leftovers.map((leftover) => closeOpenIntents(leftover, this.#account));
    const { ended } = journal;
    const before = ended && { instance: ended.instance, sequence: ended.last, closed: 0 };
    const previous = before === undefined ? left : [before, ...left];
    const unknown = previous.reduce((sum, { closed }) => sum + closed, 0);
    if (unknown > 0) log.write("audit.recovered", { calls: unknown });
    if ((journal.last ?? 0) === 0) {
      this.#write(startRow(this.#said(), { version: this.#options.version, previous }));
    }
    this.#delivery.start();
    this.#endRetention = clock.every(HOUR_MS, () => void this.#trim());
    void this.#trim();
  }

  /** Delivers what is left and closes the journal. */
  async stop(): Promise<void> {
    this.#endRetention();
    await this.#delivery.stop(STOP_MS);
    this.#options.journal.close();
    await this.#options.sink.close();
  }

  /** What became of the rows; `written = committed + queued + dropped` always. */
  account(): AuditAccount {
    return this.#account.read(this.#options.sink.kind, this.#delivery.failure);
  }

  /** The journal did not take a row lately: the next call would most likely be refused. */
  get isFailing(): boolean {
    const { clock, journal } = this.#options;
    return journal.isFailing === true || clock.monotonic() - this.#failedAt < FAILING_MS;
  }

  /** UUIDv7 of this run. */
  get run(): string {
    return this.#options.journal.instance;
  }

  /** Reads rows the store has; undefined where it cannot. */
  get reader(): AuditSink["reader"] {
    return this.#options.sink.reader;
  }

  /**
   * Writes down that a call is about to reach its backend.
   * @throws SentinelError AUDIT_UNAVAILABLE (or rejects with it)
   */
  intent(call: Call): undefined | Promise<undefined> {
    const policy = this.#policyOf(call);
    const draft = draftOf(call, this.#rowOptions(policy));
    call.draft = draft;
    if (!this.#hasRoom(policy, "no")) return undefined;
    try {
      const text = JSON.stringify(draft);
      this.#options.journal.intent(call.request, this.#options.mask(text));
      call.draftText = text;
    } catch (cause) {
      this.#failed();
      if (policy.when_full === "refuse-calls") throw unavailable(cause, "no");
      return undefined;
    }
    this.#failedAt = -Infinity;
    this.#account.opened();
    return policy.durability === "power" ? this.#synced("no") : undefined;
  }

  /**
   * Writes down how a call ended, before its answer leaves.
   * @returns the outcome to tell: a refusal when nobody may know what cannot be recorded
   */
  settled(call: Call, end: CallEnd): Outcome | Promise<Outcome> {
    const policy = this.#policyOf(call);
    const options = this.#rowOptions(policy);
    const draft = call.draft ?? draftOf(call, options);
    completeDraft(draft, call, end, options);
    try {
      // What was intended has a place: its row comes whatever the size of the journal is.
      if (!call.isIntended && !this.#hasRoom(policy, undefined)) return this.#dropped(call, end);
      this.#append(draft, call.draftText);
    } catch (cause) {
      this.#failed();
      if (policy.when_full === "refuse-calls") return this.#refused(call, end, cause);
      return this.#dropped(call, end);
    }
    if (call.isIntended) this.#account.closed();
    if (policy.durability === "process") return end.outcome;
    const executed = executedOf(call, end.outcome);
    return this.#synced(executed).then(() => end.outcome, (cause) => ({
      kind: "refused",
      error: unavailable(cause, executed),
    }));
  }

  /** An act of an operator that is over. */
  operation(operation: Operation): void {
    this.#write(operationRow(this.#said(), operation));
  }

  /** A request to the management API that was turned away. */
  refusal(refusal: Refusal): void {
    this.#write(refusalRow(this.#said(), refusal));
  }

  #failed(): void {
    this.#failedAt = this.#options.clock.monotonic();
  }

  /** The row is not kept, which is: its call is counted. */
  #dropped(call: Call, { outcome }: CallEnd): Outcome {
    this.#account.dropped(call.request);
    if (!call.isIntended) return outcome;
    this.#account.closed();
    try {
      this.#options.journal.forget(call.request);
    } catch {
      // The next run closes it as unknown: one row more than was counted, never one less.
    }
    return outcome;
  }

  /** Its intent stays open: after the next start it is closed as unknown. */
  #refused(call: Call, end: CallEnd, cause: unknown): Outcome {
    if (call.isIntended) this.#account.closed();
    return { kind: "refused", error: unavailable(cause, executedOf(call, end.outcome)) };
  }

  /** @throws SentinelError AUDIT_UNAVAILABLE when the policy is to refuse */
  #hasRoom({ when_full: whenFull }: RecordingPolicy, executed: "no" | undefined): boolean {
    if (this.#account.hasRoom()) return true;
    if (whenFull !== "refuse-calls") return false;
    throw unavailable(new Error("the journal is full"), executed);
  }

  /** What is no call is never refused for its row: it is dropped and counted. */
  #write(draft: Draft): void {
    try {
      this.#append(draft);
    } catch {
      this.#account.dropped(draft.request ?? "");
    }
  }

  /** @param before what its text was when it was about to be sent */
  #append(draft: Draft, before?: string): void {
    if (this.#account.hasGap) this.#closeGap();
    this.#journal(draft, before);
  }

  /** Tells of the rows that are missing, once the journal has room for it. */
  #closeGap(): void {
    const gap = this.#account.gap(this.#said());
    if (gap === undefined) return;
    this.#journal(gap);
    this.#account.gapWritten();
  }

  #journal(draft: Draft, before?: string): void {
    draft.sequence = (this.#options.journal.last ?? this.#last) + 1;
    const text = before === undefined ? JSON.stringify(draft) : endedText(draft, before);
    const journaled = this.#masked(draft, text);
    this.#options.journal.append(journaled);
    this.#last++;
    this.#account.written();
    this.#delivery.add(journaled);
  }

  /** Row and text, without secrets. */
  #masked(draft: Draft, text: string): JournaledRow {
    const masked = this.#options.mask(text);
    const row = masked === text ? draft as AuditRow : JSON.parse(masked) as AuditRow;
    return { row, text: masked };
  }

  async #synced(executed: "no" | "unknown"): Promise<undefined> {
    try {
      await this.#options.journal.synced();
    } catch (cause) {
      throw unavailable(cause, executed);
    }
  }

  async #trim(): Promise<void> {
    const { sink, clock, log } = this.#options;
    try {
      await sink.trim(clock.now() - this.#config.retention);
    } catch (cause) {
      log.write("audit.store_failed", {
        store: sink.kind,
        reason: String(cause),
        act: "retention",
      });
    }
  }

  #policyOf({ target, caller }: Call): RecordingPolicy {
    return this.#policies.of(target, caller.principal.roles);
  }

  #rowOptions(policy: RecordingPolicy): RowOptions {
    const { journal, digest } = this.#options;
    const config = this.#place.config();
    return { instance: journal.instance, digest, forms: this.#forms, policy, config };
  }

  #said(): Said {
    const { clock, journal } = this.#options;
    return {
      instance: journal.instance,
      request: uuidv7(),
      at: new Date(clock.now()).toISOString(),
      revision: this.#place.revision(),
      config: this.#place.config(),
    };
  }
}

/** Whether the call may have run, whatever became of its record. */
function executedOf(call: Call, outcome: Outcome): "no" | "unknown" {
  const known = outcome.kind === "refused" ? outcome.error.details.executed : undefined;
  return known ?? (call.isIntended ? "unknown" : "no");
}

function unavailable(cause: unknown, executed: "no" | "unknown" | undefined): SentinelError {
  if (cause instanceof SentinelError && cause.details.executed !== undefined) return cause;
  return new SentinelError("AUDIT_UNAVAILABLE", "Cannot record the call", {
    reason: reasonOf(cause),
    http: 200,
    ...(executed === undefined ? {} : { executed }),
  }, cause);
}

function reasonOf(cause: unknown): string {
  if (cause instanceof SentinelError) return cause.details.reason ?? cause.message;
  return cause instanceof Error ? cause.message : String(cause);
}
