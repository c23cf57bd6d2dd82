import { checkWriters, loadConfig } from "../config_file.ts";
import type { ConfigOptions } from "../config_options.ts";
import type { Io } from "../io.ts";
import type { Output } from "../output.ts";
import { exitCodeOf, fileSource, orExitCode, start, startFailure } from "../start.ts";
import { welcome } from "../welcome.ts";

interface ServerRequest {
  readonly io: Io;
  readonly output: Output;
  readonly options: ConfigOptions;
}

/** Runs the gateway of the configuration until a signal ends it. */
export async function server({ io, output, options }: ServerRequest): Promise<number> {
  const loaded = await orExitCode(output, () => loadConfig({ io, options }));
  if (typeof loaded === "number") return loaded;
  const { config, file } = loaded;
  const warnings = [await checkWriters(file, io) ?? [], loaded.warnings].flat();
  for (const warning of warnings) output.warn(warning);
  const load = () => loadConfig({ io, options: { ...options, config: file } });
  const source = fileSource(loaded, { io, load });
  const gateway = await start({ io, parsed: loaded, source, listen: true }).catch((thrown) => {
    throw startFailure(thrown);
  });
  const { managementUrl: management } = gateway;
  const url = `${gateway.url}${config.server.path}`;
  if (output.isJson) output.json("server", { url, management, file });
  else if (!output.isQuiet) welcome({ url, management, file, config }, output);
  return await exitCodeOf(gateway.finished);
}
