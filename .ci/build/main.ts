/**
 * `npm run build`: the CLI as a file and its parts, which run on Node, Deno and Bun, and two files that need no
 * runtime's builtins: the core alone, and the gateway for isolates.
 */
import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { buildCli, buildCore, CLI_BUNDLE, CORE_BUNDLE } from "./bundles.ts";
import { buildEdge, EDGE_BUNDLE } from "./edge.ts";

await rm("dist", { recursive: true, force: true });
const warnings = [...await buildCli(), ...await buildCore(), ...await buildEdge()];
for (const warning of warnings) console.error(`warning: ${warning}`);
const parts = await readdir("dist/parts");
console.log(`${CLI_BUNDLE}  ${await kibibytes([CLI_BUNDLE])}`);
console.log(`dist/parts  ${await kibibytes(parts.map((name) => join("dist/parts", name)))}`);
console.log(`${CORE_BUNDLE}  ${await kibibytes([CORE_BUNDLE])}`);
console.log(`${EDGE_BUNDLE}  ${await kibibytes([EDGE_BUNDLE])}`);
if (warnings.length > 0) process.exit(1);

async function kibibytes(files: readonly string[]): Promise<string> {
  const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size));
  return `${Math.round(sizes.reduce((sum, size) => sum + size, 0) / 1024)} KiB`;
}
