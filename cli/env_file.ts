/** Variables for `${env:NAME}` from a file, beside those of the environment, which win. */
import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import process from "node:process";
import { parseEnv } from "node:util";
import type { Io } from "./io.ts";

/** What `import` writes beside the configuration. */
const ENV_FILE = "sentinel.env";
const OTHERS = 0o077;

export interface Variables {
  readonly env: Io["env"];
  readonly warnings: readonly string[];
}

interface Asked {
  readonly io: Io;
  /** Of `--env-file`; without it the file beside the configuration is read, where it is this user's alone. */
  readonly named: string | undefined;
  /** Of the configuration. */
  readonly folder: string;
  /** Rejects with the failure of the command. */
  readonly read: (path: string, shown: string) => Promise<string>;
}

export async function variables({ io, named, folder, read }: Asked): Promise<Variables> {
  if (named !== undefined) return withFile(io, await read(resolve(io.cwd, named), named));
  const beside = join(folder, ENV_FILE);
  const found = await stat(beside).catch(() => undefined);
  if (found === undefined) return { env: io.env, warnings: [] };
  const cure = cureFor(found);
  if (cure === undefined) return withFile(io, await read(beside, ENV_FILE));
  return { env: io.env, warnings: [`"${ENV_FILE}" is not read: ${cure}`] };
}

function withFile(io: Io, text: string): Variables {
  return { env: { ...parseEnv(text), ...io.env }, warnings: [] };
}

/** Undefined when nobody else could have written or read it. */
function cureFor({ uid, mode }: { uid: number; mode: number }): string | undefined {
  if (process.platform === "win32") return undefined;
  if (uid !== process.getuid?.()) return `it is another user's; --env-file ${ENV_FILE}  reads it`;
  return (mode & OTHERS) === 0 ? undefined : `others may use it; chmod 600 ${ENV_FILE}`;
}
