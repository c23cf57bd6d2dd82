/** What the audit keeps: one row for each call, each operation, each refusal, and for what it had to drop. */
import * as v from "valibot";
import { amount, count, flag, list, maybe, moment, namesOf, oneOf, text } from "./describe.ts";

export const AUDIT_KINDS = {
  call: "One request of a client that could have reached a backend.",
  operation: "One act of an operator, with its revisions before and after.",
  refusal:
    "A request that was turned away before there was a call: sign-in, or the management API.",
  start: "The gateway was started; names the runs before it whose rows it has delivered.",
  gap: "Rows that were dropped because the journal was full or could not be written.",
} as const;

/** How a call ended that was cut off by a crash: nobody knows what the backend did. */
export const UNKNOWN_OUTCOME = "unknown";

/** Outcome of a row of kind `gap`. */
export const GAP_OUTCOME = "dropped";

/** From the era of the client to that of the backend. */
export const BRIDGES = ["legacy-to-modern", "modern-to-legacy"] as const;
export type Bridge = (typeof BRIDGES)[number];

/**
 * One row, without its place in the chain. The text that is hashed, stored and exported is the JSON of it,
 * members in this order, absent ones left out.
 */
const row = {
  instance: text("UUIDv7 of one run of a gateway: rows are numbered and chained within it."),
  sequence: count("1, 2, 3, … without a gap within its run."),
  kind: oneOf(namesOf(AUDIT_KINDS), "What the row is about."),
  request: text("UUIDv7 of the call, operation or request; the same in error data and log."),
  trace: maybe(text("W3C trace id of the call, the caller's or a new one, 32 hex digits.")),
  at: moment("When it began."),
  principal: maybe(text("Issuer and subject of the caller, or the name of an operator's token.")),
  roles: maybe(list(v.string(), "Roles of the caller.")),
  client: maybe(text("Name and version the client gave itself.")),
  address: maybe(text("Address of the caller.")),
  session: maybe(text("Id of the session as `/sessions` shows it.")),
  transport: maybe(text("Front it came by.")),
  era: maybe(oneOf(["legacy", "modern"], "Era of the client's protocol revision.")),
  protocol: maybe(text("Protocol revision of the client.")),
  method: maybe(text("MCP method, or the operation.")),
  name: maybe(
    text("Exposed tool or prompt name, or URI, as the caller gave it; target of an operation."),
  ),
  backend: maybe(text("Who was to answer.")),
  backendProtocol: maybe(text("Protocol revision spoken with it.")),
  definition: maybe(
    text("SHA-256 over the canonical definition of the tool or prompt that was called."),
  ),
  revision: count("Revision of the gateway: of its configuration, policy and catalog."),
  config: maybe(text("Hash of the configuration in force.")),
  arguments: maybe(v.pipe(v.unknown(), v.description("As `audit.arguments` says."))),
  result: maybe(v.pipe(v.unknown(), v.description("As `audit.results` says."))),
  outcome: text(
    "As in the metric label `sentinel_outcome`, or of an operation; `unknown` after a crash.",
  ),
  error: maybe(text("Stable code of a refusal or failure.")),
  reason: maybe(text("More about why; of an operation the words of who asked.")),
  executed: maybe(oneOf(["no", "unknown"], "Whether a failed call may have reached the backend.")),
  decisions: maybe(list(v.string(), "What rules, limits and checks decided, in order.")),
  bridge: maybe(oneOf(BRIDGES, "Between which eras it was translated; missing within one.")),
  rounds: maybe(count("How often the caller was asked something before the answer.")),
  durationMs: maybe(amount("From its arrival to its answer; missing when nobody knows.")),
  backendMs: maybe(amount("What of it the backend took.")),
  requestBytes: maybe(count("Size of the parameters.")),
  resultBytes: maybe(count("Size of the result.")),
  details: maybe(
    v.pipe(v.record(v.string(), v.unknown()), v.description("What only this kind of row has.")),
  ),
};

export const AuditRowSchema = v.object(row);
export type AuditRow = v.InferOutput<typeof AuditRowSchema>;

/** A row as a store gives it back. */
export const AuditRecordSchema = v.object({
  ...row,
  hash: maybe(
    text("SHA-256 over the hash of the row before and this row; missing without a chain."),
  ),
});
export type AuditRecord = v.InferOutput<typeof AuditRecordSchema>;

/** One run of a gateway as the store has it. */
export const AuditRunSchema = v.object({
  instance: text("UUIDv7 of the run."),
  first: count("Number of its oldest row; without rows the one after the last that was removed."),
  last: count("Number of its newest row; without rows that of the last that was removed."),
  rows: count("Rows there are; fewer than the numbers say when some are missing."),
  trimmed: maybe(
    v.pipe(
      v.object({
        sequence: count("Number of the last row that was removed."),
        hash: text("Its hash; empty without a chain."),
      }),
      v.description("Where retention has cut; missing when it has not."),
    ),
  ),
});
export type AuditRun = v.InferOutput<typeof AuditRunSchema>;

/** The numbers that prove nothing was lost: `written = committed + queued + dropped`. */
export const AuditAccountSchema = v.object({
  store: oneOf(["sqlite", "postgres", "neon", "stdout", "off"], "Where rows are delivered to."),
  written: count("Rows since the start, those found in the journal included."),
  committed: count("Rows the store has."),
  queued: count("Rows that wait in the journal."),
  dropped: count("Rows that were given up, each counted in a row of kind `gap`."),
  open: count("Calls under way: their intent is in the journal, their outcome not yet."),
  journalBytes: count("Size of the journal."),
  journalMaxBytes: count("Size at which `audit.when_full` decides."),
  ok: flag("Whether the store takes what it gets."),
  error: maybe(text("Why not.")),
});
export type AuditAccount = v.InferOutput<typeof AuditAccountSchema>;
