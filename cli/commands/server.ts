import { checkWriters, type ConfigOptions, loadConfig } from "../config_file.ts";
import type { Io } from "../io.ts";
import type { Output } from "../output.ts";
import { welcome } from "../welcome.ts";
import { exitCodeOf, orExitCode, start, startFailure } from "../start.ts";

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
  const gateway = await start(loaded, io, true).catch((thrown: unknown) => {
    throw startFailure(thrown, config.server.listen);
  });
  const url = `${gateway.url}${config.server.path}`;
  if (output.isJson) output.json("server", { url, file });
  else if (!output.isQuiet) {
    const backends = Object.keys(config.backends);
    welcome({ url, file, backends, name: config.server.name }, output);
  }
  return await exitCodeOf(gateway.finished);
}
