import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { commandOf } from "../support/runtime.ts";
import { runPackaged } from "../support/servers.ts";

/** A run takes 4 s on an idle machine. */
const SUITE_MS = 120_000;

export interface Check {
  readonly scenario: string;
  readonly id: string;
  readonly status: "SUCCESS" | "FAILURE" | "WARNING" | "INFO" | "SKIPPED";
  readonly errorMessage?: string;
}

export interface SuiteRun {
  readonly code: number;
  /** What it printed. */
  readonly output: string;
  readonly scenarios: number;
  /** Every check but the mere log entries. */
  readonly checks: readonly Check[];
}

/** Which edition of the official suite: the last release, or the one that knows revision 2026-07-28. */
export type Edition = "conformance" | "conformanceModern";

/** Runs scenarios of the official suite against a Streamable HTTP endpoint; default: all. */
export function runSuite(
  url: string,
  edition: Edition = "conformance",
  scenarios: readonly string[] = ["--suite", "all"],
): Promise<SuiteRun> {
  return run(edition, ["server", "--url", url, ...scenarios]);
}

export interface ClientScenario {
  readonly name: string;
  /** How the gateway is driven: see `client_harness.ts`. */
  readonly mode: "auto" | "legacy";
  /** Revision of the server; absent: the one the scenario is about. */
  readonly revision?: string;
}

/** Runs a scenario of the official suite with the gateway as the client under test, on this runtime. */
export function runClientScenario({ name, mode, revision }: ClientScenario): Promise<SuiteRun> {
  const { command, args } = commandOf("tests/conformance/client_harness.ts", [mode]);
  const line = [command, ...args].join(" ");
  const version = revision === undefined ? [] : ["--spec-version", revision];
  return run("conformanceModern", ["client", "--command", line, "--scenario", name, ...version]);
}

export function failed({ checks }: SuiteRun): readonly Check[] {
  return checks.filter(({ status }) => status === "FAILURE");
}

/** Scenario and name of every check that passed, as often as it did. */
export function passed({ checks }: SuiteRun): readonly string[] {
  return checks
    .filter(({ status }) => status === "SUCCESS")
    .map(({ scenario, id }) => `${scenario} ${id}`);
}

/** What passed in the first run and not, or less often, in the second one. */
export function missing(first: SuiteRun, second: SuiteRun): readonly string[] {
  const left = [...passed(second)];
  return passed(first).filter((check) => {
    const at = left.indexOf(check);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}

async function run(edition: Edition, args: readonly string[]): Promise<SuiteRun> {
  const directory = await mkdtemp(join(tmpdir(), "conformance-"));
  try {
    const { code, stdout, stderr } = await runPackaged(
      edition,
      [...args, "--output-dir", directory],
      // Its own: a runtime keeps what it has compiled there.
      homedir(),
      SUITE_MS,
    );
    const scenarios = (await readdir(directory)).sort();
    const checks = await Promise.all(scenarios.map((name) => readChecks(directory, name)));
    return { code, output: stdout + stderr, scenarios: scenarios.length, checks: checks.flat() };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function readChecks(directory: string, folder: string): Promise<Check[]> {
  const text = await readFile(join(directory, folder, "checks.json"), "utf8");
  // A folder is called server-NAME-TIME; that of a client scenario has no prefix.
  const scenario = folder.replace(/^server-/, "").replace(/-\d{4}-\d\d-\d\dT.*$/, "");
  return (JSON.parse(text) as Check[])
    .filter(({ status }) => status !== "INFO")
    .map(({ id, status, errorMessage = "" }) => ({ scenario, id, status, errorMessage }));
}
