/** Executables: one file with a runtime and the command inside. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import process from "node:process";
import { permissionFlags } from "../../cli/permissions.ts";
import { ROOT } from "../../tests/arch/source_files.ts";
import { buildCli, CLI_BUNDLE } from "./bundles.ts";
import { baseProblem } from "./deno_base.ts";
import { BuildError, type Ran, runTool, type Variables } from "./tool.ts";

export interface Compilation {
  /** Where to; on and for Windows `.exe` is added. Its folder must exist. */
  readonly outfile: string;
  /** Another platform, as the runtime calls it: `bun-linux-arm64`, `aarch64-apple-darwin`. */
  readonly target?: string | undefined;
  /** Another program than the command. */
  readonly entry?: string;
  /** Added to the environment of the runtime: `DENORT_BIN`. */
  readonly env?: Variables;
}

/** Compiles with Bun and gives the path of the file. @throws BuildError with what Bun said */
export async function compileBun(compilation: Compilation): Promise<string> {
  const { target, entry } = compilation;
  const outfile = fileOf(compilation);
  const ran = await inFolder(async (folder) => {
    if (entry === undefined) await buildCli(folder, { followed: true });
    return await runTool("bun", [
      "build",
      "--compile",
      ...(target === undefined ? [] : [`--target=${target}`]),
      ...BUN_OPTIONS,
      entry ?? join(folder, basename(CLI_BUNDLE)),
      "--outfile",
      outfile,
    ]);
  });
  if (ran.code !== 0) throw new BuildError(`Cannot compile with Bun: ${said(ran)}`);
  return outfile;
}

const BUN_OPTIONS = [
  // Names stay: stack traces are readable.
  "--minify-syntax",
  "--minify-whitespace",
  // Parsed when it is built, not when it starts, part by part as they are needed; only this format may await at
  // its top.
  "--bytecode",
  "--splitting",
  "--format=esm",
  // A folder that a gateway happens to be started in must not decide what its variables are.
  "--no-compile-autoload-dotenv",
  "--no-compile-autoload-bunfig",
];

/**
 * Compiles with Deno, with the permissions of the table, and gives the path of the file.
 *
 * What goes in is the bundle of `npm run build` and nothing else. `deno compile --bundle` would put all of it into
 * one file, which takes three times as long to start: every builtin that any part wants is loaded first.
 * @throws BuildError: Deno's base binary is missing, and how to supply it, or what Deno said
 */
export async function compileDeno(compilation: Omit<Compilation, "entry">): Promise<string> {
  const { target, env = {} } = compilation;
  const outfile = fileOf(compilation);
  const args = [
    "compile",
    // The settings of the repository are for its sources.
    "--no-config",
    "--no-check",
    ...(target === undefined ? [] : [`--target=${target}`]),
    ...permissionFlags(),
    `--output=${outfile}`,
    basename(CLI_BUNDLE),
  ];
  const ran = await inFolder(async (cwd) => {
    await buildCli(cwd, { followed: true });
    return await runTool("deno", args, { cwd, env });
  });
  if (ran.code === 0) return outfile;
  const problem = await baseProblem({ ran, target, env });
  throw new BuildError(problem ?? `Cannot compile with Deno: ${said(ran)}`);
}

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "sentinel-compile-"));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function fileOf({ outfile, target }: Compilation): string {
  const forWindows = target === undefined ? process.platform === "win32" : /windows/.test(target);
  const path = resolve(outfile);
  return forWindows && !path.endsWith(".exe") ? `${path}.exe` : path;
}

/** What a runtime complained of, without its progress. */
function said({ code, stderr }: Ran): string {
  if (code === undefined) return stderr.trim() || "no end within five minutes";
  const lines = stderr.split("\n");
  const first = lines.findIndex((line) => /^error\b/i.test(line));
  return lines.slice(Math.max(0, first)).join("\n").trim();
}

/** Where an executable goes unless it is said. */
export function defaultOutfile(runtime: "bun" | "deno", target: string | undefined): string {
  const name = runtime === "bun" ? "mcp-sentinel" : "mcp-sentinel-deno";
  return join(ROOT, "dist", target === undefined ? name : `${name}-${target}`);
}
