import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { STDIO_ECHO } from "./targets.ts";

/** The gateway's configuration files of one run. */
export interface Configs {
  readonly http: string;
  readonly stdio: string;
  /** Where the gateways keep their state, so that a run leaves the user's alone. */
  readonly state: string;
  /** Deletes them; works while the process exits. */
  remove(): void;
}

/** Writes configurations with one backend each and nothing else that is not a default. */
export function writeConfigs(backend: URL): Configs {
  const folder = mkdtempSync(join(tmpdir(), "mcp-sentinel-bench-"));
  const [command, ...args] = STDIO_ECHO;
  const write = (name: string, text: string) => {
    const path = join(folder, name);
    writeFileSync(path, config(text));
    return path;
  };
  return {
    http: write("http.toml", `url = ${JSON.stringify(backend.href)}`),
    stdio: write(
      "stdio.toml",
      `command = ${JSON.stringify(command)}\nargs = ${JSON.stringify(args)}`,
    ),
    state: join(folder, "state"),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function config(backend: string): string {
  return `version = 1\n\n[server]\nlisten = "127.0.0.1:0"\n\n[management]\nlisten = "127.0.0.1:0"\n\n[backends.bench]\n${backend}\n`;
}
