import process from "node:process";
import manifest from "../package.json" with { type: "json" };

export const VERSION: string = manifest.version;

/** Runtime and its version: `node 24.21.0`, `deno 2.9.6`, `bun 1.4.5`. */
export function runtimeName(): string {
  const { bun, deno, node } = process.versions;
  if (bun !== undefined) return `bun ${bun}`;
  return deno === undefined ? `node ${node}` : `deno ${deno}`;
}
