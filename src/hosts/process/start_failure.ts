/** Why a process could not be started, in the words of a status line. */
import type { SpawnOptions } from "../../ports/process.ts";

const MEANING: Readonly<Record<string, string>> = {
  E2BIG: "arguments and environment are too long",
  EACCES: "no permission to run it",
  EAGAIN: "too many processes",
  EMFILE: "too many open files in the gateway",
  ENFILE: "too many open files on the machine",
  ENOENT: "the program, or the interpreter it names, is missing",
  ENOEXEC: "not a program for this machine",
  ENOMEM: "not enough memory",
};

export function failureOf(error: unknown, command: string): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const meaning = code === undefined ? undefined : MEANING[code];
  return meaning === undefined
    ? `cannot run "${command}": ${message}`
    : `cannot run "${command}": ${meaning} (${code})`;
}

/** The first part of a start that contains a NUL character, which would cut it off. */
export function nulIn({ command, args, env, cwd }: SpawnOptions): string | undefined {
  if (command.includes("\0")) return "the command";
  if (cwd?.includes("\0")) return "the working directory";
  const argument = args.findIndex((text) => text.includes("\0"));
  if (argument !== -1) return `argument ${argument + 1}`;
  const variable = Object.entries(env).find((pair) => pair.join("").includes("\0"));
  return variable === undefined ? undefined : "a variable of the environment";
}
