/** Tokens that commands are given: by argument, on stdin, in a variable or a file; never printed. */
import { readFile, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { CommandFailed, EXIT } from "./exit.ts";
import type { Io } from "./io.ts";
import { readInput } from "./tool_arguments.ts";

interface TokenPlace {
  readonly io: Pick<Io, "input" | "env" | "cwd" | "ask">;
  /** The token, or `-` for stdin. */
  readonly text?: string | undefined;
  /** Name of a variable. */
  readonly variable?: string | undefined;
  readonly file?: string | undefined;
}

const LARGEST_FILE = 64 * 1024;

/** The token without `Bearer`. @throws CommandFailed when there is none */
export async function bearerToken(place: TokenPlace): Promise<string> {
  const text = await textOf(place);
  const token = text.trim().replace(/^Bearer\s+/i, "");
  if (token !== "") return token;
  throw new CommandFailed(EXIT.usage, "there is no token", "pipe one in, or name a variable");
}

async function textOf({ io, text, variable, file }: TokenPlace): Promise<string> {
  if (variable !== undefined) {
    const value = io.env[variable] ?? "";
    if (value !== "") return value;
    const message = `the token is to be in the variable ${variable}, which is not set`;
    throw new CommandFailed(EXIT.unauthorized, message, `export ${variable}=…`);
  }
  if (file !== undefined) return await fromFile(resolve(io.cwd, file), file);
  return text === undefined || text === "-" ? await readInput(io) : text;
}

async function fromFile(path: string, shown: string): Promise<string> {
  try {
    if ((await stat(path)).size > LARGEST_FILE) throw new Error("it is larger than 64 KiB");
    return await readFile(path, "utf8");
  } catch (thrown) {
    const message = `cannot read the token in "${shown}": ${(thrown as Error).message}`;
    throw new CommandFailed(EXIT.unauthorized, message);
  }
}
