/** The official conformance suite: where it is, and what it says of an endpoint. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import process from "node:process";
import { findCommand } from "../process/command.ts";

const PACKAGE = "@modelcontextprotocol/conformance";
/** The one that is fetched when none is installed. */
export const SUITE_VERSION = "0.1.16";
/** A run takes seconds, and a first download its time. */
const SUITE_MS = 180_000;
const MAX_OUTPUT = 16 * 1024 * 1024;

/** How it is started, and where it comes from. */
export interface SuiteProgram {
  readonly words: readonly string[];
  /** For people. */
  readonly origin: string;
}

export interface SuiteRun {
  /** Scenario and check of everything that was judged, with its outcome. */
  readonly checks: readonly SuiteCheck[];
  /** What it printed; at most some megabytes. */
  readonly output: readonly string[];
}

export interface SuiteCheck {
  readonly name: string;
  readonly passed: boolean;
}

/** Installed at or above a folder, else by way of npx; undefined when there is neither. */
export function findSuite(cwd: string): SuiteProgram | undefined {
  const installed = installedAt(cwd);
  const runner = runtimeWords();
  if (installed !== undefined && runner !== undefined) {
    return { words: [...runner, installed], origin: "as installed" };
  }
  const npx = findCommand("npx", { env: { PATH: process.env["PATH"] ?? "" } });
  if ("failure" in npx) return undefined;
  return {
    words: [npx.path, "--yes", `${PACKAGE}@${SUITE_VERSION}`],
    origin: `${SUITE_VERSION} by npx`,
  };
}

function installedAt(folder: string): string | undefined {
  const file = join(folder, "node_modules", PACKAGE, "dist", "index.js");
  if (existsSync(file)) return file;
  return dirname(folder) === folder ? undefined : installedAt(dirname(folder));
}

/** What runs a script here; undefined where this program is an executable of its own and there is no Node. */
function runtimeWords(): readonly string[] | undefined {
  const { execPath } = process;
  const name = basename(execPath).replace(/\.exe$/, "");
  if (name === "node" || name === "bun") return [execPath];
  if (name === "deno") return [execPath, "run", "--allow-all", "--quiet"];
  const node = findCommand("node", { env: { PATH: process.env["PATH"] ?? "" } });
  return "path" in node ? [node.path] : undefined;
}

/** Runs all of it against a Streamable HTTP endpoint. Resolves also when it could not be run: no checks then. */
export async function runSuite(
  { words }: SuiteProgram,
  url: string,
  signal: AbortSignal,
): Promise<SuiteRun> {
  const folder = await mkdtemp(join(tmpdir(), "sentinel-suite-"));
  try {
    const [program = "", ...args] = words;
    const line = [...args, "server", "--url", url, "--suite", "all", "--output-dir", folder];
    const output = await run(program, line, signal);
    const scenarios = (await readdir(folder)).toSorted();
    const checks = await Promise.all(scenarios.map((name) => checksIn(folder, name)));
    return {
      checks: checks.flat(),
      output: output.split("\n").filter((line) => line.trim() !== ""),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Its exit code says only that some check failed. */
function run(program: string, args: readonly string[], signal: AbortSignal): Promise<string> {
  const options = { timeout: SUITE_MS, maxBuffer: MAX_OUTPUT, signal };
  return new Promise((resolve) => {
    execFile(program, args, options, (error, stdout, stderr) => {
      const failure = error === null ? "" : `\n${error.message.split("\n")[0]}`;
      resolve(`${stdout}${stderr}`.trim() || failure.trim());
    });
  });
}

async function checksIn(folder: string, name: string): Promise<readonly SuiteCheck[]> {
  const text = await readFile(join(folder, name, "checks.json"), "utf8").catch(() => "[]");
  // A folder is called server-NAME-TIME.
  const scenario = name.replace(/^server-/, "").replace(/-\d{4}-\d\d-\d\dT.*$/, "");
  const rows = JSON.parse(text) as readonly { readonly id: string; readonly status: string }[];
  return rows.filter(({ status }) => status === "SUCCESS" || status === "FAILURE")
    .map(({ id, status }) => ({ name: `${scenario} ${id}`, passed: status === "SUCCESS" }));
}
