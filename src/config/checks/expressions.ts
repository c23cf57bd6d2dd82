/** The expressions of [[rules]]: names, types and regular expressions, each with its place. */
import type { Environment } from "@marcbachmann/cel-js";
import {
  EXPRESSION_LIMITS,
  literalPattern,
  nodesOf,
  RULE_BOUNDS,
  RULE_FUNCTIONS,
  RULE_TYPES,
  RULE_VARIABLES,
  type RulePhase,
  type RuleType,
} from "../../contract/rules.ts";
import { suggest } from "../../contract/suggest.ts";
import type { Finding, Path } from "../issue.ts";
import { printable, quote, type Table, tableAt, tablesIn, textAt } from "../raw.ts";
import { phaseOf } from "./rules.ts";

interface Written {
  readonly path: Path;
  readonly text: string;
  readonly phase: RulePhase;
  /** Name of the rule, for messages. */
  readonly rule: string;
  /** What it must give; undefined: anything. */
  readonly gives: "bool" | undefined;
}

/** What the parser tells of a mistake. */
interface Mistake {
  readonly code: string;
  readonly summary: string;
  readonly range?: { readonly start: number; readonly end: number };
}

/** Looks at every expression of the file; without one nothing is loaded. */
export async function expressionFindings(tree: Table): Promise<Finding[]> {
  const written = [...expressionsOf(tree)];
  if (written.length === 0) return [];
  const language = await loadLanguage();
  return written.slice(0, RULE_BOUNDS.rules * 2).flatMap((one) => language.check(one));
}

function* expressionsOf(tree: Table): Generator<Written> {
  for (const [index, table] of tablesIn(tree["rules"])) {
    const phase = phaseOf(table);
    if (phase === undefined) continue;
    const rule = textAt(table, "name") ?? "";
    const when = textAt(table, "when");
    const path = ["rules", index];
    if (isUsable(when)) yield { path: [...path, "when"], text: when, phase, rule, gives: "bool" };
    for (const [target, text] of Object.entries(tableAt(table, "set"))) {
      if (typeof text !== "string" || !isUsable(text)) continue;
      yield { path: [...path, "set", target], text, phase, rule, gives: undefined };
    }
  }
}

/** Others have been found already. */
function isUsable(text: string | undefined): text is string {
  return text !== undefined && text !== "" && text.length <= RULE_BOUNDS.expression;
}

interface Language {
  check(written: Written): Finding[];
}

async function loadLanguage(): Promise<Language> {
  const [cel, { RE2JS }] = await Promise.all([import("@marcbachmann/cel-js"), import("re2js")]);
  const environments = new Map<RulePhase, Environment>();
  const environmentOf = (phase: RulePhase): Environment => {
    const environment = environments.get(phase) ?? declare(new cel.Environment(OPTIONS), phase);
    environments.set(phase, environment);
    return environment;
  };
  const compiles = (pattern: string): string | undefined => {
    try {
      RE2JS.compile(pattern);
      return undefined;
    } catch (thrown) {
      return thrown instanceof Error ? thrown.message : String(thrown);
    }
  };
  return {
    check: (written) => {
      const environment = environmentOf(written.phase);
      const mistake = mistakeIn(environment, written);
      if (mistake !== undefined) return [findingOf(mistake, written)];
      return patternFindings(environment.parse(written.text).ast, written, compiles);
    },
  };
}

const OPTIONS = { homogeneousAggregateLiterals: false, limits: EXPRESSION_LIMITS } as const;

/** Types only: nothing is evaluated here. */
function declare(environment: Environment, phase: RulePhase): Environment {
  for (const [name, fields] of Object.entries(RULE_TYPES)) {
    environment.registerType(name, { fields: { ...fields } });
  }
  for (const [name, type] of Object.entries(RULE_VARIABLES[phase])) {
    environment.registerVariable(name, type);
  }
  for (const signature of Object.values(RULE_FUNCTIONS)) {
    environment.registerFunction(signature, { handler: (value: unknown) => value, async: false });
  }
  return environment;
}

function mistakeIn(environment: Environment, { text, gives }: Written): Mistake | undefined {
  const { valid, type, error } = environment.check(text);
  if (!valid) return error ?? { code: "", summary: "it is no expression" };
  if (gives === undefined || type === gives || type === "dyn") return undefined;
  return { code: "not_bool", summary: `it gives ${quote(type)} and not true or false` };
}

function findingOf(mistake: Mistake, written: Written): Finding {
  const { path, text, rule } = written;
  const range = trimmed(mistake.range, text);
  return {
    code: "wrong_value",
    path,
    at: "value",
    message: `rule ${quote(rule)} does not compile`,
    hint: printable(hintFor(mistake, written)),
    ...(range === undefined ? {} : { range }),
  };
}

/** The parser points at a name with its brackets, or behind the end. */
function trimmed(range: Mistake["range"], text: string): Mistake["range"] {
  if (range === undefined) return undefined;
  const start = Math.min(range.start, text.length);
  return { start, end: Math.max(start, Math.min(range.end, text.length)) };
}

function hintFor({ code, summary, range }: Mistake, { phase, text }: Written): string {
  const marked = text.slice(range?.start, range?.end);
  if (code === "unknown_variable") {
    const known = Object.keys(RULE_VARIABLES[phase]);
    return `unknown variable ${quote(marked)} — ${near(marked, known)}available: ${
      known.join(", ")
    }`;
  }
  const name = /^No such key: (\S+)$/.exec(summary)?.[1];
  if (code === "no_such_key" && name !== undefined) {
    const fields = fieldsOf(text, range?.start ?? 0);
    if (fields === undefined) return summary;
    return `no member ${quote(name)} — ${near(name, fields)}available: ${fields.join(", ")}`;
  }
  return summary;
}

function near(word: string, known: readonly string[]): string {
  const found = suggest(word, known);
  return found === undefined ? "" : `did you mean ${quote(found)}? `;
}

/** Members of the variable in front of a member. */
function fieldsOf(text: string, at: number): readonly string[] | undefined {
  const variable = /([a-z]+)\.\s*$/.exec(text.slice(0, at))?.[1];
  const type = Object.keys(RULE_TYPES).find((name) => name.toLowerCase() === variable);
  return type === undefined ? undefined : Object.keys(RULE_TYPES[type as RuleType]);
}

function patternFindings(
  ast: unknown,
  { path, rule }: Written,
  compiles: (pattern: string) => string | undefined,
): Finding[] {
  return [...nodesOf(ast)].flatMap((node): Finding[] => {
    const pattern = literalPattern(node);
    if (pattern === undefined) return [];
    const problem = pattern.text.length > RULE_BOUNDS.pattern
      ? `a regular expression may have ${RULE_BOUNDS.pattern} characters`
      : compiles(pattern.text);
    if (problem === undefined) return [];
    const { start, end } = pattern.at;
    return [{
      code: "wrong_value",
      path,
      at: "value",
      message: `a regular expression of rule ${quote(rule)} does not compile`,
      hint: printable(problem),
      range: { start, end },
    }];
  });
}
