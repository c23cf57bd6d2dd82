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
import { configOf, countOf, type FoundConfig, lookForServers } from "../found_servers.ts";
import type { Found } from "../import/mod.ts";
import type { Gateway, Io } from "../io.ts";
import type { Output } from "../output.ts";
import { nameOf } from "../server_name.ts";
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
  /** Starts the servers of the clients on this machine. */
  readonly from?: "found";
}

interface UpRequest {
  readonly io: Io;
  readonly output: Output;
  readonly options: UpOptions;
  /** A command line that starts a server; may be empty. */
  readonly words: readonly string[];
}

type Load = (ports: readonly Override[]) => Promise<ParsedConfig | LoadedConfig>;

/** Starts a gateway with what is there: a file or none, and the servers of the command line. */
export async function up(request: UpRequest): Promise<number> {
  const { io, output, options } = request;
  const named = backendsOf(request);
  const file = await findConfig(io, options.config);
  const found = await foundFor(request, file);
  const load: Load = file === undefined ? await withoutFile(request, named, found) : (ports) => {
    const overrides = [...named, ...ports];
    return loadConfig({ io, options: { ...options, config: file }, overrides });
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
  else if (!output.isQuiet) {
    const idle = options.from === undefined && found !== undefined ? countOf(found) : undefined;
    welcome({ url, management, file, config: loaded.config, idle }, output);
  }
  return await exitCodeOf(gateway.finished);
}

/** What the clients of this machine have; undefined where nobody wants to know. */
async function foundFor(
  { io, output, options }: UpRequest,
  file: string | undefined,
): Promise<Found | undefined> {
  if (options.from === undefined) {
    return file === undefined && !output.isJson && !output.isQuiet
      ? await lookForServers(io)
      : undefined;
  }
  if (file !== undefined) {
    const hint = "mcp-sentinel import --write  adds them to it";
    throw new CommandFailed(EXIT.usage, `--from found is for a start without "${file}"`, hint);
  }
  const found = await lookForServers(io);
  if (found.servers.length > 0) return found;
  const hint = "mcp-sentinel up -- npx -y some-server  starts one";
  throw new CommandFailed(EXIT.failed, "no servers were found in the files of clients", hint);
}

/** With `--from found` their servers are in the configuration, without those that cannot be started. */
async function withoutFile(
  { io, output, options }: UpRequest,
  named: readonly Override[],
  found: Found | undefined,
): Promise<Load> {
  const load = (config: FoundConfig | undefined, ports: readonly Override[]) => {
    const text = `${WITHOUT_FILE}${config?.text ?? ""}`;
    // Nothing is written: the values are where those of the environment are.
    const env = { ...io.env, ...config?.secrets };
    const overrides = [...named, ...ports];
    return parseText(text, "sentinel.toml", { io: { ...io, env }, options, overrides });
  };
  if (options.from === undefined || found === undefined) return (ports) => load(undefined, ports);
  const config = await configOf(found, io);
  for (const { name, reason } of config.leftOut) output.note(`not started: ${name} (${reason})`);
  return (ports) => load(config, ports);
}

interface Attempts {
  readonly io: Io;
  /** Loads the configuration with these values on top. */
  readonly load: Load;
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
