import { build, type BuildOptions, type BuildResult } from "esbuild";

export const CLI_BUNDLE = "dist/mcp-sentinel.js";
export const CORE_BUNDLE = "dist/core.js";

const SHARED: BuildOptions = {
  bundle: true,
  format: "esm",
  target: "es2024",
  minify: true,
  // Names of classes and functions stay readable in stack traces.
  keepNames: true,
  legalComments: "none",
  logLevel: "silent",
};

/** CommonJS packages of the bundle ask for builtins through `require`, which modules do not have. */
const REQUIRE =
  'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);';

/** Writes the CLI's bundle; gives the bundler's warnings. */
export async function buildCli(outfile: string = CLI_BUNDLE): Promise<string[]> {
  const result = await build({
    ...SHARED,
    entryPoints: ["cli/main.ts"],
    outfile,
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
    mainFields: ["module", "main"],
  });
  return warningsOf(result);
}

function warningsOf({ warnings }: BuildResult): string[] {
  return warnings.map(({ text, location }) =>
    location === null ? text : `${location.file}:${location.line} ${text}`
  );
}
