/**
 * The three ledgers of a proof, joined by the nonce of each call: A is what the audit has, B what the backends got,
 * C what the clients sent and were told. `laws` says which of the laws between them are broken.
 */
import type { AuditRecord } from "../../../src/contract/audit.ts";

/** One row of the audit. `unknown` as outcome: its intent was written, its outcome never. */
export interface RowA {
  readonly nonce: string;
  readonly outcome: string;
}

/** One call as a backend got it. */
export interface RowB {
  readonly nonce: string;
  readonly tool: string;
}

/** How a call ended for its client; `left`: the client itself went away. */
export type ClientOutcome = "answered" | "error" | "broken" | "left" | "pending";

/** One call as its client saw it. */
export interface RowC {
  readonly nonce: string;
  /** Who called: one name for each client. */
  readonly who: string;
  readonly tool: string;
  /** When it was sent, milliseconds since the load began. */
  readonly at: number;
  readonly outcome: ClientOutcome;
  /** Milliseconds until it had ended; of one that is pending until somebody looked. */
  readonly ms: number;
  /** HTTP status; 0 without an answer. */
  readonly status: number;
  /** What an answer says of itself. */
  readonly answer?: { readonly nonce: string; readonly who: string };
  /** `error.code`, and `data.code`, `data.executed` and `data.backend` of it. */
  readonly code?: number;
  readonly name?: string;
  readonly executed?: string;
  readonly backend?: string;
  /** What was wrong, as far as anybody knows. */
  readonly reason?: string;
}

export interface Ledgers {
  readonly a: readonly RowA[];
  readonly b: readonly RowB[];
  readonly c: readonly RowC[];
}

export interface LawOptions {
  /** Longest time a call may take, milliseconds; law L4 grants one second more. */
  readonly deadlineMs: number;
  /** Milliseconds of a call in which the machine ran others than those that take part; none without it. */
  readonly waited?: (call: RowC) => number;
  /** Tools that may be sent twice, by the backend's own names; none without it. */
  readonly retryable?: readonly string[];
}

const LAWS = { l1, l2, l3, l4, l5, l6 };
const GRACE_MS = 1000;

/** Each breach as a line that begins with the law: `L2 call 17-4 reached its backend unrecorded`. */
export function laws(ledgers: Ledgers, options: LawOptions): string[] {
  return Object.entries(LAWS).flatMap(([name, law]) =>
    law(ledgers, options).map((breach) => `${name.toUpperCase()} ${breach}`)
  );
}

/** Rows of calls of an exported audit. Arguments must be recorded so that the nonce can be read. */
export function rowsOf(records: readonly AuditRecord[]): RowA[] {
  return records.filter(({ kind }) => kind === "call").flatMap(({ outcome, ...row }) => {
    const { nonce } = (row.arguments ?? {}) as { readonly nonce?: string };
    return nonce === undefined ? [] : [{ nonce, outcome }];
  });
}

/** Every answer has its outcome in the audit, and no other one. A refusal over HTTP was no call yet. */
function l1({ a, c }: Ledgers): string[] {
  const rows = Map.groupBy(a, ({ nonce }) => nonce);
  return c.flatMap((end) => {
    if (!isAnswer(end)) return [];
    const found = rows.get(end.nonce) ?? [];
    if (found.length !== 1) return [`answer ${end.nonce} has ${found.length} rows`];
    const recorded = found[0]?.outcome;
    if ((end.outcome === "answered") === (recorded === "ok")) return [];
    return [`call ${end.nonce} was ${end.outcome}, recorded as ${recorded}`];
  });
}

/** A backend sees no call whose intent is not written. */
function l2({ a, b }: Ledgers): string[] {
  const recorded = new Set(a.map(({ nonce }) => nonce));
  return b.filter(({ nonce }) => !recorded.has(nonce))
    .map(({ nonce }) => `call ${nonce} reached its backend unrecorded`);
}

function l3({ a }: Ledgers): string[] {
  return repeated(a).map(({ nonce, times }) => `call ${nonce} has ${times} rows`);
}

/** Everything that was sent has ended, in time. */
function l4({ c }: Ledgers, { deadlineMs, waited }: LawOptions): string[] {
  const limit = deadlineMs + GRACE_MS;
  return c.flatMap((row) => {
    const { nonce, tool, outcome, name = outcome, ms } = row;
    const call = `call ${nonce} of ${tool}`;
    if (outcome === "pending") return [`${call} is pending after ${Math.round(ms)} ms`];
    if (ms <= limit || ms - (waited?.(row) ?? 0) <= limit) return [];
    return [`${call} ended after ${Math.round(ms)} ms, later than ${limit}: ${name}`];
  });
}

/** Nothing is sent twice, and what is said not to have been executed was not. */
function l5({ b, c }: Ledgers, { retryable = [] }: LawOptions): string[] {
  const once = b.filter(({ tool }) => !retryable.includes(tool));
  const twice = repeated(once).map(({ nonce, times }) =>
    `call ${nonce} reached its backend ${times} times`
  );
  const reached = new Set(b.map(({ nonce }) => nonce));
  const denied = c.filter(({ nonce, executed }) => executed === "no" && reached.has(nonce));
  return [...twice, ...denied.map(({ nonce }) => `call ${nonce} was executed, but said not to be`)];
}

/** An answer belongs to the call it is given for, and to its caller. */
function l6({ c }: Ledgers): string[] {
  return c.flatMap(({ nonce, who, outcome, answer }) => {
    if (outcome !== "answered") return [];
    if (answer?.nonce === nonce && answer.who === who) return [];
    return [`call ${nonce} of ${who} got the answer of ${answer?.nonce} of ${answer?.who}`];
  });
}

function isAnswer({ outcome, status }: RowC): boolean {
  return outcome === "answered" || outcome === "error" && status === 200;
}

interface Repeated {
  readonly nonce: string;
  readonly times: number;
}

function repeated(rows: readonly { readonly nonce: string }[]): Repeated[] {
  return [...Map.groupBy(rows, ({ nonce }) => nonce)]
    .filter(([, found]) => found.length > 1)
    .map(([nonce, found]) => ({ nonce, times: found.length }));
}
