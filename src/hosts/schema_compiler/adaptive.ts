/**
 * Interprets at first and compiles what is called often, beside the calls: no call waits for a compiler, and
 * no code is generated for the many tools that are called a few times.
 */
import type { Problem, SchemaCheck, SchemaCompiler } from "../../ports/schema_compiler.ts";
import type { Verdict } from "./ajv.ts";
import { interpret, TOO_MUCH } from "./interpreter.ts";
import { TooManySteps } from "./steps.ts";

type Schema = Readonly<Record<string, unknown>>;
type Compile = (schema: Schema) => Verdict;

/** Calls after which compiling pays. */
const CALLS_BEFORE = 5;
/** Values in it after which a call counts as all of them. */
const LARGE = 1000;
/** Compiling a larger schema (as JSON) would hold the event loop up for too long. */
const MAX_COMPILED = 16_000;
/**
 * Judged by the interpreter alone, because ajv rounds, has another opinion of what was evaluated, or compares
 * objects by calling what may be a member of the caller's ("toString").
 */
const INTERPRETED = new Set([
  "multipleOf",
  "unevaluatedItems",
  "unevaluatedProperties",
  "uniqueItems",
]);
const NONE: readonly Problem[] = [];
const UNKNOWN: readonly Problem[] = [{ path: "$", message: "It does not match the schema." }];

export interface AdaptiveOptions {
  /** Loads ajv; called once, when it is needed for the first time. */
  readonly load: () => Promise<Compile>;
  /** Runs a task soon, but not now. */
  readonly later: (task: () => void) => void;
}

export function createAdaptiveCompiler({ load, later }: AdaptiveOptions): SchemaCompiler {
  let loading: Promise<Compile> | undefined;
  let isForbidden = false;

  async function compiled(schema: Schema): Promise<Verdict | undefined> {
    if (isForbidden) return undefined;
    try {
      loading ??= load();
      const compile = await loading;
      await new Promise<void>((resolve) => later(resolve));
      return compile(schema);
    } catch (cause) {
      // The host forbids generated code or has no compiler; otherwise this schema is beyond it.
      isForbidden ||= cause instanceof EvalError;
      return undefined;
    }
  }

  return { compile: (schema) => adaptive(schema, compiled) };
}

function adaptive(
  schema: Schema,
  compiled: (schema: Schema) => Promise<Verdict | undefined>,
): SchemaCheck {
  const interpreted = interpret(schema);
  let untilCompiled = isCompilable(schema) ? CALLS_BEFORE : Infinity;
  let verdict: Verdict | undefined;
  return (value, nodes) => {
    if (verdict !== undefined) {
      const problem = judge(verdict, value, nodes);
      if (problem === undefined) return NONE;
      if (problem === TOO_MUCH) return TOO_MUCH;
      const problems = interpreted(value, nodes);
      return problems.length === 0 ? UNKNOWN : problems;
    }
    untilCompiled -= nodes > LARGE ? CALLS_BEFORE : 1;
    if (untilCompiled <= 0) {
      untilCompiled = Infinity;
      void compiled(schema).then((found) => verdict = found);
    }
    return interpreted(value, nodes);
  };
}

/** Whether a schema in normal form is worth compiling, and means the same compiled. */
export function isCompilable(schema: Schema): boolean {
  return JSON.stringify(schema).length <= MAX_COMPILED && meansTheSame(schema);
}

function meansTheSame(part: unknown): boolean {
  if (typeof part !== "object" || part === null) return true;
  return Object.entries(part).every(([key, inner]) => {
    if (INTERPRETED.has(key)) return false;
    if (key === "const") return typeof inner !== "object" || inner === null;
    if (key === "enum" && Array.isArray(inner)) {
      return inner.every((value) => typeof value !== "object" || value === null);
    }
    return meansTheSame(inner);
  });
}

function judge(
  verdict: Verdict,
  value: unknown,
  nodes: number,
): readonly Problem[] | undefined {
  try {
    return verdict(value, nodes) ? undefined : UNKNOWN;
  } catch (cause) {
    if (cause instanceof TooManySteps || cause instanceof RangeError) return TOO_MUCH;
    throw cause;
  }
}
