/** Rows of the audit for people. */
import { AUDIT_KINDS, type AuditRecord } from "../src/contract/audit.ts";
import type { Output, Style } from "./output.ts";
import type { Column } from "./table.ts";
import { milliseconds } from "./text.ts";

const NONE = "–";
const GOOD: ReadonlySet<string> = new Set(["ok", "applied", "unchanged"]);
/** The backend did what it was asked, or nobody knows: no fault of the gateway. */
const MILD: ReadonlySet<string> = new Set(["tool_error", "cancelled", "partial", "rejected"]);
const KIND_WIDTH = Math.max(...Object.keys(AUDIT_KINDS).map((kind) => kind.length));

export const AUDIT_COLUMNS: readonly Column<AuditRecord>[] = [
  { title: "TIME", text: ({ at }) => timeOf(at) },
  { title: "KIND", text: ({ kind }) => kind, wide: true },
  { title: "WHO", text: whoOf, cut: true },
  { title: "ROLES", text: ({ roles }) => roles?.join(",") ?? NONE, wide: true },
  { title: "TOOL", text: whatOf, cut: true },
  { title: "BACKEND", text: ({ backend }) => backend ?? NONE },
  { title: "OUTCOME", text: ({ outcome }) => outcome, style: styleOf },
  { title: "MS", text: ({ durationMs }) => msOf(durationMs), right: true },
  { title: "ERROR", text: ({ error }) => error ?? NONE, wide: true },
  { title: "REASON", text: ({ reason }) => reason ?? NONE, wide: true },
  { title: "ADDRESS", text: ({ address }) => address ?? NONE, wide: true },
  { title: "SESSION", text: ({ session }) => session ?? NONE, wide: true },
  { title: "PRINCIPAL", text: ({ principal }) => principal ?? NONE, wide: true },
  { title: "REQUEST", text: ({ request }) => request },
];

/** `2026-11-20 14:01:58Z call      ok            anna → gh__merge (github) 84ms  <request>`. */
export function auditLine(row: AuditRecord, { paint }: Output): string {
  const style = styleOf(row);
  const outcome = row.outcome.padEnd(14);
  return [
    paint("faint", timeOf(row.at)),
    row.kind.padEnd(KIND_WIDTH),
    style === undefined ? outcome : paint(style, outcome),
    `${whoOf(row)} → ${whatOf(row)}`,
    ...(row.backend === undefined ? [] : [`(${row.backend})`]),
    ...(row.durationMs === undefined ? [] : [milliseconds(row.durationMs)]),
    ...(row.error === undefined ? [] : [row.error]),
    paint("faint", row.request),
  ].join(" ");
}

function timeOf(at: string): string {
  return at.replace("T", " ").replace(/\.\d+/, "");
}

/** The subject: the issuer before it is the same in most rows. */
function whoOf({ principal }: AuditRecord): string {
  if (principal === undefined) return NONE;
  return principal.slice(principal.indexOf("#") + 1);
}

function whatOf({ kind, method, name }: AuditRecord): string {
  if (method === undefined) return kind;
  if (method === "tools/call" && name !== undefined) return name;
  return name === undefined ? method : `${method} ${name}`;
}

function msOf(ms: number | undefined): string {
  if (ms === undefined) return NONE;
  return ms < 10 ? ms.toFixed(1) : String(Math.round(ms));
}

function styleOf({ outcome }: AuditRecord): Style | undefined {
  if (GOOD.has(outcome)) return undefined;
  return MILD.has(outcome) ? "warning" : "error";
}
