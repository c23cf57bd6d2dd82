/**
 * Which request an over-long line would have answered, so that its caller hears about it instead of
 * waiting. Servers write the id either first (Python SDK) or last (TypeScript SDK).
 */
const ID_FIRST =
  /^\s*\{\s*"jsonrpc"\s*:\s*"2\.0"\s*,\s*"id"\s*:\s*(\d{1,15})\s*,\s*"(?:result|error)"/;
const ANSWER = /^\s*\{\s*(?:"jsonrpc"\s*:\s*"2\.0"\s*,\s*)?"(?:result|error)"/;
const ID_LAST = /,\s*"id"\s*:\s*(\d{1,15})\s*\}\s*$/;

/** The id of an answer that begins with it. */
export function idFirst(head: string): number | undefined {
  return toId(ID_FIRST.exec(head));
}

/** The id of an answer that ends with it; `head` shows that it is an answer. */
export function idLast(head: string, tail: string): number | undefined {
  return ANSWER.test(head) ? toId(ID_LAST.exec(tail)) : undefined;
}

function toId(match: RegExpExecArray | null): number | undefined {
  return match === null ? undefined : Number(match[1]);
}
