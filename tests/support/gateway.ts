/** The real gateway as a process of its own, on the runtime that runs the test. */
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { randomBytes } from "node:crypto";
import { parse, stringify } from "smol-toml";
import { NO_LIMITS } from "./editable_source.ts";
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
  /** Base URL of the management API. */
  readonly managementUrl: string;
  /** Scope `admin`. */
  readonly token: string;
  readonly pid: number;
  /** The configuration file. */
  readonly config: string;
  /** What `XDG_STATE_HOME` and `XDG_CONFIG_HOME` are for it. */
  readonly home: string;
  /** What it has written to stderr so far (the last 256 KiB). */
  readonly stderr: string;
  /** Replaces the configuration file in one step; addresses that are not given stay as they were. */
  rewrite(toml: string): Promise<void>;
  /** Resolves when stderr matches. @throws Error with its output when it does not within 30 s */
  printed(pattern: RegExp): Promise<RegExpExecArray>;
  /** Resolves when it has ended by itself. */
  readonly exited: Promise<ProgramExit>;
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
    commandOf("cli/main.ts", ["server", "-c", place.config, "--json", ...TOKEN], options.runtime),
    { ...environment(place.home, options), [TOKEN_VARIABLE]: place.token },
  );
  const finish = async (end: Promise<ProgramExit>) => {
    try {
      return await end;
    } finally {
      await place.remove();
    }
  };
  try {
    const [, url = "", managementUrl = ""] = await program.printed(LISTENING);
    const { token, config, home, rewrite } = place;
    return {
      url,
      sseUrl: new URL("/sse", url).href,
      managementUrl,
      token,
      pid: program.pid,
      config,
      home,
      rewrite,
      printed: (pattern) => program.printed(pattern),
      exited: program.exited,
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

/** What the gateway prints when it listens. */
const LISTENING = /"url":\s*"(https?:[^"]+)",\s*"management":\s*"(https?:[^"]+)"/;
const TOKEN_VARIABLE = "SENTINEL_TEST_TOKEN";
const TOKEN = ["--management-token-env", TOKEN_VARIABLE];

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
  readonly token: string;
  rewrite(toml: string): Promise<void>;
  remove(): Promise<void>;
}

async function prepare(toml: string, { home }: GatewayOptions): Promise<Place> {
  const directory = await mkdtemp(join(tmpdir(), `sentinel-${RUNTIME}-`));
  const config = join(directory, "sentinel.toml");
  const rewrite = async (text: string) => {
    await writeFile(`${config}.new`, prepared(text), { mode: 0o600 });
    await rename(`${config}.new`, config);
  };
  await rewrite(toml);
  return {
    config,
    home: home ?? directory,
    token: randomBytes(32).toString("base64url"),
    rewrite,
    remove: () => rm(directory, { recursive: true, force: true }),
  };
}

/** Gateways of tests run side by side, so each chooses its ports; they are called as often as one likes. */
function prepared(toml: string): string {
  const { server, management, ...rest } = parse(toml);
  const listen = "127.0.0.1:0";
  return stringify({
    limits: NO_LIMITS,
    ...rest,
    server: { listen, ...(server as object | undefined) },
    management: { listen, ...(management as object | undefined) },
  });
}

/** That of this process, except where the gateway keeps its files. */
function environment(home: string, { env = {} }: GatewayOptions): Record<string, string> {
  const inherited = Object.entries(process.env).filter((entry): entry is [string, string] =>
    entry[1] !== undefined
  );
  return { ...Object.fromEntries(inherited), ...env, XDG_STATE_HOME: home, XDG_CONFIG_HOME: home };
}
