import { resolve } from "node:path";
import type { Override } from "../../src/config/overrides.ts";
import type { ParsedConfig } from "../../src/config/parse.ts";
import {
  checkWriters,
  type ConfigOptions,
  findConfig,
  loadConfig,
  parseText,
} from "../config_file.ts";
import { CommandFailed, EXIT } from "../exit.ts";
import type { Gateway, Io } from "../io.ts";
import type { Output } from "../output.ts";
import { codeOf, exitCodeOf, orExitCode, start, startFailure } from "../start.ts";
import { VERSION } from "../version.ts";
import { welcome } from "../welcome.ts";

/** How many ports are tried after the default one. */
const MORE_PORTS = 20;
/** The control plane's own. */
const MANAGEMENT_PORT = 8809;

interface UpOptions extends ConfigOptions {
  readonly backend: readonly string[];
}

interface UpRequest {
  readonly io: Io;
  readonly output: Output;
  readonly options: UpOptions;
  /** A command line that starts a server; may be empty. */
  readonly words: readonly string[];
}

/** Starts a gateway with what is there: a file or none, and the servers of the command line. */
export async function up(request: UpRequest): Promise<number> {
  const { io, output, options } = request;
  const overrides = backendsOf(request);
  const file = await findConfig(io, options.config);
  const loaded = await orExitCode(
    output,
    () =>
      file === undefined
        ? parseText("", "sentinel.toml", { io, options, overrides })
        : loadConfig({ io, options: { ...options, config: file }, overrides }),
  );
  if (typeof loaded === "number") return loaded;
  const writers = file === undefined ? undefined : await checkWriters(file, io);
  for (const warning of [writers ?? [], loaded.warnings].flat()) output.warn(warning);
  const gateway = await startOnFreePort(loaded, io);
  const url = `${gateway.url}${loaded.config.server.path}`;
  const backends = Object.keys(loaded.config.backends);
  if (output.isJson) output.json("up", { version: VERSION, url, file, backends });
  else if (!output.isQuiet) {
    welcome({ url, file, backends, name: loaded.config.server.name }, output);
  }
  return await exitCodeOf(gateway.finished);
}

/** Tries the next ports when the default one is taken; an address somebody chose is never changed. */
async function startOnFreePort(loaded: ParsedConfig, io: Io): Promise<Gateway> {
  const { server } = loaded.config;
  const chosen = loaded.origin(["server", "listen"]) !== "default";
  const [, host = "", first = ""] = /^(.*):(\d+)$/.exec(server.listen) ?? [];
  for (let port = Number(first);; port++) {
    if (port === MANAGEMENT_PORT) continue;
    const listen = `${host}:${port}`;
    try {
      const config = { ...loaded.config, server: { ...server, listen } };
      return await start({ ...loaded, config }, io, true);
    } catch (thrown) {
      const goOn = codeOf(thrown) === "EADDRINUSE" && !chosen;
      if (!goOn || port >= Number(first) + MORE_PORTS) throw startFailure(thrown, listen);
    }
  }
}

/** Backends of the command line, as values that win over the file. */
function backendsOf({ io, options, words }: UpRequest): Override[] {
  const remote = options.backend.map((text) => backendOf(text));
  const [command, ...args] = words;
  const local = command === undefined ? [] : [{
    name: nameOf(words),
    source: `-- ${command}`,
    value: { command, args, cwd: resolve(io.cwd) },
  }];
  const all = [...remote, ...local];
  const names = all.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) {
    const hint = "--backend other=https://… gives one of them another name";
    throw new CommandFailed(EXIT.usage, `two backends are named "${twice}"`, hint);
  }
  return all.map(({ name, source, value }) => ({ path: ["backends", name], value, source }));
}

function backendOf(text: string) {
  const [, name, url] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  if (name === undefined || url === undefined) {
    const hint = "write  --backend name=https://example.com/mcp";
    throw new CommandFailed(EXIT.usage, `"${text}" names no backend`, hint);
  }
  return { name, source: `--backend ${name}`, value: { url } };
}

/** Parts of a path that name no server. */
const GENERIC = new Set(["", ".", "bin", "build", "cli", "dist", "index", "lib", "main", "src"]);

/** A name from a command line: `npx -y @scope/context7-mcp@2.1.0` is `context7-mcp`. */
export function nameOf(words: readonly string[]): string {
  const [program = "", ...rest] = words;
  const operands = rest.filter((text) => !text.startsWith("-"));
  // The image comes last: docker run --rm -i mcp/fetch
  const word = /^(docker|podman)$/.test(program) ? operands.at(-1) : operands[0];
  const names = (word ?? program).split(/[\\/]/).map(plainName);
  return names.findLast((name) => !GENERIC.has(name)) ?? "server";
}

/** Without version and file ending, in the characters names are made of. */
function plainName(text: string): string {
  return text.replace(/(?<=.)[@:].*$/, "").replace(/\.(exe|[cm]?[jt]s|py|rb|sh)$/i, "")
    .toLowerCase()
    .replace(/[^a-z0-9_-]+/g, "-").replace(/^[-_]+|[-_]+$/g, "").slice(0, 64);
}
