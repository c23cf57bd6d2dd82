import { build, type BuildOptions, type BuildResult } from "esbuild";

export const CLI_BUNDLE = "dist/mcp-sentinel.js";
export const CORE_BUNDLE = "dist/core.js";

const SHARED: BuildOptions = {
  bundle: true,
  format: "esm",
  target: "es2024",
  // Names stay as they are: stack traces are readable, and nothing has to put them back while the program starts.
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: "none",
  logLevel: "silent",
};

/** CommonJS packages of the bundle ask for builtins through `require`, which modules do not have. */
const REQUIRE =
  'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);';

/**
 * Writes the CLI's bundle; gives the bundler's warnings. What a command loads later stays in parts of its own:
 * in one file a runtime would read all of it, and load every builtin that any of it wants, before the first
 * line runs.
 */
export async function buildCli(outdir = "dist"): Promise<string[]> {
  const result = await build({
    ...SHARED,
    entryPoints: { "mcp-sentinel": "cli/main.ts" },
    outdir,
    splitting: true,
    chunkNames: "parts/[name]-[hash]",
    platform: "node",
    banner: { js: REQUIRE },
  });
  return warningsOf(result);
}

/** Writes the core's bundle; it fails when anything of a runtime is asked for. */
export async function buildCore(outfile: string = CORE_BUNDLE): Promise<string[]> {
  const result = await build({
    ...SHARED,
    entryPoints: ["src/core/mod.ts"],
    outfile,
    platform: "neutral",
    // An isolate counts bytes.
    minifyIdentifiers: true,
    keepNames: true,
    mainFields: ["module", "main"],
  });
  return warningsOf(result);
}

function warningsOf({ warnings }: BuildResult): string[] {
  return warnings.map(({ text, location }) =>
    location === null ? text : `${location.file}:${location.line} ${text}`
  );
}
