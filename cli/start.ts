/** What `up`, `server` and `stdio` have in common: start, wait for the end, exit code. */
import process from "node:process";
import { ConfigError } from "../src/config/issue.ts";
import type { ParsedConfig } from "../src/config/parse.ts";
import { plainIssue } from "../src/config/format.ts";
import { SentinelError } from "../src/contract/errors.ts";
import { checkWriters, type LoadedConfig, printIssues } from "./config_file.ts";
import { CommandFailed, EXIT } from "./exit.ts";
import { stateFolder } from "./folders.ts";
import type { Gateway, Io } from "./io.ts";
import type { Output } from "./output.ts";

/** Runs `load`; a wrong configuration is printed and becomes the exit code. */
export async function orExitCode<Loaded>(
  output: Output,
  load: () => Promise<Loaded>,
): Promise<Loaded | number> {
  try {
    return await load();
  } catch (thrown) {
    if (!(thrown instanceof ConfigError)) throw thrown;
    const code = thrown.unsafe ? EXIT.unsafe : EXIT.badConfig;
    if (!output.isJson) printIssues(thrown, output);
    else {
      const items = thrown.issues.map(plainIssue);
      output.json("error", { code, message: thrown.message, hint: "mcp-sentinel validate", items });
    }
    return code;
  }
}

type StartOptions = Parameters<Awaited<ReturnType<Io["loadHost"]>>["startGateway"]>[0];

/** A configuration to start with. */
export interface StartRequest {
  readonly io: Io;
  readonly parsed: ParsedConfig;
  readonly source: StartOptions["source"];
  /** False for `stdio`. */
  readonly listen: boolean;
}

/** Starts the gateway of a configuration. @throws what `startFailure` puts into words */
export async function start({ io, parsed, source, listen }: StartRequest): Promise<Gateway> {
  const { config, secrets, notices } = parsed;
  const { startGateway } = await io.loadHost();
  const stateDir = stateFolder(io);
  return await startGateway({ config, secrets, notices, source, listen, stateDir });
}

/** The file a configuration came from; `load` reads it again in the same way. */
export function fileSource(
  { file, path, text }: LoadedConfig,
  { io, load }: { readonly io: Io; readonly load: () => Promise<ParsedConfig> },
): StartOptions["source"] {
  const read = async () => {
    await checkWriters(file, io);
    return await load();
  };
  return { name: file, identity: path, text, read };
}

/** What the gateway says of an address that it cannot listen on. */
interface ListenFailure {
  readonly listener: "server" | "management";
  readonly address: string;
}

/** The listener that could not be opened; undefined for other failures. */
export function listenerOf(thrown: unknown): ListenFailure | undefined {
  const isOne = thrown instanceof Error && "listener" in thrown && "address" in thrown;
  return isOne ? thrown as Error & ListenFailure : undefined;
}

/** A failed start in words, for everything the system may refuse. */
export function startFailure(thrown: unknown): unknown {
  if (thrown instanceof SentinelError) return refusal(thrown);
  const failure = listenerOf(thrown);
  if (failure === undefined) return thrown;
  const { listener, address } = failure;
  const isServer = listener === "server";
  const shown = isServer ? address : `management address ${address}`;
  const option = isServer ? "--listen" : "--management-port";
  const code = codeOf(thrown);
  if (code === "EADDRINUSE") {
    const hint = `another gateway may be running; ${option} takes another ${
      isServer ? "address" : "port"
    }`;
    return new CommandFailed(EXIT.failed, `${shown} is taken`, hint);
  }
  if (code === "EACCES" || code === "EPERM") {
    const hint = `ports below 1024 are for root; ${option} takes another one`;
    return new CommandFailed(EXIT.failed, `not allowed to listen on ${shown}`, hint);
  }
  if (code === "EADDRNOTAVAIL" || code === "ENOTFOUND") {
    const everywhere = isServer ? "--listen 127.0.0.1:8808" : "--management-host 127.0.0.1";
    const hint = `${everywhere} is on every machine`;
    return new CommandFailed(EXIT.failed, `this machine has no address ${address}`, hint);
  }
  return new CommandFailed(EXIT.failed, (thrown as Error).message);
}

/** What the gateway itself refused. */
function refusal({ code, message }: SentinelError): CommandFailed {
  return new CommandFailed(code === "CONFIG_INVALID" ? EXIT.badConfig : EXIT.failed, message);
}

/** The system's name for a failure. */
export function codeOf(thrown: unknown): string | undefined {
  const code = thrown instanceof Error ? (thrown as NodeJS.ErrnoException).code : undefined;
  return typeof code === "string" ? code : undefined;
}

/** Waits until the gateway has drained and stopped; the signal that asked for it is the exit code. */
export async function exitCodeOf(ended: Promise<unknown>): Promise<number> {
  let code: number = EXIT.done;
  const interrupted = () => void (code = EXIT.interrupted);
  const terminated = () => void (code = EXIT.terminated);
  // The gateway's own handlers do the work; these only remember which signal it was.
  process.once("SIGINT", interrupted);
  process.once("SIGTERM", terminated);
  try {
    await ended;
    return code;
  } finally {
    process.off("SIGINT", interrupted);
    process.off("SIGTERM", terminated);
  }
}
