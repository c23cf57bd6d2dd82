/** Runs a program of a page, to its end. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { text } from "node:stream/consumers";
import { commandOf, REPOSITORY } from "./runtime.ts";

/** `env` is added to the environment of the test. */
export async function runExample(file: string, env: Readonly<Record<string, string>>) {
  const { command, args } = commandOf(file);
  const child = spawn(command, args, {
    cwd: REPOSITORY,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [out, err, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "exit"),
  ]);
  return { out, err, code: code as number | null };
}
