import { checkWriters, type ConfigOptions, loadConfig } from "../config_file.ts";
import type { Io } from "../io.ts";
import type { Output } from "../output.ts";
import { exitCodeOf, orExitCode, start } from "../start.ts";

interface StdioRequest {
  readonly io: Io;
  readonly output: Output;
  readonly options: ConfigOptions;
}

/** Serves one client on stdin and stdout until it closes stdin. Nothing else is written to stdout. */
export async function stdio({ io, output, options }: StdioRequest): Promise<number> {
  const loaded = await orExitCode(output, () => loadConfig({ io, options }));
  if (typeof loaded === "number") return loaded;
  const warnings = [await checkWriters(loaded.file, io) ?? [], loaded.warnings].flat();
  for (const warning of warnings) output.warn(warning);
  const gateway = await start(loaded, io, false);
  const ended = Promise.race([gateway.stdio(), gateway.finished]);
  const code = await exitCodeOf(ended);
  await gateway.stop();
  return code;
}
