/** A configuration that a test changes as a person changes a file. */
import * as v from "valibot";
import { compareConfigs, configHash } from "../../src/config/diff.ts";
import { resolvedView } from "../../src/config/view.ts";
import { type Config, ConfigSchema, SentinelError } from "../../src/contract/mod.ts";
import type { ConfigProposal, ConfigSource } from "../../src/ports/config_source.ts";

type ConfigInput = v.InferInput<typeof ConfigSchema>;

/** Tests of other things call as often as they like. */
export const NO_LIMITS = {
  default: { rate: "1000000/s" },
  concurrency: 100_000,
  per_session: 100_000,
  // A machine that is busy with other tests is not overloaded.
  max_lag: "1h",
} satisfies ConfigInput["limits"];

export class EditableSource implements ConfigSource {
  readonly name = "sentinel.toml";
  readonly hash: string;
  /** How often it was read. */
  reads = 0;
  #input: unknown;
  /** Stay as they were where a change says nothing about them. */
  readonly #limits: ConfigInput["limits"];

  static async of(input: ConfigInput): Promise<EditableSource> {
    const hash = await configHash(v.parse(ConfigSchema, input), []);
    return new EditableSource(input, input.limits, hash);
  }

  private constructor(input: ConfigInput, limits: ConfigInput["limits"], hash: string) {
    this.#input = input;
    this.#limits = limits;
    this.hash = hash;
  }

  /** What the next reload finds; may be wrong on purpose. */
  write(input: unknown): void {
    this.#input = isObject(input) ? { limits: this.#limits, ...input } : input;
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

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
