import { resolve } from "node:path";
import type { Override } from "../../src/config/overrides.ts";
import type { ParsedConfig } from "../../src/config/parse.ts";
import { parseListen } from "../../src/contract/config/listen.ts";
import {
  checkWriters,
  findConfig,
  loadConfig,
  type LoadedConfig,
  parseText,
} from "../config_file.ts";
import type { ConfigOptions } from "../config_options.ts";
import { CommandFailed, EXIT } from "../exit.ts";
import type { Gateway, Io } from "../io.ts";
import type { Output } from "../output.ts";
import {
  codeOf,
  exitCodeOf,
  fileSource,
  listenerOf,
  orExitCode,
  start,
  startFailure,
  type StartRequest,
} from "../start.ts";
import { VERSION } from "../version.ts";
import { welcome } from "../welcome.ts";

/** How many ports are tried after the default one. */
const MORE_PORTS = 20;

/**
 * Without a file one person calls, from a few clients: more often than a shared gateway allows each. What was
 * said is nobody's business for long.
 */
const WITHOUT_FILE = '[limits]\ndefault = { rate = "600/min" }\nconcurrency = 50\n' +
  '[audit]\narguments = "hash"\nretention = "7d"\n';

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
  const named = backendsOf(request);
  const file = await findConfig(io, options.config);
  const load = (ports: readonly Override[]) => {
    const overrides = [...named, ...ports];
    return file === undefined
      ? parseText(WITHOUT_FILE, "sentinel.toml", { io, options, overrides })
      : loadConfig({ io, options: { ...options, config: file }, overrides });
  };
  const loaded = await orExitCode(output, () => load([]));
  if (typeof loaded === "number") return loaded;
  const writers = file === undefined ? undefined : await checkWriters(file, io);
  for (const warning of [writers ?? [], loaded.warnings].flat()) output.warn(warning);
  const gateway = await startOnFreePorts({ io, load, first: loaded });
  const { managementUrl: management } = gateway;
  const url = `${gateway.url}${loaded.config.server.path}`;
  const backends = Object.keys(loaded.config.backends);
  if (output.isJson) output.json("up", { version: VERSION, url, management, file, backends });
  else if (!output.isQuiet) welcome({ url, management, file, config: loaded.config }, output);
  return await exitCodeOf(gateway.finished);
}

interface Attempts {
  readonly io: Io;
  /** Loads the configuration with these values on top. */
  readonly load: (ports: readonly Override[]) => Promise<ParsedConfig | LoadedConfig>;
  readonly first: ParsedConfig | LoadedConfig;
}

type ListenerName = "server" | "management";

/** Tries the next ports when a default one is taken; an address somebody chose is never changed. */
async function startOnFreePorts({ io, load, first }: Attempts): Promise<Gateway> {
  const moved = new Map<ListenerName, Override>();
  for (let parsed = first;; parsed = await load([...moved.values()])) {
    try {
      const source = sourceOf(parsed, { io, load: () => load([...moved.values()]) });
      return await start({ io, parsed, source, listen: true });
    } catch (thrown) {
      const next = nextAddress(thrown, first, parsed);
      if (next === undefined) throw startFailure(thrown);
      moved.set(next.listener, next.override);
    }
  }
}

function sourceOf(
  parsed: ParsedConfig | LoadedConfig,
  again: Parameters<typeof fileSource>[1],
): StartRequest["source"] {
  if ("text" in parsed) return fileSource(parsed, again);
  return { name: "command line", identity: again.io.cwd };
}

/** The next port of the listener whose address is taken; undefined when there is none to try. */
function nextAddress(thrown: unknown, first: ParsedConfig, { config }: ParsedConfig) {
  const listener = codeOf(thrown) === "EADDRINUSE" ? listenerOf(thrown)?.listener : undefined;
  if (listener === undefined || first.origin([listener, "listen"]) !== "default") return undefined;
  const begin = parseListen(first.config[listener].listen);
  const now = parseListen(config[listener].listen);
  if (begin === undefined || now === undefined) return undefined;
  // Each keeps away from where the other one is.
  const other = config[listener === "server" ? "management" : "server"].listen;
  const after = (port: number) => `${now.host}:${port}`;
  const port = after(now.port + 1) === other ? now.port + 2 : now.port + 1;
  if (port > begin.port + MORE_PORTS) return undefined;
  const source = "next free port";
  return { listener, override: { path: [listener, "listen"], value: after(port), source } };
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
