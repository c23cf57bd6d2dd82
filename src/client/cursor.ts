/** Cursors of the event log: decimal numbers, as texts because they outgrow a double. */

export function isCursor(text: string): boolean {
  return /^(0|[1-9]\d{0,15})$/.test(text);
}

export function isAhead(cursor: string, other: string): boolean {
  return BigInt(cursor) > BigInt(other);
}

/** The cursor after which `cursor` is the next. */
export function justBefore(cursor: string): string {
  return cursor === "0" ? cursor : String(BigInt(cursor) - 1n);
}
