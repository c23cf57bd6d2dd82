import { SentinelError } from "../../src/contract/errors.ts";
import { checkWriters, loadConfig } from "../config_file.ts";
import type { ConfigOptions } from "../config_options.ts";
import { CommandFailed, EXIT } from "../exit.ts";
import type { Io } from "../io.ts";
import type { Output } from "../output.ts";
import { exitCodeOf, fileSource, orExitCode, start, startFailure } from "../start.ts";

interface StdioRequest {
  readonly io: Io;
  readonly output: Output;
  readonly options: ConfigOptions;
}

/** Serves one client on stdin and stdout until it closes stdin. Nothing else is written to stdout. */
export async function stdio({ io, output, options }: StdioRequest): Promise<number> {
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
