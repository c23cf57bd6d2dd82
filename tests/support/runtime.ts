/** Which runtime runs the tests, and how a program is started on it or on another one. */
import { existsSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export type Runtime = "node" | "deno" | "bun";

/** A program and its arguments, as `spawn` takes them. */
export interface Command {
  readonly command: string;
  readonly args: readonly string[];
}

export const REPOSITORY: string = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

const host = globalThis as typeof globalThis & { Deno?: unknown; Bun?: unknown };

/** The runtime this test runs on. */
export const RUNTIME: Runtime = host.Deno !== undefined
  ? "deno"
  : host.Bun !== undefined
  ? "bun"
  : "node";

/** Path of a pinned runtime. The file itself, not a link: its process id has to be the program's. */
export function executable(runtime: Runtime): string {
  const name = join(REPOSITORY, "node_modules", ".bin", runtime);
  if (!existsSync(name)) throw new Error(`Run "npm ci" first: "${name}" is missing`);
  return realpathSync(name);
}

/** How a TypeScript file of this repository runs on a runtime. */
export function commandOf(
  file: string,
  args: readonly string[] = [],
  runtime: Runtime = RUNTIME,
): Command {
  const options = runtime === "deno" ? ["run", "--allow-all", "--quiet"] : [];
  return { command: executable(runtime), args: [...options, join(REPOSITORY, file), ...args] };
}
