/**
 * Lines of the audit's journal. A row stands as its text; an intent as `{"intent":<text>}`; `{"forget":<request>}`
 * closes an intent without a row. Every line that was acknowledged ends with a newline.
 */
import { Buffer } from "node:buffer";
import type { AuditRow } from "../../contract/audit.ts";
import type { JournaledRow } from "../../ports/audit.ts";

const NEWLINE = 0x0a;
/** Ends what is left of a line that could not be written: no line of ours ends like this. */
export const TORN_END = "~\n";

const INTENT = '{"intent":';
const FORGET = '{"forget":';
const TILDE = 0x7e;

export function rowLine(text: string): string {
  return `${text}\n`;
}

export function intentLine(text: string): string {
  return `${INTENT}${text}}\n`;
}

export function forgetLine(request: string): string {
  return `${FORGET}${JSON.stringify(request)}}\n`;
}

/** What a line says, as far as the state of a run depends on it. */
export type Line =
  | { readonly kind: "row"; readonly request: string; readonly sequence: number }
  | { readonly kind: "intent" | "forget"; readonly request: string }
  | { readonly kind: "torn" | "damaged" };

/** The first members of a row, in their order; whatever a caller says comes after them. */
const HEAD =
  /^\{"instance":"[^"\\]*","sequence":(\d{1,15}),"kind":"[a-z]+","request":"([ !#-[\]-~]*)"/;
const HEAD_BYTES = 256;

/** Looks at the start of the line only, if that is enough. */
export function lineOf(line: Buffer): Line {
  if (line.at(-1) === TILDE) return { kind: "torn" };
  const start = line.toString("latin1", 0, Math.min(HEAD_BYTES, line.length));
  if (start.startsWith(FORGET)) return forgetOf(line);
  const isIntent = start.startsWith(INTENT);
  const head = HEAD.exec(isIntent ? start.slice(INTENT.length) : start);
  if (head === null) return parsedLine(line, isIntent);
  const [, sequence, request = ""] = head;
  return isIntent
    ? { kind: "intent", request }
    : { kind: "row", request, sequence: Number(sequence) };
}

/** Whether a line is a row, or was one. */
export function isRowLine(line: Buffer): boolean {
  const start = line.toString("latin1", 0, INTENT.length);
  return start !== INTENT && start !== FORGET && line.at(-1) !== TILDE;
}

/** The row of such a line; undefined when it cannot be read. */
export function journaledRow(line: Buffer): JournaledRow | undefined {
  const text = line.toString();
  const row = rowIn(text);
  return row === undefined ? undefined : { row, text };
}

/** What the row of an intent would be; undefined when it cannot be read. */
export function intendedRow(line: Buffer): AuditRow | undefined {
  return rowIn(line.toString("utf8", INTENT.length, line.length - 1));
}

function parsedLine(line: Buffer, isIntent: boolean): Line {
  const row = isIntent ? intendedRow(line) : rowIn(line.toString());
  if (row === undefined) return { kind: "damaged" };
  const { request, sequence } = row;
  return isIntent ? { kind: "intent", request } : { kind: "row", request, sequence };
}

function forgetOf(line: Buffer): Line {
  const { forget } = parsed(line.toString()) ?? {};
  return typeof forget === "string" ? { kind: "forget", request: forget } : { kind: "damaged" };
}

function rowIn(text: string): AuditRow | undefined {
  const row = parsed(text);
  const isRow = typeof row?.["request"] === "string" && typeof row["sequence"] === "number";
  return isRow ? row as AuditRow : undefined;
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null
      ? value as Record<string, unknown>
      : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Calls back with each complete line and where it begins, until the callback returns false.
 * @returns how many bytes of the chunk were gone through
 */
export function eachLine(
  chunk: Buffer,
  visit: (line: Buffer, start: number) => boolean | void,
): number {
  let start = 0;
  for (;;) {
    const end = chunk.indexOf(NEWLINE, start);
    if (end === -1) return start;
    const goesOn = visit(chunk.subarray(start, end), start);
    start = end + 1;
    if (goesOn === false) return start;
  }
}
