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

/** Writes configurations with one backend each; only limits are not as by default: nothing is refused. */
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

/** Every call is counted, and none is one too many. */
export const LIMITS = `[limits]
default = { rate = "999999999/s" }
concurrency = 1000000
per_session = 1000000
`;

function config(backend: string): string {
  const listen = 'listen = "127.0.0.1:0"\n\n';
  const server = `version = 1\n\n[server]\n${listen}[management]\n${listen}`;
  return `${server}${LIMITS}\n[backends.bench]\n${backend}\n`;
}
