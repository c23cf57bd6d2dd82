/**
 * `npm run compile:bun`, `npm run compile:deno`, `deno task compile`: the command as one executable file.
 *
 *     compile.ts <bun | deno> [--target <platform>] [--output <file>]
 */
import { mkdir, stat } from "node:fs/promises";
import { dirname, relative } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { type Compilation, compileBun, compileDeno, defaultOutfile } from "./executables.ts";
import { BuildError } from "./tool.ts";

const COMPILERS = { bun: compileBun, deno: compileDeno };

try {
  const { runtime, compilation } = readOptions(process.argv.slice(2));
  await mkdir(dirname(compilation.outfile), { recursive: true });
  const file = await COMPILERS[runtime](compilation);
  const mebibytes = Math.round((await stat(file)).size / 1024 / 1024);
  console.log(`${relative(process.cwd(), file)}  ${mebibytes} MiB`);
} catch (cause) {
  if (!(cause instanceof BuildError) && !isMisused(cause)) throw cause;
  console.error(`error: ${cause.message}`);
  process.exitCode = 1;
}

/** What `parseArgs` throws for an option it does not know. */
function isMisused(cause: unknown): cause is Error {
  return cause instanceof Error && "code" in cause &&
    String(cause.code).startsWith("ERR_PARSE_ARGS");
}

interface Wanted {
  readonly runtime: keyof typeof COMPILERS;
  readonly compilation: Compilation;
}

function readOptions(args: string[]): Wanted {
  const { values: { target, output }, positionals: [runtime, ...more] } = parseArgs({
    args,
    allowPositionals: true,
    options: { target: { type: "string" }, output: { type: "string" } },
  });
  if ((runtime !== "bun" && runtime !== "deno") || more.length > 0) {
    throw new BuildError("Cannot compile: name one runtime, bun or deno");
  }
  const outfile = output ?? defaultOutfile(runtime, target);
  return { runtime, compilation: { outfile, target } };
}
