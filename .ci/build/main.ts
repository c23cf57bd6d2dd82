/**
 * `npm run build`: one file of the CLI that runs on Node, Deno and Bun, and one of the core alone, which
 * needs no runtime's builtins.
 */
import { mkdir, stat } from "node:fs/promises";
import process from "node:process";
import { buildCli, buildCore, CLI_BUNDLE, CORE_BUNDLE } from "./bundles.ts";

await mkdir("dist", { recursive: true });
const warnings = [...await buildCli(), ...await buildCore()];
for (const warning of warnings) console.error(`warning: ${warning}`);
for (const file of [CLI_BUNDLE, CORE_BUNDLE]) {
  const { size } = await stat(file);
  console.log(`${file}  ${Math.round(size / 1024)} KiB`);
}
if (warnings.length > 0) process.exit(1);
