/** How rows of one run hang together: each hash covers the one before it, so a change anywhere shows. */
import { type AuditRecord, type AuditRow, AuditRowSchema } from "./audit.ts";

/** SHA-256 over UTF-8 as 64 hexadecimal digits. */
type Sha256 = (text: string) => string;

/** What stands for the hash before the first row of a run. */
export function chainStart(instance: string, sha256: Sha256): string {
  return sha256(`mcp-sentinel audit ${instance}`);
}

/** Hash of a row whose text is `text`. */
export function chainHash(previous: string, text: string, sha256: Sha256): string {
  return sha256(`${previous}\n${text}`);
}

const MEMBERS = Object.keys(AuditRowSchema.entries) as (keyof AuditRow)[];

/** The text of a row that is hashed, stored and exported: members in the order of the schema. */
export function rowText(row: AuditRow | AuditRecord): string {
  const ordered: Record<string, unknown> = {};
  for (const member of MEMBERS) if (row[member] !== undefined) ordered[member] = row[member];
  return JSON.stringify(ordered);
}
