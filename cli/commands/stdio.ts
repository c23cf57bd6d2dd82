import { resolve } from "node:path";
import { SentinelError } from "../../src/contract/errors.ts";
import { checkWriters, loadConfig } from "../config_file.ts";
import { checkedEndpoint } from "../connect/endpoint.ts";
import type { ConfigOptions } from "../config_options.ts";
import { CommandFailed, EXIT } from "../exit.ts";
import type { Io } from "../io.ts";
import type { Output } from "../output.ts";
import { exitCodeOf, fileSource, orExitCode, start, startFailure } from "../start.ts";
import { tokenFile } from "../target.ts";

interface StdioRequest {
  readonly io: Io;
  readonly output: Output;
  readonly options: ConfigOptions & {
    /** Of a gateway that listens. */
    readonly url?: string;
    /** Variable that holds the client's token. */
    readonly tokenEnv?: string;
    /** File that holds it. */
    readonly tokenFile?: string;
  };
}

/** Serves one client on stdin and stdout until it closes stdin. Nothing else is written to stdout. */
export async function stdio({ io, output, options }: StdioRequest): Promise<number> {
  if (options.url !== undefined) return await leadTo(options.url, { io, output, options });
  const loaded = await orExitCode(output, () => loadConfig({ io, options }));
  if (typeof loaded === "number") return loaded;
  const { file } = loaded;
  const warnings = [await checkWriters(file, io) ?? [], loaded.warnings].flat();
  for (const warning of warnings) output.warn(warning);
  const load = () => loadConfig({ io, options: { ...options, config: file } });
  const source = fileSource(loaded, { io, load });
  const gateway = await start({ io, parsed: loaded, source, listen: false }).catch((thrown) => {
    throw startFailure(thrown);
  });
  const ended = Promise.race([gateway.stdio(io.env[TOKEN]), gateway.finished]);
  try {
    return await exitCodeOf(ended);
  } catch (thrown) {
    throw isUnauthenticated(thrown) ? noToken() : thrown;
  } finally {
    await gateway.stop();
  }
}

/** The client talks to the gateway at the URL. */
async function leadTo(text: string, request: StdioRequest): Promise<number> {
  const { io, output, options } = request;
  const url = new URL(checkedEndpoint(text));
  if (options.config !== undefined) {
    throw new CommandFailed(EXIT.usage, "either --url or --config", "the gateway has its own file");
  }
  const { bridge } = await import("../bridge.ts");
  const token = options.tokenFile === undefined
    ? io.env[options.tokenEnv ?? TOKEN] || undefined
    : await tokenFile(resolve(io.cwd, options.tokenFile), output);
  const ended = bridge({ url, token, warn: (message) => output.warn(message) });
  return await exitCodeOf(ended);
}

/** Where sign-in is on, the client's token; stdin and stdout have no place for it. */
const TOKEN = "SENTINEL_TOKEN";

function isUnauthenticated(thrown: unknown): boolean {
  return thrown instanceof SentinelError && thrown.code === "UNAUTHENTICATED";
}

function noToken(): CommandFailed {
  const message = `sign-in is on, and the variable ${TOKEN} holds no valid token`;
  const hint = "set it where the client starts this command, or use a file without [auth]";
  return new CommandFailed(EXIT.unauthorized, message, hint);
}
