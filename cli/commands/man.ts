import { mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { suggest } from "../../src/contract/suggest.ts";
import { CommandFailed, EXIT } from "../exit.ts";
import type { Io } from "../io.ts";
import { manualPage } from "../man/roff.ts";
import { flat, type ShownCommand, treeOf } from "../man/tree.ts";
import type { GlobalOptions, Output } from "../output.ts";
import { visible } from "../text.ts";
import { VERSION } from "../version.ts";

interface ManRequest {
  readonly io: Io;
  readonly output: Output;
  readonly options: GlobalOptions & { readonly dir?: string };
  /** Words of a command; none: all of them. */
  readonly words: readonly string[];
  /** Top of the tree. */
  readonly program: CommandUnknownOpts;
}

/** Prints a manual page as troff reads it, or writes it where `man` looks. */
export async function man({ io, output, options, words, program }: ManRequest): Promise<number> {
  const root = treeOf(program);
  const only = words.length === 0 ? undefined : named(root, words.join(" "));
  const page = manualPage({ root, version: VERSION, only });
  if (options.dir === undefined) {
    output.line(page.trimEnd());
    if (output.width !== undefined) output.note("to read it:  mcp-sentinel man | man -l -");
    return EXIT.done;
  }
  const name = ["mcp-sentinel", ...words].join("-");
  const file = await write(resolve(io.cwd, options.dir), `${name}.1`, page);
  if (output.isJson) output.json("man", { file });
  else {
    output.line(`wrote ${file}`);
    output.line(`  undo: rm ${file}`);
  }
  return EXIT.done;
}

function named(root: ShownCommand, path: string): ShownCommand {
  const all = flat(root).filter((command) => command.path !== "");
  const found = all.find((command) => command.path === path || command.alias === path);
  if (found !== undefined) return found;
  const near = suggest(path, all.map((command) => command.path));
  const hint = near === undefined ? "mcp-sentinel --help  lists them" : `did you mean ${near}?`;
  throw new CommandFailed(EXIT.usage, `there is no command "${visible(path)}"`, hint);
}

/** In a folder of manual pages, `man1` is where they belong. */
async function write(folder: string, name: string, page: string): Promise<string> {
  const place = /(^|\/)man$/.test(folder) ? join(folder, "man1") : folder;
  const file = join(place, name);
  try {
    await mkdir(place, { recursive: true });
    await writeFile(file, page);
    return file;
  } catch (thrown) {
    const message = `cannot write "${file}": ${(thrown as Error).message}`;
    throw new CommandFailed(EXIT.failed, message);
  }
}
