/** What the management API asks of the configuration in force. */
import type { Config } from "../contract/mod.ts";
import type { ManageSettings, ManageToken } from "../manage/mod.ts";

export interface SettingsOptions {
  /** The configuration in force. */
  readonly config: () => Config;
  /** Lent to commands of this user; always valid. */
  readonly localToken: string;
  /** Names the listener is reached by. */
  readonly hostnames: ReadonlySet<string>;
}

/** Gives the settings, made anew only when another configuration is in force. */
export function liveSettings(
  { config, localToken, hostnames }: SettingsOptions,
): () => ManageSettings {
  const local: ManageToken = { name: "local", scope: "admin", value: localToken };
  let known: { readonly of: Config; readonly settings: ManageSettings } | undefined;
  return () => {
    const current = config();
    if (known?.of !== current) {
      const { tokens, public_health: publicHealth } = current.management;
      known = { of: current, settings: { tokens: [local, ...tokens], publicHealth, hostnames } };
    }
    return known.settings;
  };
}
