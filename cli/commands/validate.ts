import { formatGithub, plainIssue } from "../../src/config/format.ts";
import { ConfigError, type Issue } from "../../src/config/issue.ts";
import { loadConfig, type LoadedConfig, printIssues } from "../config_file.ts";
import type { ConfigOptions } from "../config_options.ts";
import { EXIT } from "../exit.ts";
import type { Io } from "../io.ts";
import { counted, type Output } from "../output.ts";

interface ValidateOptions extends ConfigOptions {
  readonly format: "text" | "json" | "github";
}

interface ValidateRequest {
  readonly io: Io;
  readonly output: Output;
  readonly options: ValidateOptions;
  readonly file: string | undefined;
}

/** Checks the configuration without starting anything; every problem means exit code 3. */
export async function validate({ io, output, options, file }: ValidateRequest): Promise<number> {
  const format = output.isJson ? "json" : options.format;
  try {
    const config = file ?? options.config;
    const loaded = await loadConfig({
      io,
      options: config === undefined ? options : { ...options, config },
    });
    printGood(loaded, format, output);
    return EXIT.done;
  } catch (thrown) {
    if (!(thrown instanceof ConfigError)) throw thrown;
    if (format === "text") printIssues(thrown, output);
    else if (format === "github") output.line(formatGithub(thrown.issues));
    else printJson({ file: thrown.issues[0]?.file ?? "", issues: thrown.issues }, output);
    return EXIT.badConfig;
  }
}

function printGood(loaded: LoadedConfig, format: ValidateOptions["format"], output: Output): void {
  const { file, config, notices, warnings, secrets } = loaded;
  if (format === "json") return printJson({ file, notices, warnings, issues: [] }, output);
  for (const warning of [...notices, ...warnings]) output.warn(warning);
  if (output.isQuiet) return;
  const parts = [
    counted(Object.keys(config.backends).length, "backend"),
    counted(Object.keys(config.toolsets).length, "toolset"),
    counted(secrets.length, "secret"),
  ];
  output.line(`${output.paint("good", "ok")}  ${file}: ${parts.join(", ")}`);
}

interface Checked {
  readonly file: string;
  readonly issues: readonly Issue[];
  readonly notices?: readonly string[];
  readonly warnings?: readonly string[];
}

function printJson({ file, issues, notices = [], warnings = [] }: Checked, output: Output): void {
  const valid = issues.length === 0;
  output.json("config-check", { file, valid, items: issues.map(plainIssue), notices, warnings });
}
