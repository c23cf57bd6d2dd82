import { existsSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { PROGRAMS } from "./runtimes.ts";

/** What is shipped, and how large it is; only what has been built. Cells of a table: file, KiB. */
export function sizeCells(): (string | number)[][] {
  const parts = join(dirname(PROGRAMS.bundle), "parts");
  const files: Readonly<Record<string, readonly string[]>> = {
    "bundle, what every command loads": [PROGRAMS.bundle],
    "bundle, parts loaded on demand": inFolder(parts),
    "core alone": [PROGRAMS.core],
    "executable, Bun": [PROGRAMS.executable],
    "executable, Deno": [PROGRAMS.denoExecutable],
  };
  return Object.entries(files).flatMap(([name, paths]) => {
    const there = paths.filter((path) => existsSync(path));
    if (there.length === 0) return [];
    const bytes = there.reduce((sum, path) => sum + statSync(path).size, 0);
    return [[name, there.length, Math.round(bytes / 1024)]];
  });
}

function inFolder(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
}
