import { readFile } from "node:fs/promises";
import { build, type BuildOptions, type BuildResult, type Plugin } from "esbuild";
import { prepare } from "./prepare.ts";

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

/**
 * CommonJS packages of the bundle ask for builtins through `require`, which modules do not have. Not the one of
 * `node:module`: Deno needs twice as long to load that as to start.
 */
const REQUIRE = `const require = (name) => {
  const found = globalThis.process.getBuiltinModule(name);
  if (found === undefined) throw new Error("Cannot find module " + name);
  return found;
};`.replaceAll(/\n\s*/g, " ");

/**
 * Commander can run a subcommand as a program of its own. Ours are functions, and Deno needs half as long to load
 * the module for it as to start.
 */
const WITHOUT_PROGRAMS: Plugin = {
  name: "without programs",
  setup(bundler) {
    bundler.onResolve(
      { filter: /^node:child_process$/ },
      ({ importer }) =>
        /[\\/]node_modules[\\/]commander[\\/]/.test(importer)
          ? { path: "none", namespace: "without-programs" }
          : undefined,
    );
    bundler.onLoad(
      { filter: /./, namespace: "without-programs" },
      () => ({ contents: "export default {};" }),
    );
  },
};

const PREPARED: Plugin = {
  name: "prepared",
  setup(bundler) {
    bundler.onLoad({ filter: /[\\/]cli[\\/]prepared\.ts$/ }, async () => ({
      contents: `export const PREPARED = ${JSON.stringify(await prepare())};`,
    }));
  },
};

/** How the file that starts loads all else. */
interface Loading {
  /**
   * Whether a bundler can follow it. Deno follows whatever it can too, and reads all of it before the first line
   * runs: that takes longer than help does.
   */
  readonly followed: boolean;
}

function loading({ followed }: Loading): Plugin {
  const source = 'import("./command_line.ts")';
  const built = followed ? `import("${COMMAND_LINE}")` : `import(["${COMMAND_LINE}"].at(0))`;
  return {
    name: "loading",
    setup(bundler) {
      bundler.onResolve(
        { filter: /parts\/command_line\.js$/ },
        ({ path }) => ({ path, external: true }),
      );
      bundler.onLoad({ filter: /[\\/]cli[\\/]main\.ts$/ }, async ({ path }) => {
        const text = await readFile(path, "utf8");
        if (!text.includes(source)) throw new Error(`Cannot build: "${path}" has no ${source}`);
        return { contents: text.replace(source, built), loader: "ts" };
      });
    },
  };
}

const COMMAND_LINE = "./parts/command_line.js";

/**
 * Writes the CLI's bundle; gives the bundler's warnings. What a command loads later stays in parts of its own:
 * in one file a runtime would read all of it, and load every builtin that any of it wants, before the first
 * line runs.
 */
export async function buildCli(
  outdir = "dist",
  how: Loading = { followed: false },
): Promise<string[]> {
  const start = build({
    ...SHARED,
    entryPoints: { "mcp-sentinel": "cli/main.ts" },
    outdir,
    platform: "node",
    plugins: [PREPARED, loading(how)],
  });
  const all = build({
    ...SHARED,
    entryPoints: { "parts/command_line": "cli/command_line.ts" },
    outdir,
    splitting: true,
    chunkNames: "parts/[name]-[hash]",
    platform: "node",
    banner: { js: REQUIRE },
    plugins: [WITHOUT_PROGRAMS],
  });
  return [...warningsOf(await start), ...warningsOf(await all)];
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
