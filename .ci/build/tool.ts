/** Starts a runtime's own builder, quietly: what it says is shown when it fails. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { ROOT } from "../../tests/arch/source_files.ts";

/** Downloads of a runtime included. */
const LIMIT_MS = 300_000;
const MAX_OUTPUT_BYTES = 4_000_000;

/** The message says what could not be built and why, for the person who asked for it. */
export class BuildError extends Error {}

export interface Ran {
  /** The runtime's exit code; undefined when it was ended after five minutes, or could not be started. */
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  /** Added to the environment; undefined takes a variable away. */
  readonly env?: Variables;
}

export type Variables = Readonly<Record<string, string | undefined>>;

/** Runs the pinned `deno` or `bun` to its end. Never rejects. */
export function runTool(
  runtime: "bun" | "deno",
  args: readonly string[],
  { cwd = ROOT, env = {} }: RunOptions = {},
): Promise<Ran> {
  const options = {
    cwd,
    env: { ...process.env, NO_COLOR: "1", RUST_BACKTRACE: "0", ...env },
    timeout: LIMIT_MS,
    maxBuffer: MAX_OUTPUT_BYTES,
  };
  return new Promise((resolve) => {
    execFile(
      join(ROOT, "node_modules", ".bin", runtime),
      args,
      options,
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === "number" ? error.code : undefined;
        resolve({ code, stdout, stderr: stderr === "" ? error?.message ?? "" : stderr });
      },
    );
  });
}
