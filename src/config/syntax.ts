import { parse, TomlError } from "smol-toml";
import { ConfigError, type FrameLine, type Issue } from "./issue.ts";
import { printable, type Table } from "./raw.ts";
import { BULLETS, looksLikeCredential } from "./credentials.ts";

/**
 * Parses TOML.
 * @throws ConfigError with the one place where parsing stopped
 */
export function parseToml(text: string, file: string): Table {
  try {
    return parse(text);
  } catch (thrown) {
    if (!(thrown instanceof TomlError)) throw thrown;
    throw new ConfigError([syntaxIssue(thrown, text, file)]);
  }
}

function syntaxIssue(error: TomlError, text: string, file: string): Issue {
  const { line, column } = error;
  const source = text.split(/\r?\n/)[line - 1] ?? "";
  const reason = /^Invalid TOML document: (.*)/.exec(error.message)?.[1] ?? error.message;
  const [message, hint] = explain(reason, source, column);
  return {
    code: "syntax",
    file,
    line,
    column,
    endColumn: column + 1,
    path: "",
    message,
    hint,
    frame: [frameLine(source, line, column)],
  };
}

/** What the parser means, and what usually helps. */
function explain(reason: string, source: string, column: number): readonly [string, string] {
  const rest = source.slice(column - 1).trim();
  if (/redefine/.test(reason)) {
    return [`${definedName(source)} is defined twice`, "remove one of the two"];
  }
  if (/^unfinished|^control characters/.test(reason)) {
    return rest === "" || reason.startsWith("unfinished")
      ? ["this text has no end", "close it with the same quotes"]
      : ["a control character in a text", "write it as \\uXXXX"];
  }
  if (/^illegal character in key|^unexpected end of key/.test(reason)) {
    return ["this is no key", keyHint(source)];
  }
  if (/^(invalid value|illegal character in numeric|illegal leading)/.test(reason)) {
    return rest === ""
      ? ["a value is missing", "write one after the ="]
      : ["this is no value", 'text needs quotes: key = "value"'];
  }
  return WORDS[reason] ?? [reason, ""];
}

const WORDS: Readonly<Record<string, readonly [string, string]>> = {
  "each key-value declaration must be followed by an end-of-line": [
    "the line goes on after the value",
    "write one key = value on each line",
  ],
  "expected comma or end of structure": [
    "a comma or a closing bracket is missing",
    "separate entries with commas and close the bracket",
  ],
  "unrecognised escape sequence": [
    "unknown escape sequence",
    "write \\\\ for a backslash, or use 'single quotes'",
  ],
  "integer value cannot be represented losslessly": [
    "this number is too large",
    "use a smaller number",
  ],
  "invalid date": ["this is no date", "write 2027-06-30; text needs quotes"],
};

function keyHint(source: string): string {
  if (/^\s*[{}]/.test(source)) return "sentinel.toml is TOML, not JSON";
  if (/^\s*\[[^\]]*$/.test(source)) return "close the header with ]";
  return 'write  key = value  or  [table]; other names need quotes: "a b" = 1';
}

function definedName(source: string): string {
  const name = /^\s*\[*\s*([^\]=]+?)\s*[\]=]/.exec(source)?.[1];
  return name === undefined ? "this key" : printable(name);
}

/** Nothing is known about a line that does not parse, so a credential is guessed by its name. */
function frameLine(source: string, line: number, column: number): FrameLine {
  const text = printable(withoutCredential(source));
  return { number: line, text, mark: { column: Math.min(column - 1, text.length), width: 1 } };
}

function withoutCredential(source: string): string {
  for (const match of source.matchAll(/([A-Za-z0-9_.-]+)["']?\s*=/g)) {
    const name = match[1]?.split(".").at(-1) ?? "";
    if (name === "value" || looksLikeCredential(name)) {
      return `${source.slice(0, match.index + match[0].length)} ${BULLETS}`;
    }
  }
  return source;
}
