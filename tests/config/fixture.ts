/** Broken configurations of `tests/fixtures/configs`, each with what must be said about it. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const FIXTURES = fileURLToPath(new URL("../fixtures/configs/", import.meta.url));

/** Variables the fixtures refer to. */
export const FIXTURE_ENV: Readonly<Record<string, string>> = {
  EMPTY: "",
  TOKEN: "0123456789abcdef0123456789abcdef",
  LONG_SECRET: "0123456789abcdef0123456789abcdef",
  SHORT_SECRET: "hunter2hunter2",
  REDIS_URL: "redis://127.0.0.1:6379",
  N8N_TOKEN: "n8n-token-of-the-environment",
};

export interface ExpectedIssue {
  readonly line: number;
  readonly column: number;
  readonly endColumn: number;
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}

export interface Fixture {
  readonly name: string;
  readonly expected: readonly ExpectedIssue[];
}

/**
 * Reads all fixtures. Their first lines are the expectation, three for each issue:
 * `#! line:column-endColumn code path`, `#!   message`, `#!   hint`.
 */
export function readFixtures(): Fixture[] {
  const names = readdirSync(FIXTURES).filter((name) => name.endsWith(".toml")).sort();
  return names.map((name) => ({
    name,
    expected: expectedIn(readFileSync(FIXTURES + name, "utf8")),
  }));
}

function expectedIn(text: string): ExpectedIssue[] {
  const lines = text.split("\n").filter((line) => line.startsWith("#!"));
  return lines.flatMap((line, index) => {
    const [, at, from, to, code] = /^#! (\d+):(\d+)-(\d+) (\w+)/.exec(line) ?? [];
    if (code === undefined) return [];
    const message = lines[index + 1]?.slice(2).trim() ?? "";
    const hint = lines[index + 2]?.slice(2).trim() ?? "";
    return [{ line: Number(at), column: Number(from), endColumn: Number(to), code, message, hint }];
  });
}
