/** Checks of values against JSON Schema: compiled where a host allows it, interpreted elsewhere. */

/** One place of a value that the schema does not accept. */
export interface Problem {
  /** Where, as JSON path: `$` is the whole. */
  readonly path: string;
  /** What is wrong there. Names of the value may stand in it, at any length. */
  readonly message: string;
}

/**
 * Finds what is wrong with a value; empty when nothing is. `nodes` is how many values it holds: the work is
 * bounded by a multiple of it, and a value that needs more has that as its only problem.
 */
export type SchemaCheck = (value: unknown, nodes: number) => readonly Problem[];

/**
 * Counts the work of a check: stands beside the keywords of a subschema that may be visited more often than
 * the one that holds it.
 */
export const STEPS_KEYWORD = "x-steps";

export interface SchemaCompiler {
  /**
   * A check for a schema in the normal form of the core: 2020-12, only references within itself, patterns of
   * linear time, `STEPS_KEYWORD`. The schema is not changed and must not be changed any more.
   *
   * @throws for a schema that cannot be used
   */
  compile(schema: Readonly<Record<string, unknown>>): SchemaCheck;
}
