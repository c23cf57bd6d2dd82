import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { RuntimeName } from "./options.ts";

const at = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url));

/** Files of this project that a run starts, as absolute paths. */
export const PROGRAMS = {
  echo: at("bench/targets/echo.ts"),
  many: at("bench/targets/many.ts"),
  bareProxy: at("bench/targets/bare_proxy.ts"),
  sdkProxy: at("bench/targets/sdk_proxy.ts"),
  trivial: at("bench/targets/trivial.mjs"),
  empty: at("bench/targets/empty.mjs"),
  gateway: at("cli/main.ts"),
  bundle: at("dist/mcp-sentinel.js"),
  core: at("dist/core.js"),
  executable: at("dist/mcp-sentinel"),
  denoExecutable: at("dist/mcp-sentinel-deno"),
  results: at("bench/RESULTS.md"),
} as const;

const BINARIES: Record<RuntimeName, readonly string[]> = {
  node: [at("node_modules/.bin/node")],
  bun: [at("node_modules/.bin/bun")],
  deno: [at("node_modules/.bin/deno"), "run", "--allow-all"],
};

/** The command that runs a program on the pinned version of a runtime. */
export function run(runtime: RuntimeName, program: string, ...args: string[]): readonly string[] {
  return [...BINARIES[runtime], program, ...args];
}

/** The version a pinned runtime reports, without decoration. */
export function versionOf(runtime: RuntimeName): string {
  const [binary = ""] = BINARIES[runtime];
  const said = execFileSync(binary, ["--version"], { encoding: "utf8" });
  return /\d+\.\d+\.\d+/.exec(said)?.[0] ?? said.trim();
}
