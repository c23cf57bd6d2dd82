/** One check for each tool definition, made at its first call and kept over worlds. */
import type { Log } from "../../ports/log.ts";
import type { Problem, SchemaCheck, SchemaCompiler } from "../../ports/schema_compiler.ts";
import type { JsonObject } from "../mcp/json.ts";
import { argumentSchema } from "./argument_schema.ts";
import { definitionOf } from "./entry.ts";
import { hashText } from "./hash.ts";
import { measure, plainJson } from "./plain_json.ts";
import { printable } from "./refusals.ts";
import type { Target } from "./types.ts";

/** Definitions whose checks are kept; the ones not asked for longest go first. */
const MAX_KEPT = 10_000;
/** Above it, items are not compared with one another. */
const MAX_COMPARISONS = 1_000_000;
const MAX_NAME = 128;
const NONE: readonly Problem[] = [];

interface Validator {
  readonly check: SchemaCheck;
  /** The same without `uniqueItems`; absent where it does not stand. */
  readonly checkLong: (() => SchemaCheck) | undefined;
}

export interface ValidatorsOptions {
  readonly schemas: SchemaCompiler;
  readonly log: Log;
}

export class Validators {
  readonly #schemas: SchemaCompiler;
  readonly #log: Log;
  readonly #byTarget = new WeakMap<Target, Validator>();
  /** By backend and definition: no backend can influence how another one's arguments are judged. */
  readonly #kept = new Map<string, Validator>();

  constructor({ schemas, log }: ValidatorsOptions) {
    this.#schemas = schemas;
    this.#log = log;
  }

  /** What the tool's schema does not accept; nothing when the schema cannot be used (ADR 16). */
  problems(tool: Target, args: unknown): readonly Problem[] {
    const { check, checkLong } = this.#byTarget.get(tool) ?? this.#find(tool);
    const { nodes, longest, wide } = measure(args);
    const plain = wide ? plainJson(args) : args;
    if (checkLong === undefined || nodes * longest <= MAX_COMPARISONS) return check(plain, nodes);
    return checkLong()(plain, nodes);
  }

  #find(tool: Target): Validator {
    const { inputSchema } = definitionOf(tool);
    const key = `${tool.backend} ${hashText(JSON.stringify(inputSchema))}`;
    const validator = this.#kept.get(key) ?? this.#create(tool, inputSchema as JsonObject);
    this.#kept.delete(key);
    this.#kept.set(key, validator);
    if (this.#kept.size > MAX_KEPT) this.#kept.delete(this.#kept.keys().next().value as string);
    this.#byTarget.set(tool, validator);
    return validator;
  }

  #create({ backend, original }: Target, inputSchema: JsonObject): Validator {
    try {
      return createValidator(this.#schemas, inputSchema);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      const warning = `Arguments of tool "${printable(original, MAX_NAME)}" of backend ` +
        `"${backend}" are not checked, its schema is unusable: ${printable(reason, 200)}`;
      this.#log.write("catalog.warning", { warning });
      return { check: () => NONE, checkLong: undefined };
    }
  }
}

/** @throws UnusableSchema, and whatever the compiler finds wrong with the schema */
function createValidator(schemas: SchemaCompiler, inputSchema: JsonObject): Validator {
  const { schema, unique } = argumentSchema(inputSchema);
  const check = schemas.compile(schema);
  if (!unique) return { check, checkLong: undefined };
  let long: SchemaCheck | undefined;
  const compileLong = () => schemas.compile(argumentSchema(inputSchema, { unique: false }).schema);
  return { check, checkLong: () => long ??= compileLong() };
}
