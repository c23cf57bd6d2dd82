import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { configTemplate } from "../../src/config/template.ts";
import { CommandFailed, EXIT } from "../exit.ts";
import type { Io } from "../io.ts";
import { columns, type GlobalOptions, type Output } from "../output.ts";
import { codeOf } from "../start.ts";

interface InitOptions extends GlobalOptions {
  readonly force?: true;
  readonly yes?: true;
}

interface InitRequest {
  readonly io: Io;
  readonly output: Output;
  readonly options: InitOptions;
  readonly file: string;
}

/** Writes a commented configuration; never over another one without being told to. */
export async function init({ io, output, options, file }: InitRequest): Promise<number> {
  const target = options.config ?? file;
  const written = await write(target, { io, overwrite: options.force === true }) ||
    (await mayOverwrite(target, io, options) && await write(target, { io, overwrite: true }));
  if (!written) {
    throw new CommandFailed(EXIT.failed, `"${target}" exists`, "--force overwrites it");
  }
  if (output.isJson) output.json("init", { file: target });
  else if (!output.isQuiet) printNext(target, output);
  return EXIT.done;
}

async function mayOverwrite(target: string, io: Io, options: InitOptions): Promise<boolean> {
  if (io.ask === undefined || options.yes === true) return false;
  const answer = await io.ask(`"${target}" exists. Overwrite it? [y/N] `);
  return /^y(es)?$/i.test(answer.trim());
}

interface WriteOptions {
  readonly io: Io;
  readonly overwrite: boolean;
}

/** False when there is a file already. */
async function write(target: string, { io, overwrite }: WriteOptions): Promise<boolean> {
  const flag = overwrite ? "w" : "wx";
  try {
    await writeFile(resolve(io.cwd, target), configTemplate(), { flag, mode: 0o644 });
    return true;
  } catch (thrown) {
    if (codeOf(thrown) === "EEXIST") return false;
    const message = `cannot write "${target}": ${(thrown as Error).message}`;
    throw new CommandFailed(EXIT.failed, message);
  }
}

function printNext(target: string, output: Output): void {
  output.line(`wrote ${output.paint("strong", target)}`);
  output.line();
  const rows = columns([
    ["add servers to it", "look for [backends"],
    ["check it", "mcp-sentinel validate"],
    ["run it", "mcp-sentinel server"],
  ]);
  for (const row of rows) output.line(row);
}
