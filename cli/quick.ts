/**
 * Answers that need nothing but what is prepared: help, and completion of names of commands. Not even builtins
 * are imported here: those of this program take Deno longer to load than Deno takes to start.
 */
import type { Prepared, PreparedCommand } from "./prepared.ts";

/** Columns of a line where nobody says how many there are. */
const COLUMNS = 100;
/** Narrower texts are not wrapped. */
const LEAST_WRAPPED = 40;
/** How the library for completion says: no names of files. */
const NO_FILES = ":4";

interface Asked {
  readonly argv: readonly string[];
  /** Of the terminal; undefined for files and pipes. */
  columns(): number | undefined;
}

/** What the whole program would write to stdout; undefined when only it can tell. */
export function quickAnswer(
  host: Asked,
  prepared: Prepared,
): string | undefined {
  const [first = "", separator, ...words] = host.argv;
  const isHelp = (first === "--help" || first === "-h") && separator === undefined;
  if (isHelp) return help(prepared, host.columns() ?? COLUMNS);
  return first === "complete" && separator === "--" ? completion(words, prepared) : undefined;
}

function help({ help, hang, afterHelp }: Prepared, width: number): string {
  const lines = help.map((line) => {
    const isItem = line.startsWith("  ") && line.length > hang;
    const kept = isItem ? hang : 0;
    return line.slice(0, kept) + wrapped(line.slice(kept), width - kept, " ".repeat(kept));
  });
  return `${lines.join("\n")}${afterHelp}`;
}

/** As commander wraps: at spaces, words that are too long as they are. */
function wrapped(text: string, width: number, indent: string): string {
  if (width < LEAST_WRAPPED) return text;
  const lines: string[] = [];
  let line: string | undefined;
  for (const word of text.match(/\s*\S+/g) ?? []) {
    if (line !== undefined && line.length + word.length > width) {
      lines.push(line);
      line = word.trimStart();
    } else line = (line ?? "") + word;
  }
  return [...lines, line ?? ""].join(`\n${indent}`);
}

/** Options and arguments are the library's: their values may have to be looked up. */
function completion(words: readonly string[], { commands }: Prepared): string | undefined {
  const before = words.slice(0, -1);
  const typed = words.at(-1) ?? "";
  if (before.includes("") || words.some((word) => word.startsWith("-"))) return undefined;
  if (/[=\s]/.test(words.join(""))) return undefined;
  if (commandOf(before, commands)?.[2] === true) return undefined;
  const found = new Map<string, string>();
  for (const [path, description] of commands) {
    const names = path.split(" ");
    const next = names[before.length];
    const fits = before.every((word, index) => word === names[index]);
    if (fits && next?.startsWith(typed) && !found.has(next)) found.set(next, description);
  }
  const lines = Array.from(found, ([name, description]) => `${name}\t${description}`);
  return [...lines, NO_FILES, ""].join("\n");
}

/** The command that the words begin with, as far as they name one. */
function commandOf(
  words: readonly string[],
  commands: readonly PreparedCommand[],
): PreparedCommand | undefined {
  let found: PreparedCommand | undefined;
  for (let count = 1; count <= words.length; count++) {
    const path = words.slice(0, count).join(" ");
    const next = commands.find(([known]) => known === path);
    if (next === undefined) return found;
    found = next;
  }
  return found;
}
