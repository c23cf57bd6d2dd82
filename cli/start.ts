/** What `up`, `server` and `stdio` have in common: start, wait for the end, exit code. */
import { homedir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { ConfigError } from "../src/config/issue.ts";
import type { ParsedConfig } from "../src/config/parse.ts";
import { printIssues } from "./config_file.ts";
import { plainIssue } from "../src/config/format.ts";
import { CommandFailed, EXIT } from "./exit.ts";
import type { Gateway, Io } from "./io.ts";
import type { Output } from "./output.ts";

/** Runs `load`; a wrong configuration is printed and becomes the exit code. */
export async function orExitCode<Loaded>(
  output: Output,
  load: () => Promise<Loaded>,
): Promise<Loaded | number> {
  try {
    return await load();
  } catch (thrown) {
    if (!(thrown instanceof ConfigError)) throw thrown;
    const code = thrown.unsafe ? EXIT.unsafe : EXIT.badConfig;
    if (!output.isJson) printIssues(thrown, output);
    else {
      const items = thrown.issues.map(plainIssue);
      output.json("error", { code, message: thrown.message, hint: "mcp-sentinel validate", items });
    }
    return code;
  }
}

/** Starts the gateway of a configuration. */
export async function start(parsed: ParsedConfig, io: Io, listen: boolean): Promise<Gateway> {
  const { config, secrets, notices } = parsed;
  const { startGateway } = await io.loadHost();
  return await startGateway({ config, secrets, notices, listen, stateDir: stateFolder(io) });
}

/** A failed start in words, for everything the system may refuse when asked to listen. */
export function startFailure(thrown: unknown, address: string): unknown {
  const code = codeOf(thrown);
  if (code === "EADDRINUSE") {
    const hint = "another gateway may be running; --listen takes another address";
    return new CommandFailed(EXIT.failed, `${address} is taken`, hint);
  }
  if (code === "EACCES" || code === "EPERM") {
    const hint = "ports below 1024 are for root; --listen takes another address";
    return new CommandFailed(EXIT.failed, `not allowed to listen on ${address}`, hint);
  }
  if (code === "EADDRNOTAVAIL" || code === "ENOTFOUND") {
    const hint = "--listen 127.0.0.1:8808 is on every machine";
    return new CommandFailed(EXIT.failed, `this machine has no address ${address}`, hint);
  }
  // Something else the system refused; what has no code is a defect.
  return code === undefined ? thrown : new CommandFailed(EXIT.failed, (thrown as Error).message);
}

/** The system's name for a failure. */
export function codeOf(thrown: unknown): string | undefined {
  const code = thrown instanceof Error ? (thrown as NodeJS.ErrnoException).code : undefined;
  return typeof code === "string" ? code : undefined;
}

/** Waits until the gateway has drained and stopped; the signal that asked for it is the exit code. */
export async function exitCodeOf(ended: Promise<unknown>): Promise<number> {
  let code: number = EXIT.done;
  const interrupted = () => void (code = EXIT.interrupted);
  const terminated = () => void (code = EXIT.terminated);
  // The gateway's own handlers do the work; these only remember which signal it was.
  process.once("SIGINT", interrupted);
  process.once("SIGTERM", terminated);
  try {
    await ended;
    return code;
  } finally {
    process.off("SIGINT", interrupted);
    process.off("SIGTERM", terminated);
  }
}

function stateFolder({ env }: Io): string {
  if (process.platform === "win32" && env["LOCALAPPDATA"]) {
    return join(env["LOCALAPPDATA"], "mcp-sentinel");
  }
  const state = env["XDG_STATE_HOME"] || join(env["HOME"] ?? homedir(), ".local", "state");
  return join(state, "mcp-sentinel");
}
