/** Two configurations compared: what a reload would change, and what would be in force afterwards. */
import type { Config } from "../contract/config.ts";
import type { ConfigChange } from "../contract/operations.ts";
import { checkSafety } from "./checks/safety.ts";
import { changesOf } from "./diff/changes.ts";
import { keepRunning } from "./diff/effective.ts";
import { ConfigError, type Finding, formatPath, type Issue } from "./issue.ts";
import { CONFIG_TREE } from "./parse.ts";
import { isTable, type Table } from "./raw.ts";
import { resolvedView, valueView } from "./view.ts";

/** Hex digits of a hash: enough to tell configurations apart, short enough to read out. */
const HASH_LENGTH = 12;

export interface Comparison {
  /**
   * In the order of the schema; secrets masked. A backend, toolset or token that comes or goes is one
   * change, without its defaults; a renamed one goes and comes. `reconnect` stands only on keys of a
   * backend that is in both.
   */
  readonly changes: readonly ConfigChange[];
  /** The next configuration with every key of class `restart` as it runs now. */
  readonly effective: Config;
}

/**
 * Compares the configuration in force with another one.
 * @param secrets values of both that must not be shown
 * @throws ConfigError when the two together would be unsafe: a listener that stays open to others until the
 *   next start, with tokens that are too weak for it
 */
export function compareConfigs(
  running: Config,
  next: Config,
  secrets: readonly string[],
): Comparison {
  const effective = keepRunning(CONFIG_TREE, running, next) as Config;
  refuseUnsafe(effective);
  return { changes: changesOf(running, next, valueView(secrets)), effective };
}

/** 12 hex digits over the resolved configuration; it does not change with a secret, nor with the order of names. */
export async function configHash(config: Config, secrets: readonly string[]): Promise<string> {
  const text = JSON.stringify(sorted(resolvedView(config, secrets)));
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  const hex = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0"));
  return hex.join("").slice(0, HASH_LENGTH);
}

function refuseUnsafe(effective: Config): void {
  const findings: Finding[] = [];
  // What the check reads is spelled in the parsed configuration as it is in the file.
  checkSafety(effective as unknown as Table, (finding) => void findings.push(finding));
  if (findings.length > 0) throw new ConfigError(findings.map(issueOf));
}

function issueOf({ code, path, message }: Finding): Issue {
  return {
    code,
    file: "(running)",
    line: 0,
    column: 0,
    endColumn: 0,
    path: formatPath(path),
    message: `${message}: ${formatPath(path)} keeps its running value until the next start`,
    hint: "restart the gateway, or leave in the file what the running value needs",
  };
}

/** Names in alphabetical order, at every depth; lists stay as they are. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isTable(value)) return value;
  const names = Object.keys(value).sort();
  return Object.fromEntries(names.map((name) => [name, sorted(value[name])]));
}
