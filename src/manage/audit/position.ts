/** Where a page of the audit ends, as a text that is given back to go on. */
import type { AuditRecord } from "../../contract/audit.ts";
import type { AuditPosition } from "../../ports/audit.ts";
import { invalid } from "../input.ts";

const POSITION = /^(\d{1,15})-(\d{1,15})-([0-9a-z-]{1,64})$/;

export function positionOf({ at, instance, sequence }: AuditRecord): AuditPosition {
  return { at: Date.parse(at), instance, sequence };
}

export function positionText({ at, instance, sequence }: AuditPosition): string {
  return `${at}-${sequence}-${instance}`;
}

/** @throws SentinelError INVALID_PARAMS */
export function parsePosition(text: string): AuditPosition {
  const [, at, sequence, instance] = POSITION.exec(text) ?? [];
  if (instance !== undefined) return { at: Number(at), sequence: Number(sequence), instance };
  throw invalid('Query parameter "after" cannot be used: it is not the `next` of a page before');
}
