/** What a terminal or a log must not get from a stranger: controls, line and paragraph separators, bidi. */
const UNPRINTABLE = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

/**
 * Makes text of a backend safe to show on one line: cut to `maxLength` characters, control characters
 * written as `\u001b`.
 */
export function printable(text: string, maxLength: number): string {
  return text.slice(0, maxLength).toWellFormed().replace(UNPRINTABLE, escapeCharacter);
}

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
