/** Where a gateway reads its configuration anew: the same loader as at the start, compared with what runs. */
import { compareConfigs, configHash } from "../config/diff.ts";
import { plainIssue } from "../config/format.ts";
import { ConfigError } from "../config/issue.ts";
import type { ParsedConfig } from "../config/parse.ts";
import { resolvedView } from "../config/view.ts";
import { type Config, SentinelError } from "../contract/mod.ts";
import type { ConfigProposal, ConfigSource } from "../ports/config_source.ts";
import type { Mask } from "./mask.ts";

export interface ConfigSourceOptions {
  /** For people: the file, or what else it came from. */
  readonly name: string;
  /** What the gateway starts with. */
  readonly first: Config;
  /** Loads it as at the start; absent when there is nothing to read. Rejects with an error in words. */
  readonly read?: () => Promise<ParsedConfig>;
  readonly mask: Mask;
}

export async function createConfigSource(options: ConfigSourceOptions): Promise<ConfigSource> {
  const { name, first, read, mask } = options;
  return {
    name,
    hash: await configHash(first, mask.secrets),
    read: async (running) => {
      if (read === undefined) throw nothingToRead();
      try {
        return await propose(running, await read(), mask);
      } catch (thrown) {
        throw refused(name, thrown);
      }
    },
    view: (config) => resolvedView(config, mask.secrets),
  };
}

async function propose(
  running: Config,
  { config, secrets, warnings, notices }: ParsedConfig,
  mask: Mask,
): Promise<ConfigProposal> {
  // A proposal may never be adopted, yet its secrets must not be shown either.
  const hidden = [...new Set([...secrets, ...mask.secrets])];
  const { changes, effective } = compareConfigs(running, config, hidden);
  return {
    config: effective,
    changes,
    warnings: [...notices, ...warnings],
    hash: await configHash(config, hidden),
    adopt: () => mask.learn(secrets),
  };
}

function nothingToRead(): SentinelError {
  return new SentinelError("OPERATION_DISABLED", "Cannot reload: there is no file to read", {
    reason: "the gateway was started without a configuration file",
  });
}

function refused(name: string, thrown: unknown): SentinelError {
  if (thrown instanceof SentinelError) return thrown;
  const reason = thrown instanceof Error ? thrown.message : String(thrown);
  if (!(thrown instanceof ConfigError)) {
    const message = `Cannot read "${name}": ${reason}`;
    return new SentinelError("CONFIG_INVALID", message, { more: { issues: [] } }, thrown);
  }
  const more = { issues: thrown.issues.map(plainIssue) };
  return new SentinelError("CONFIG_INVALID", reason, { more }, thrown);
}
