/** A configuration that a test changes as a person changes a file. */
import * as v from "valibot";
import { compareConfigs, configHash } from "../../src/config/diff.ts";
import { resolvedView } from "../../src/config/view.ts";
import { type Config, ConfigSchema, SentinelError } from "../../src/contract/mod.ts";
import type { ConfigProposal, ConfigSource } from "../../src/ports/config_source.ts";

type ConfigInput = v.InferInput<typeof ConfigSchema>;

export class EditableSource implements ConfigSource {
  readonly name = "sentinel.toml";
  readonly hash: string;
  /** How often it was read. */
  reads = 0;
  #input: unknown;

  static async of(input: ConfigInput): Promise<EditableSource> {
    return new EditableSource(input, await configHash(v.parse(ConfigSchema, input), []));
  }

  private constructor(input: ConfigInput, hash: string) {
    this.#input = input;
    this.hash = hash;
  }

  /** What the next reload finds; may be wrong on purpose. */
  write(input: unknown): void {
    this.#input = input;
  }

  async read(running: Config): Promise<ConfigProposal> {
    this.reads++;
    const parsed = v.safeParse(ConfigSchema, this.#input);
    if (!parsed.success) {
      const issues = parsed.issues.map(({ message }) => ({ message }));
      throw new SentinelError("CONFIG_INVALID", "Cannot load sentinel.toml", { more: { issues } });
    }
    const hash = await configHash(parsed.output, []);
    const { changes, effective } = compareConfigs(running, parsed.output, []);
    return { config: effective, changes, warnings: [], hash, adopt: () => {} };
  }

  view(config: Config): Readonly<Record<string, unknown>> {
    return resolvedView(config, []);
  }
}
