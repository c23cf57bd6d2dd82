/** The binary without a program (`denort`) that `deno compile` adds the program to. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { type Ran, runTool, type Variables } from "./tool.ts";

interface Attempt {
  readonly ran: Ran;
  readonly target: string | undefined;
  readonly env: Variables;
}

/** What to do when the base was missing; undefined when a compilation failed for another reason. */
export async function baseProblem({ ran, target, env }: Attempt): Promise<string | undefined> {
  const named = VARIABLE in env ? env[VARIABLE] : process.env[VARIABLE];
  if (named !== undefined) {
    return existsSync(named)
      ? undefined
      : `Cannot compile with Deno: ${VARIABLE} names "${named}", which is not there`;
  }
  if (ran.code !== undefined && !/denort|base binary/i.test(ran.stderr)) return undefined;
  const { version, host, folder } = await installation(env);
  const archive = `release/v${version}/denort-${target ?? host}.zip`;
  return `Cannot compile with Deno: its base binary for ${target ?? host} is not here, and the ` +
    `download failed. Supply it in one of two ways:
  put the file  ${archive}  of dl.deno.land, as it is, at
    ${join(folder, "dl", archive)}
  or unpack it and name the binary:  ${VARIABLE}=/path/to/denort npm run compile:deno`;
}

const VARIABLE = "DENORT_BIN";

async function installation(env: Variables) {
  const [versions, info] = await Promise.all([
    runTool("deno", ["--version"], { env }),
    runTool("deno", ["info", "--no-config", "--json"], { env }),
  ]);
  // deno 2.9.6 (stable, release, x86_64-unknown-linux-gnu)
  const [, version = "", host = ""] = /^deno (\S+) .* (\S+)\)/.exec(versions.stdout) ?? [];
  const { denoDir } = JSON.parse(info.stdout) as { readonly denoDir: string };
  return { version, host, folder: denoDir };
}
