/** Replaces secrets in everything that leaves the gateway beside the answers to calls. */
import { createFinder, type Range } from "./mask/finder.ts";
import { formsOf } from "./mask/forms.ts";
import { layersOf } from "./mask/layers.ts";

/** Replaces a secret in output. */
export const MASK = "«secret»";

/** Characters that JSON escapes by name: only a secret with one of them can be hidden by such an escape. */
const ESCAPED_BY_NAME = /[\b\f\n\r\t"'\\/]/;
const BY_NUMBER = /\\[ux]|%[0-9a-f]{2}/i;
const ANY_ESCAPE = /[\\%]/;

/**
 * A function that replaces every known secret in a text: as it is, with any of its characters escaped as in
 * JSON or percent-encoded, in hexadecimal digits, and in Base64 wherever in the encoded bytes it stands. A text
 * without a secret is returned itself. Time is linear in the text, however many secrets there are.
 */
export function masker(secrets: readonly string[]): (text: string) => string {
  const forms = secrets.flatMap(formsOf);
  if (forms.length === 0) return (text) => text;
  const find = createFinder(forms);
  const hides = secrets.some((secret) => ESCAPED_BY_NAME.test(secret)) ? ANY_ESCAPE : BY_NUMBER;
  return (text) => {
    const found = find(text);
    for (const { text: layer, originOf } of hides.test(text) ? layersOf(text) : []) {
      for (const { start, end } of find(layer)) {
        found.push({ start: originOf(start), end: originOf(end) });
      }
    }
    return found.length === 0 ? text : replaced(text, found);
  };
}

/** Ranges that overlap are one secret as far as anybody can tell. */
function replaced(text: string, found: Range[]): string {
  found.sort((a, b) => a.start - b.start);
  let result = "";
  let end = 0;
  for (const range of found) {
    if (range.start >= end) result += text.slice(end, range.start) + MASK;
    end = Math.max(end, range.end);
  }
  return result + text.slice(end);
}
