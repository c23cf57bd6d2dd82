/** The real gateway as a process of its own, on the runtime that runs the test. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parse, stringify } from "smol-toml";
import { type ProgramExit, RunningProgram } from "./running_program.ts";
import { type Command, commandOf, RUNTIME, type Runtime } from "./runtime.ts";

export interface GatewayOptions {
  /** Default: the runtime that runs the test. */
  readonly runtime?: Runtime;
  /** Directory the gateway keeps its state in; default: a new one for each gateway. */
  readonly home?: string;
  /** What `${env:NAME}` in the configuration stands for, beside this process's own environment. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface Gateway {
  /** Of the Streamable HTTP endpoint. */
  readonly url: string;
  /** Of the HTTP+SSE endpoint. */
  readonly sseUrl: string;
  readonly pid: number;
  /** What it has written to stderr so far (the last 256 KiB). */
  readonly stderr: string;
  /** Ends it in order. @throws Error when it takes longer than 35 s; it is killed then */
  stop(): Promise<ProgramExit>;
  /** `kill -9`. */
  kill(): Promise<ProgramExit>;
}

/**
 * Starts the gateway from the text of a `sentinel.toml` on a free port of loopback and waits until it
 * listens. Its backends may still be starting.
 * @throws Error with its output when it does not listen within 30 s
 */
export async function startGateway(toml: string, options: GatewayOptions = {}): Promise<Gateway> {
  const place = await prepare(toml, options);
  const program = new RunningProgram(
    commandOf("cli/main.ts", ["server", "--config", place.config, "--json"], options.runtime),
    environment(place.home, options),
  );
  const finish = async (end: Promise<ProgramExit>) => {
    try {
      return await end;
    } finally {
      await place.remove();
    }
  };
  try {
    const [, url = ""] = await program.printed(/"url":\s*"(http:[^"]+)"/);
    return {
      url,
      sseUrl: new URL("/sse", url).href,
      pid: program.pid,
      get stderr() {
        return program.stderr;
      },
      stop: () => finish(program.stop()),
      kill: () => finish(program.kill()),
    };
  } catch (cause) {
    await finish(program.kill());
    throw cause;
  }
}

/** How a client starts the gateway as its own stdio server. */
export interface StdioGateway extends Command {
  readonly env: Record<string, string>;
  /** Removes its files; call it when the client has closed. */
  remove(): Promise<void>;
}

/** Prepares `mcp-sentinel stdio`; the client starts and ends the process. */
export async function stdioGateway(
  toml: string,
  options: GatewayOptions = {},
): Promise<StdioGateway> {
  const { config, home, remove } = await prepare(toml, options);
  const command = commandOf("cli/main.ts", ["stdio", "--config", config], options.runtime);
  return { ...command, env: environment(home, options), remove };
}

interface Place {
  readonly config: string;
  readonly home: string;
  remove(): Promise<void>;
}

async function prepare(toml: string, { home }: GatewayOptions): Promise<Place> {
  const directory = await mkdtemp(join(tmpdir(), `sentinel-${RUNTIME}-`));
  const config = join(directory, "sentinel.toml");
  const tables = parse(toml);
  await writeFile(config, stringify({ ...tables, server: withFreePort(tables["server"]) }));
  return {
    config,
    home: home ?? directory,
    remove: () => rm(directory, { recursive: true, force: true }),
  };
}

function withFreePort(server: unknown): Record<string, unknown> {
  return { listen: "127.0.0.1:0", ...(server as Record<string, unknown> | undefined) };
}

/** That of this process, except where the gateway keeps its files. */
function environment(home: string, { env = {} }: GatewayOptions): Record<string, string> {
  const inherited = Object.entries(process.env).filter((entry): entry is [string, string] =>
    entry[1] !== undefined
  );
  return { ...Object.fromEntries(inherited), ...env, XDG_STATE_HOME: home, XDG_CONFIG_HOME: home };
}
