import { ConfigError, type Issue } from "../../src/config/issue.ts";
import { parseConfig, type ParsedConfig, type ParseOptions } from "../../src/config/parse.ts";

const DEFAULTS: ParseOptions = {
  file: "sentinel.toml",
  env: {},
  readFile: (path) => Promise.reject(new Error(`no file ${path} in this test`)),
};

/** Parses a text that is expected to be right. */
export async function parse(
  text: string,
  options: Partial<ParseOptions> = {},
): Promise<ParsedConfig> {
  return await parseConfig(text, { ...DEFAULTS, ...options });
}

/** Parses a text that is expected to be wrong. */
export async function issuesOf(
  text: string,
  options: Partial<ParseOptions> = {},
): Promise<readonly Issue[]> {
  try {
    await parse(text, options);
  } catch (thrown) {
    if (thrown instanceof ConfigError) return thrown.issues;
    throw thrown;
  }
  throw new Error("This configuration was expected to be refused, but it was accepted");
}
