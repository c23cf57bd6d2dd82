/** Runs a command in a process group of its own, within a time limit. */
import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { ROOT } from "../tests/arch/source_files.ts";

export interface Finished {
  /** Exit code; undefined when a signal or the limit ended it. */
  readonly code: number | undefined;
  readonly timedOut: boolean;
  /** Standard output and standard error, as they came. */
  readonly output: string;
  readonly ms: number;
}

const OUTPUT_LIMIT = 8_000_000;
/** How long output may still arrive after the exit. */
const DRAIN_MS = 500;
const running = new Set<ChildProcess>();

/** Resolves when the command, with `env` beside the own environment, has ended; at `limitMs`, and after its exit, its group is killed. */
export async function runGroup(
  command: string,
  args: readonly string[],
  limitMs: number,
  env: NodeJS.ProcessEnv = {},
): Promise<Finished> {
  const started = performance.now();
  const child = spawn(command, args, {
    cwd: ROOT,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, NO_COLOR: "1", RUST_BACKTRACE: "0", ...env },
  });
  running.add(child);
  const output = collect(child);
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    killGroup(child);
  }, limitMs);
  const code = await ended(child);
  clearTimeout(timer);
  running.delete(child);
  killGroup(child);
  return { code, timedOut, output: output(), ms: performance.now() - started };
}

function collect(child: ChildProcess): () => string {
  let text = "";
  const take = (chunk: string) => {
    if (text.length < OUTPUT_LIMIT) text += chunk;
  };
  child.stdout?.setEncoding("utf8").on("data", take);
  child.stderr?.setEncoding("utf8").on("data", take);
  child.on("error", (cause) => take(`Cannot start the command: ${cause.message}\n`));
  return () => text;
}

function ended(child: ChildProcess): Promise<number | undefined> {
  return new Promise((resolve) => {
    child.on("error", () => resolve(undefined));
    child.on("close", (code) => resolve(code ?? undefined));
    // A process left behind can hold the pipes open for ever.
    child.on("exit", (code) => setTimeout(() => resolve(code ?? undefined), DRAIN_MS).unref());
  });
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ESRCH") throw cause;
  }
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.once(signal, () => {
    for (const child of running) killGroup(child);
    process.exit(1);
  });
}
