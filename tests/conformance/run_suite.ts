import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runPackaged } from "../support/servers.ts";

/** The suite takes 3 s on an idle machine. */
const SUITE_MS = 120_000;

export interface Check {
  readonly scenario: string;
  readonly id: string;
  readonly status: "SUCCESS" | "FAILURE" | "WARNING" | "INFO" | "SKIPPED";
  readonly errorMessage?: string;
}

export interface SuiteRun {
  readonly code: number;
  readonly scenarios: number;
  /** Every check but the mere log entries. */
  readonly checks: readonly Check[];
}

/** Runs every scenario of the official suite against a Streamable HTTP endpoint. */
export async function runSuite(url: string): Promise<SuiteRun> {
  const directory = await mkdtemp(join(tmpdir(), "conformance-"));
  try {
    const args = ["server", "--url", url, "--suite", "all", "--output-dir", directory];
    const { code } = await runPackaged("conformance", args, directory, SUITE_MS);
    const scenarios = await readdir(directory);
    const checks = await Promise.all(scenarios.map((name) => readChecks(directory, name)));
    return { code, scenarios: scenarios.length, checks: checks.flat() };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function readChecks(directory: string, folder: string): Promise<Check[]> {
  const text = await readFile(join(directory, folder, "checks.json"), "utf8");
  // A folder is called server-NAME-TIME.
  const scenario = folder.replace(/^server-/, "").replace(/-\d{4}-\d\d-\d\dT.*$/, "");
  return (JSON.parse(text) as Check[])
    .filter(({ status }) => status !== "INFO")
    .map(({ id, status, errorMessage = "" }) => ({ scenario, id, status, errorMessage }));
}
