import { build } from "esbuild";

export const EDGE_BUNDLE = "dist/edge.js";

/** What isolates bring themselves; whatever else of a runtime is asked for fails the build. */
const CONDITIONS = ["workerd", "worker", "browser"];

/** Writes the gateway for isolates as one module; gives the bundler's warnings. */
export async function buildEdge(outfile: string = EDGE_BUNDLE): Promise<string[]> {
  const { warnings } = await build({
    entryPoints: ["src/hosts/edge/mod.ts"],
    outfile,
    bundle: true,
    format: "esm",
    target: "es2024",
    platform: "neutral",
    conditions: CONDITIONS,
    mainFields: ["module", "main"],
    // An isolate counts bytes.
    minify: true,
    keepNames: true,
    legalComments: "none",
    logLevel: "silent",
  });
  return warnings.map(({ text, location }) =>
    location === null ? text : `${location.file}:${location.line} ${text}`
  );
}
