import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The folder of `package.json`, with a slash at its end. */
export const ROOT: string = fileURLToPath(new URL("../../", import.meta.url));

/** Installed or generated, never ours to judge. */
const FOREIGN = new Set(["node_modules", "coverage", "dist", "tests/servers"]);

/** Paths of the `.ts` files below some folders, from the root, sorted; a missing folder is empty. */
export function sourceFiles(...folders: readonly string[]): string[] {
  return folders.flatMap((folder) => walk(folder)).filter((file) => file.endsWith(".ts")).sort();
}

/** Paths of the tests. */
export function testFiles(): string[] {
  return sourceFiles("tests").filter((file) => file.endsWith(".test.ts"));
}

/** The text of a file given from the root. */
export function readSource(file: string): string {
  return readFileSync(ROOT + file, "utf8");
}

function walk(folder: string): string[] {
  if (FOREIGN.has(folder) || folder.endsWith("/node_modules")) return [];
  return entriesOf(folder).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    return entry.isDirectory() ? walk(path) : [path];
  });
}

function entriesOf(folder: string) {
  try {
    return readdirSync(ROOT + folder, { withFileTypes: true });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw cause;
  }
}
