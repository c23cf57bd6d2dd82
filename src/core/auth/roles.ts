/** Which roles of the configuration a token gives. */
import { isObject, type JsonObject } from "../mcp/json.ts";
import { compilePatterns, type Matcher } from "../patterns.ts";

/** Values of the claim that are looked at; a signed token could carry thousands. */
const MAX_VALUES = 500;
const FALLBACK = ["default"];

export interface RoleOptions {
  /** Claim with the roles; dots lead into objects, unless the whole text is a claim. */
  readonly claim: string;
  /** Pattern over values of the claim = role. */
  readonly map: Readonly<Record<string, string>>;
  /** Roles there are. */
  readonly names: readonly string[];
}

/** Gives the roles of verified claims, sorted, at least one. */
export type RoleReader = (claims: JsonObject) => readonly string[];

/** What one value of the claim gives. */
export interface RoleGround {
  readonly value: string;
  /** Undefined: none. */
  readonly role: string | undefined;
  /** The pattern of the map that decided; undefined: the role of that name, or none. */
  readonly pattern: string | undefined;
}

interface RolePattern {
  readonly pattern: string;
  readonly role: string;
  readonly matches: Matcher;
  readonly weight: number;
}

/** The roles that values of the claim give; who has none is of the role `default`. */
export function createRoleReader(options: RoleOptions): RoleReader {
  const groundsOf = createGroundReader(options);
  return (claims) => {
    const roles = new Set(groundsOf(claims).flatMap(({ role }) => role ?? []));
    return roles.size === 0 ? FALLBACK : [...roles].sort();
  };
}

/**
 * Each value of the claim gives one role: that of the most specific pattern that matches (most characters
 * that are no `*`; among equals the first of the file), else the role of its own name, else none.
 */
export function createGroundReader(
  { claim, map, names }: RoleOptions,
): (claims: JsonObject) => readonly RoleGround[] {
  const patterns = Object.entries(map)
    .map(([pattern, role]): RolePattern => ({
      pattern,
      role,
      matches: compilePatterns([pattern]),
      weight: weigh(pattern),
    }))
    .toSorted((a, b) => b.weight - a.weight);
  const known = new Set(names);
  return (claims) => valuesOf(claims, claim).map((value) => groundOf(value, patterns, known));
}

function groundOf(
  value: string,
  patterns: readonly RolePattern[],
  known: ReadonlySet<string>,
): RoleGround {
  const found = patterns.find(({ matches }) => matches(value));
  if (found !== undefined) return { value, role: found.role, pattern: found.pattern };
  return { value, role: known.has(value) ? value : undefined, pattern: undefined };
}

function weigh(pattern: string): number {
  const literal = pattern.replaceAll("*", "").length;
  // A whole name outweighs every pattern that matches it too.
  return pattern.includes("*") ? literal : literal + 0.5;
}

/** A list of texts, or texts in one (`scope` and its kin are written so). */
function valuesOf(claims: JsonObject, claim: string): string[] {
  const found = memberOf(claims, claim) ?? memberAt(claims, claim.split("."));
  const values = typeof found === "string" ? found.split(" ") : Array.isArray(found) ? found : [];
  return values.slice(0, MAX_VALUES)
    .filter((value): value is string => typeof value === "string" && value !== "");
}

function memberAt(claims: JsonObject, path: readonly string[]): unknown {
  let value: unknown = claims;
  for (const name of path) value = isObject(value) ? memberOf(value, name) : undefined;
  return value;
}

function memberOf(value: JsonObject, name: string): unknown {
  return Object.hasOwn(value, name) ? value[name] : undefined;
}
