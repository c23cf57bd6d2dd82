import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Era, STDIO_ECHO } from "./targets.ts";

/** The gateway's configuration files of one run. */
export interface Configs {
  readonly http: string;
  readonly stdio: string;
  /** As `http`, but with the audit, which is there by default and has its share in a start. */
  readonly startUp: string;
  /** A configuration as `http` with a backend of this era. */
  era(era: Era, backend: URL): string;
  /** For other configurations. */
  readonly folder: string;
  /** Where the gateways keep their state, so that a run leaves the user's alone. */
  readonly state: string;
  /** Deletes them; works while the process exits. */
  remove(): void;
}

/**
 * Writes configurations with one backend each. Not as by default are the limits, so that nothing is refused, and
 * the audit, which is off but for the start-up: gateways that share a configuration share its store.
 */
export function writeConfigs(backend: URL): Configs {
  const folder = mkdtempSync(join(tmpdir(), "mcp-sentinel-bench-"));
  const [command, ...args] = STDIO_ECHO;
  const write = (name: string, text: string) => {
    const path = join(folder, name);
    writeFileSync(path, `version = 1\n\n${text}`);
    return path;
  };
  const url = `url = ${JSON.stringify(backend.href)}`;
  const child = `command = ${JSON.stringify(command)}\nargs = ${JSON.stringify(args)}`;
  return {
    http: write("http.toml", NO_AUDIT + config(url)),
    stdio: write("stdio.toml", NO_AUDIT + config(child)),
    startUp: write("start_up.toml", config(url)),
    era: (era, { href }) =>
      write(`${era}.toml`, NO_AUDIT + config(`url = ${JSON.stringify(href)}\nera = "${era}"`)),
    folder,
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

const NO_AUDIT = `[audit]
store = "off"

`;

function config(backend: string): string {
  const listen = 'listen = "127.0.0.1:0"\n\n';
  const server = `[server]\n${listen}[management]\n${listen}`;
  return `${server}${LIMITS}\n[backends.bench]\n${backend}\n`;
}
