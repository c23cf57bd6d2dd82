/** Checks by @cfworker/json-schema: nothing is compiled, so it works where code must not be generated. */
import { dereference, type OutputUnit, type Schema, validate } from "@cfworker/json-schema";
import {
  type Problem,
  type SchemaCheck,
  type SchemaCompiler,
  STEPS_KEYWORD,
} from "../../ports/schema_compiler.ts";
import { Steps, TooManySteps } from "./steps.ts";

const DIALECT = "2020-12";
/** Values with more in them are looked at until the first problem is found. */
const MAX_THOROUGH = 1000;
/** Of one check, however much is wrong. */
const MAX_PROBLEMS = 100;

export const TOO_MUCH: readonly Problem[] = [{
  path: "$",
  message: "It is too much work to check this against the schema; send less, or nest less.",
}];

/** Keywords that only say that something further down is wrong, which is told there. */
const HOLDERS = new Set([
  "$ref",
  "additionalProperties",
  "allOf",
  "dependentSchemas",
  "if",
  "items",
  "patternProperties",
  "prefixItems",
  "properties",
  "propertyNames",
  "unevaluatedItems",
  "unevaluatedProperties",
]);

export const interpreter: SchemaCompiler = { compile: interpret };

export function interpret(schema: Readonly<Record<string, unknown>>): SchemaCheck {
  const steps = new Steps();
  const metered = structuredClone(schema) as Schema;
  countSteps(metered, steps);
  const lookup = dereference(metered);
  return (value, nodes) => {
    steps.begin(nodes);
    try {
      const { valid, errors } = validate(
        value,
        metered,
        DIALECT,
        lookup,
        nodes > MAX_THOROUGH,
      );
      return valid ? [] : problemsOf(errors);
    } catch (cause) {
      // A chain of references can also be too deep for the stack.
      if (cause instanceof TooManySteps || cause instanceof RangeError) return TOO_MUCH;
      throw cause;
    }
  };
}

/**
 * The library reads each keyword it knows whenever it visits a schema. One that no normal form has counts
 * these visits.
 */
function countSteps(part: unknown, steps: Steps): void {
  if (typeof part !== "object" || part === null) return;
  for (const inner of Object.values(part)) countSteps(inner, steps);
  if (!Object.hasOwn(part, STEPS_KEYWORD)) return;
  Object.defineProperty(part, "$recursiveAnchor", {
    enumerable: false,
    get: () => steps.take(),
  });
}

function problemsOf(errors: readonly OutputUnit[]): readonly Problem[] {
  const told = errors.filter(({ keyword }) => !HOLDERS.has(keyword));
  const problems = (told.length === 0 ? errors : told).slice(0, MAX_PROBLEMS).map(problemOf);
  const known = new Set<string>();
  return problems.filter(({ path, message }) => {
    const text = `${path} ${message}`;
    return !known.has(text) && known.add(text);
  });
}

function problemOf({ keyword, error, instanceLocation }: OutputUnit): Problem {
  const message = keyword === "false" ? "It is not allowed here." : error;
  return { path: pathOf(instanceLocation), message };
}

/** `#/a/0/b c` as `$.a[0]["b c"]`. */
function pathOf(pointer: string): string {
  const parts = pointer.split("/").slice(1).map((part) =>
    part.replaceAll("~1", "/").replaceAll("~0", "~")
  );
  return `$${parts.map(member).join("")}`;
}

function member(name: string): string {
  if (/^\d+$/.test(name)) return `[${name}]`;
  return /^[\p{L}_][\p{L}\p{N}_-]*$/u.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
}
