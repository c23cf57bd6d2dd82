import { tomlDocument } from "../../src/config/toml.ts";
import { resolvedView } from "../../src/config/view.ts";
import { loadConfig } from "../config_file.ts";
import type { ConfigOptions } from "../config_options.ts";
import { EXIT } from "../exit.ts";
import type { Io } from "../io.ts";
import type { Output } from "../output.ts";
import { orExitCode } from "../start.ts";

interface ShowRequest {
  readonly io: Io;
  readonly output: Output;
  readonly options: ConfigOptions;
}

/** Prints the configuration in force, as TOML or JSON, without its secrets. */
export async function showConfig({ io, output, options }: ShowRequest): Promise<number> {
  const loaded = await orExitCode(output, () => loadConfig({ io, options }));
  if (typeof loaded === "number") return loaded;
  const config = resolvedView(loaded.config, loaded.secrets);
  if (output.isJson) output.json("config", { file: loaded.file, config });
  else output.line(`# ${loaded.file}, with defaults\n${tomlDocument(config).trimEnd()}`);
  return EXIT.done;
}
