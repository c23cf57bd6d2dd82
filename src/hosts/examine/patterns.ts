/** Patterns of the configuration that match nothing any backend offers: mostly a slip of the pen. */
import { formatPath, type Path } from "../../config/issue.ts";
import { locate } from "../../config/locate.ts";
import type { Capability } from "../../contract/manage/mod.ts";
import type { Check } from "../../contract/diagnosis.ts";
import type { Config } from "../../contract/mod.ts";
import { suggest } from "../../contract/suggest.ts";
import { exposedPrefix } from "../../core/catalog/naming.ts";
import { compilePatterns, mayMatchPrefix } from "../../core/patterns.ts";
import type { Greeted } from "./greeter.ts";

/** The file, for the line of a pattern. */
export interface PatternSource {
  readonly file: string;
  readonly text: string;
}

/** A pattern over exposed names, and where it stands. */
interface Placed {
  readonly path: Path;
  readonly pattern: string;
  readonly kinds: readonly Capability["kind"][];
}

/** A pattern that matches nothing. */
interface Idle {
  readonly path: Path;
  readonly text: string;
  readonly near: string | undefined;
}

const TOOLS = ["tool"] as const;
const NAMED = ["tool", "prompt"] as const;

/**
 * @param backends those that answered; what only the others could offer is not judged
 * @param source absent: it is not said in which line a pattern stands
 */
export async function patternChecks(
  config: Config,
  backends: readonly Greeted[],
  source?: PatternSource,
): Promise<readonly Check[]> {
  const answered = new Set(backends.map(({ name }) => name));
  const silent = Object.entries(config.backends).filter(([name]) => !answered.has(name))
    .map(([name, { alias }]) => exposedPrefix(config.catalog, alias ?? name));
  const items = backends.flatMap(({ items }) => items);
  const placed = [...placedPatterns(config)].filter(({ pattern }) =>
    !silent.some((prefix) => mayMatchPrefix([pattern], prefix))
  );
  const idle = [
    ...placed.flatMap((one) => idleIn(one, items, config)),
    ...backends.flatMap(idleOfBackend),
  ];
  return await Promise.all(idle.map((one) => checkOf(one, source)));
}

async function checkOf({ path, text, near }: Idle, source?: PatternSource): Promise<Check> {
  const line = source === undefined ? undefined : await lineOf(path, source);
  return {
    section: "config",
    level: "warn",
    text: line === undefined ? text : `${text}  (${line})`,
    cure: near === undefined ? "correct or remove it" : `did you mean "${near}"?`,
  };
}

/** As `sentinel.toml:97:37`; undefined for what does not stand in the file. */
async function lineOf(path: Path, { file, text }: PatternSource): Promise<string | undefined> {
  const at = typeof path.at(-1) === "number" ? "value" : "key";
  const finding = { code: "unknown_name", path, at, message: "", hint: "" } as const;
  const [issue] = await locate([finding], { file, text, secrets: [], overrides: [] });
  return issue === undefined ? undefined : `${issue.file}:${issue.line}:${issue.column}`;
}

function* placedPatterns({ roles, toolsets, limits, kill }: Config): Generator<Placed> {
  for (const [section, tables] of Object.entries({ roles, toolsets })) {
    for (const [name, { tools, prompts, deny }] of Object.entries(tables)) {
      yield* each([section, name, "tools"], tools, TOOLS);
      yield* each([section, name, "prompts"], prompts, ["prompt"]);
      yield* each([section, name, "deny"], deny, NAMED);
    }
  }
  for (const pattern of Object.keys(limits.tools)) {
    yield { path: ["limits", "tools", pattern], pattern, kinds: TOOLS };
  }
  yield* each(["kill", "tools"], kill.tools, TOOLS);
}

/** What matches everything, or a resource, is no slip. */
function* each(
  path: Path,
  patterns: readonly string[],
  kinds: Placed["kinds"],
): Generator<Placed> {
  for (const [index, pattern] of patterns.entries()) {
    if (pattern === "*" || pattern.includes("://")) continue;
    yield { path: [...path, index], pattern, kinds };
  }
}

function idleIn(
  { path, pattern, kinds }: Placed,
  items: readonly Capability[],
  config: Config,
): readonly Idle[] {
  const known = items.filter(({ kind }) => kinds.includes(kind));
  const matches = compilePatterns([pattern]);
  if (known.some(({ name }) => matches(name))) return [];
  const what = kinds.length > 1 ? "tool or prompt" : kinds[0] ?? "tool";
  const text = `[${formatPath(tableOf(path))}] pattern "${pattern}" matches no ${what}`;
  return [{ path, text, near: nearest(pattern, known, config) }];
}

/** The table that holds the list, or the key. */
function tableOf(path: Path): Path {
  return path.slice(0, typeof path.at(-1) === "number" ? -2 : -1);
}

/** The same with the right prefix, where that matches something; else the nearest name. */
function nearest(
  pattern: string,
  known: readonly Capability[],
  { backends, catalog }: Config,
): string | undefined {
  for (const [name, { alias }] of Object.entries(backends)) {
    const prefix = exposedPrefix(catalog, alias ?? name);
    for (const start of [`${alias ?? name}`, name, ""]) {
      if (!pattern.startsWith(start)) continue;
      const rest = pattern.slice(start.length).replace(start === "" ? /^$/ : /^[_./:-]+/, "");
      const candidate = prefix + rest;
      const matches = compilePatterns([candidate]);
      if (rest !== "" && known.some((item) => item.backend === name && matches(item.name))) {
        return candidate;
      }
    }
  }
  return suggest(pattern, known.map(({ name }) => name));
}

/** Patterns of a backend over its own names. */
function idleOfBackend({ name, items, config: { tools } }: Greeted): readonly Idle[] {
  const originals = items.filter(({ kind }) => kind === "tool").map(({ original }) => original);
  const lists = { allow: tools.allow, deny: tools.deny, rename: Object.keys(tools.rename) };
  return Object.entries(lists).flatMap(([key, patterns]) =>
    [...patterns.entries()]
      .filter(([, pattern]) => pattern !== "*" && !originals.some(compilePatterns([pattern])))
      .map(([index, pattern]): Idle => ({
        path: ["backends", name, "tools", key, key === "rename" ? pattern : index],
        text: `[${tomlPlace(name)}] ${key}: "${pattern}" matches no tool of it`,
        near: suggest(pattern, originals),
      }))
  );
}

function tomlPlace(backend: string): string {
  return formatPath(["backends", backend, "tools"]);
}
