/** Where this user's files are. */
import { homedir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import type { Io } from "./io.ts";

/** Folder of configuration and profiles: `$XDG_CONFIG_HOME/mcp-sentinel`. */
export function configFolder({ env }: Pick<Io, "env">): string {
  const user = env["XDG_CONFIG_HOME"] || join(env["HOME"] ?? homedir(), ".config");
  return join(user, "mcp-sentinel");
}

/** Folder of what gateways keep: `$XDG_STATE_HOME/mcp-sentinel`. */
export function stateFolder({ env }: Pick<Io, "env">): string {
  if (process.platform === "win32" && env["LOCALAPPDATA"]) {
    return join(env["LOCALAPPDATA"], "mcp-sentinel");
  }
  const state = env["XDG_STATE_HOME"] || join(env["HOME"] ?? homedir(), ".local", "state");
  return join(state, "mcp-sentinel");
}
