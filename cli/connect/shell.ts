/** Words as a person types them into a shell. */
import type { Places } from "../clients/clients.ts";

const PLAIN = /^[A-Za-z0-9_@%+=:,./-]+$/;

/** One command line: for POSIX shells, or on Windows for PowerShell. */
export function commandLine(words: readonly string[], platform: Places["platform"]): string {
  return words.map((word) => PLAIN.test(word) ? word : quoted(word, platform)).join(" ");
}

/** In single quotes, where neither shell looks at variables. */
function quoted(word: string, platform: Places["platform"]): string {
  if (platform !== "win32") return `'${word.replaceAll("'", `'\\''`)}'`;
  // A program started by PowerShell gets double quotes only when they are escaped.
  return `'${word.replaceAll("'", "''").replaceAll('"', '\\"')}'`;
}
