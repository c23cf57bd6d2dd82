/** Finds the program before anything is started, so that every runtime names the problem the same way. */
import { accessSync, constants, statSync } from "node:fs";
import { resolve } from "node:path";
import process from "node:process";

/** Where programs are looked up when the child's environment has no PATH. */
const DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin";

export type FoundCommand = { readonly path: string } | { readonly failure: string };

export interface CommandPlace {
  /** The child's own environment: its PATH counts, not the gateway's. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/**
 * The program a command names: a path (relative to `cwd`), or the first executable of that name in PATH.
 * Without permission to look (Deno's `--allow-read`) the command is left to the runtime as it is.
 */
export function findCommand(
  command: string,
  { env, cwd = process.cwd() }: CommandPlace,
): FoundCommand {
  if (!mayBeFolder(cwd)) return { failure: `no working directory "${cwd}"` };
  if (command === "") return { failure: "the command is empty" };
  if (command.includes("/")) return judge(command, [resolve(cwd, command)], "");
  const folders = (env["PATH"] ?? DEFAULT_PATH).split(":").filter((folder) => folder !== "");
  const places = folders.map((folder) => resolve(cwd, folder, command));
  return judge(command, places, `: current PATH has ${folders.length} entries`);
}

function judge(command: string, places: readonly string[], where: string): FoundCommand {
  let denied = false;
  for (const path of places) {
    const found = look(path);
    if (found === "executable") return { path };
    if (found === "unknown") return { path: command };
    if (found === "present") denied = true;
  }
  return {
    failure: denied
      ? `no permission to run "${command}"`
      : `command not found: "${command}"${where}`,
  };
}

function mayBeFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (error) {
    return isUnanswered(error);
  }
}

function look(path: string): "absent" | "present" | "executable" | "unknown" {
  try {
    if (!statSync(path).isFile()) return "present";
    accessSync(path, constants.X_OK);
    return "executable";
  } catch (error) {
    if (isUnanswered(error)) return "unknown";
    const { code } = error as NodeJS.ErrnoException;
    return code === "EACCES" || code === "EPERM" ? "present" : "absent";
  }
}

/** Deno refused to look, which says nothing about the file. */
function isUnanswered(error: unknown): boolean {
  return error instanceof Error && error.name === "NotCapable";
}
