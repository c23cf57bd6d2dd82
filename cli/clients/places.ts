import { homedir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import type { Io } from "../io.ts";
import type { Places } from "./clients.ts";

/** Where the files of the person at this terminal are; the project is the current folder. */
export function placesOf({ env, cwd }: Pick<Io, "env" | "cwd">): Places {
  const home = env["HOME"] || env["USERPROFILE"] || homedir();
  const platform = platformOf();
  return { platform, home, configHome: configHome(platform, home, env), project: cwd };
}

function platformOf(): Places["platform"] {
  const { platform } = process;
  return platform === "darwin" || platform === "win32" ? platform : "linux";
}

function configHome(platform: Places["platform"], home: string, env: Io["env"]): string {
  if (platform === "darwin") return join(home, "Library", "Application Support");
  if (platform === "win32") return env["APPDATA"] || join(home, "AppData", "Roaming");
  return env["XDG_CONFIG_HOME"] || join(home, ".config");
}
