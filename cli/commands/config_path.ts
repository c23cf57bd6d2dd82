import { resolve } from "node:path";
import { findConfig, searchPath } from "../config_file.ts";
import { CommandFailed, EXIT } from "../exit.ts";
import type { Io } from "../io.ts";
import type { GlobalOptions, Output } from "../output.ts";

interface PathRequest {
  readonly io: Io;
  readonly output: Output;
  readonly options: GlobalOptions;
}

/** Prints the file in use; exit code 1 when there is none. */
export async function configPath({ io, output, options }: PathRequest): Promise<number> {
  const found = await findConfig(io, options.config);
  const file = found === undefined ? undefined : resolve(io.cwd, found);
  const searched = options.config === undefined ? searchPath(io) : [file];
  if (output.isJson) {
    output.json("config-path", { file: file ?? null, searched });
    return file === undefined ? EXIT.failed : EXIT.done;
  }
  if (file === undefined) {
    const places = searched.map((place) => `  ${place}`).join("\n");
    throw new CommandFailed(EXIT.failed, `no configuration found; looked for\n${places}`);
  }
  output.line(file);
  const others = searched.filter((place) => place !== file);
  if (others.length > 0) output.note(`also looked for, in this order:\n  ${others.join("\n  ")}`);
  return EXIT.done;
}
