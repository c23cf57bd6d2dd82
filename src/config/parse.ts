import { type Config, ConfigSchema } from "../contract/config.ts";
import { keyTree } from "../contract/config/tree.ts";
import { checkBackends } from "./checks/backends.ts";
import { expressionFindings } from "./checks/expressions.ts";
import { checkPolicy } from "./checks/policy.ts";
import { checkRules } from "./checks/rules.ts";
import { checkSafety } from "./checks/safety.ts";
import { checkStores } from "./checks/stores.ts";
import { ConfigError, type Finding, formatPath, type Path } from "./issue.ts";
import { locate } from "./locate.ts";
import { noticesFor } from "./notices.ts";
import { applyOverrides, environmentOverrides, type Override, placeAppended } from "./overrides.ts";
import { type Table, valueAt } from "./raw.ts";
import { type ReferenceSources, type Resolved, resolveReferences } from "./references.ts";
import { knownSecrets, literalFindings, literalSecrets } from "./secrets.ts";
import { checkShape } from "./shape.ts";
import { parseToml } from "./syntax.ts";
import { warningsFor } from "./warnings.ts";

/** Every key of the configuration, for readers of the table. */
export const CONFIG_TREE = keyTree(ConfigSchema);

export interface ParseOptions extends ReferenceSources {
  /** Name shown in errors. */
  readonly file: string;
  /** Values of command line options; they win over the environment, which wins over the file. */
  readonly overrides?: readonly Override[];
  /** Milliseconds since 1970; without it nothing is said about tokens that have expired. */
  readonly now?: number;
}

export interface ParsedConfig {
  readonly config: Config;
  /** What is accepted but has no effect yet. */
  readonly notices: readonly string[];
  /** What works but should be looked after. */
  readonly warnings: readonly string[];
  /** Resolved secrets, to be masked in every output; longest first. */
  readonly secrets: readonly string[];
  /** Where the value of a key came from: an option, a variable, `file`, or `default`. */
  readonly origin: (path: Path) => string;
}

/**
 * Reads a configuration: TOML, then references, then values from options and environment, then the schema
 * and what has to fit together.
 * @throws ConfigError with everything that is wrong
 */
export async function parseConfig(text: string, options: ParseOptions): Promise<ParsedConfig> {
  // A byte order mark is allowed in TOML files, but not known to every parser.
  const source = text.replace(/^\ufeff/, "");
  const written = parseToml(source, options.file);
  const resolved = await resolveReferences(written, options);
  const given = [...environmentOverrides(options.env, CONFIG_TREE), ...options.overrides ?? []];
  const overrides = placeAppended(given, written);
  const tree = applyOverrides(resolved.tree, overrides);
  const literals = literalSecrets(written, CONFIG_TREE);
  const { config, findings } = await check(tree, applyOverrides(written, overrides), {
    resolved,
    literals,
  });
  if (config === undefined || findings.length > 0) {
    const { file } = options;
    const place = { file, text: source, secrets: literals, overrides: overrides.toReversed() };
    throw new ConfigError(await locate(findings, place));
  }
  return {
    config,
    notices: noticesFor(tree, CONFIG_TREE),
    warnings: [...resolved.warnings, ...warningsFor(config, options.now)],
    secrets: knownSecrets(tree, resolved.references, CONFIG_TREE),
    origin: (path) => originOf(path, written, overrides),
  };
}

interface Read {
  readonly resolved: Resolved;
  readonly literals: readonly Path[];
}

async function check(tree: Table, written: Table, { resolved, literals }: Read) {
  const first = [...resolved.findings, ...literalFindings(literals, written, CONFIG_TREE)];
  // What could not be resolved, or must not stand there, says nothing more about itself.
  const settled = new Set(first.map((finding) => formatPath(finding.path)));
  const shape = checkShape(tree, written, CONFIG_TREE);
  const later: Finding[] = [...shape.findings];
  for (const run of [checkBackends, checkPolicy, checkRules, checkStores, checkSafety]) {
    run(tree, (finding) => void later.push(finding));
  }
  later.push(...await expressionFindings(tree));
  const findings = [...first, ...later.filter((finding) => !settled.has(formatPath(finding.path)))];
  return { config: shape.config, findings };
}

function originOf(path: Path, written: Table, overrides: readonly Override[]): string {
  const id = formatPath(path);
  const override = overrides.findLast((entry) => formatPath(entry.path) === id);
  if (override !== undefined) return override.source;
  return valueAt(written, path) === undefined ? "default" : "file";
}
