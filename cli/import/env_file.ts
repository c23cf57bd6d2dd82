/** `sentinel.env`: the literal credentials of an import, for `--env-file`. */
import { parseEnv } from "node:util";

const PLAIN = /^[\w./:@+=,%~-]+$/;
/** Nothing that begins a quote or comment, or that is cut off at an end. */
const BARE = /^[^\s'"`#][^\r\n#]*$/;

/**
 * A line for a variable, in a spelling that the parsers of all three runtimes read alike; undefined when there
 * is none: they disagree about quotes within quotes and backslashes before them.
 */
export function envLine(name: string, value: string): string | undefined {
  const text = spelled(value);
  return text === undefined ? undefined : `${name}=${text}\n`;
}

/** The variables of such a file. */
export function envOf(text: string): ReadonlyMap<string, string> {
  return new Map(Object.entries(parseEnv(text)).map(([name, value]) => [name, value ?? ""]));
}

function spelled(value: string): string | undefined {
  if (PLAIN.test(value)) return value;
  if (/[\0\r]/.test(value)) return undefined;
  const quote = ["'", '"', "`"].find((mark) => mayQuote(mark, value));
  if (quote !== undefined) return `${quote}${value}${quote}`;
  return BARE.test(value) && !/\s$/.test(value) ? value : undefined;
}

function mayQuote(mark: string, value: string): boolean {
  if (value.includes(mark) || value.endsWith("\\")) return false;
  // Double quotes have escape sequences.
  return mark !== '"' || !value.includes("\\");
}
