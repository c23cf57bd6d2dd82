import {
  explainKey,
  type KeyExplanation,
  segmentsOf,
  suggestKey,
} from "../../src/config/explain.ts";
import { ConfigError, type Path } from "../../src/config/issue.ts";
import { valueAt } from "../../src/config/raw.ts";
import { tomlValue } from "../../src/config/toml.ts";
import { resolvedView } from "../../src/config/view.ts";
import { findConfig, loadConfig, parseText } from "../config_file.ts";
import type { ConfigOptions } from "../config_options.ts";
import { CommandFailed, EXIT } from "../exit.ts";
import type { Io } from "../io.ts";
import { columns, type Output } from "../output.ts";

interface ExplainRequest {
  readonly io: Io;
  readonly output: Output;
  readonly options: ConfigOptions;
  readonly key: string;
}

/** Prints what a key means, its default, and the value in force with where it comes from. */
export async function explainConfig(request: ExplainRequest): Promise<number> {
  const { output, key } = request;
  const explanation = explainKey(key);
  if (explanation === undefined) {
    const near = suggestKey(key);
    const hint = near === undefined ? "" : `did you mean ${near}?`;
    throw new CommandFailed(EXIT.usage, `there is no key "${key}"`, hint);
  }
  const winner = await winnerOf(request);
  if (output.isJson) output.json("config-key", { ...explanation, ...winner });
  else print(explanation, winner, output);
  return EXIT.done;
}

interface Winner {
  /** TOML. */
  readonly value?: string;
  /** Option, variable, file or `default`. */
  readonly source?: string;
}

/** The value in force; empty for keys of many values and for a file that is wrong. */
async function winnerOf({ io, options, key, output }: ExplainRequest): Promise<Winner> {
  const path: Path = segmentsOf(key).map((segment) =>
    /^\d+$/.test(segment) ? Number(segment) : segment
  );
  try {
    const file = await findConfig(io, options.config);
    const parsed = file === undefined
      ? await parseText("", "sentinel.toml", { io, options })
      : await loadConfig({ io, options: { ...options, config: file } });
    const value = valueAt(resolvedView(parsed.config, parsed.secrets), path);
    if (value === undefined) return {};
    const source = parsed.origin(path);
    return { value: tomlValue(value), source: source === "file" ? file ?? source : source };
  } catch (thrown) {
    if (!(thrown instanceof ConfigError)) throw thrown;
    output.warn("the configuration has errors, so its value is not shown: mcp-sentinel validate");
    return {};
  }
}

function print(explanation: KeyExplanation, winner: Winner, output: Output): void {
  const { about, keys, required, effect, secret, example, variable } = explanation;
  output.line(output.paint("strong", explanation.key));
  output.line(`  ${about}`);
  output.line();
  const rows: [string, string | undefined][] = [
    ["type", explanation.type],
    ["default", required ? "none, the key is required" : explanation.default],
    ["example", example === undefined ? undefined : exampleOf(explanation.key, example)],
    ["value", winner.value === undefined ? undefined : `${winner.value}   from ${winner.source}`],
    ["variable", variable],
    ["a change", CHANGES[explanation.reload]],
    ["secret", secret ? "write it as ${env:NAME} or ${file:PATH}" : undefined],
    ["effect", effect ? undefined : "none in this version"],
  ];
  const known = rows.filter((row): row is [string, string] => row[1] !== undefined);
  for (const row of columns(known)) output.line(row);
  if (keys.length === 0) return;
  output.line();
  for (const row of columns(keys.map((entry) => [entry.key, entry.about]))) output.line(row);
}

const CHANGES: Readonly<Record<KeyExplanation["reload"], string>> = {
  live: "takes effect with a reload",
  reconnect: "takes effect with a reload, which makes the backend's connections anew",
  restart: "takes effect with the next start",
};

function exampleOf(key: string, example: string): string {
  return `${key.split(".").at(-1)} = ${example}`;
}
