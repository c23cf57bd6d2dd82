import type { Config } from "../contract/config.ts";
import type { ConfigChange } from "../contract/operations.ts";

/** A configuration that was read and is valid, compared with the one in force. */
export interface ConfigProposal {
  /** What would be in force: keys that need a restart keep their running value. */
  readonly config: Config;
  /** What differs from the one in force, secrets masked; in the order of the schema. */
  readonly changes: readonly ConfigChange[];
  readonly warnings: readonly string[];
  /** 12 hex digits over the resolved, masked configuration as it stands in the source. */
  readonly hash: string;
  /** Makes its secrets known to every mask; called before it is put in force. */
  adopt(): void;
}

/** Where the configuration comes from. */
export interface ConfigSource {
  /** For people: the file, or what else it came from. */
  readonly name: string;
  /** Of the configuration the gateway was started with. */
  readonly hash: string;
  /**
   * Reads, checks and compares. Changes nothing.
   * @throws SentinelError CONFIG_INVALID with `more.issues`, OPERATION_DISABLED when there is nothing to read
   */
  read(running: Config): Promise<ConfigProposal>;
  /** Resolved and masked, spelled as in the file. */
  view(config: Config): Readonly<Record<string, unknown>>;
}
