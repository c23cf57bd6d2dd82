/**
 * The normal form of a tool's input schema: what is checked of it, in one dialect (2020-12), with nothing in
 * it that could reach outside, block, or be understood in two ways. Annotations (`format` included) go;
 * whatever cannot be checked in bounded time goes, so that a normal form accepts at least what the schema does.
 */
import { STEPS_KEYWORD } from "../../ports/schema_compiler.ts";
import type { JsonObject } from "../mcp/json.ts";
import { plainJson } from "./plain_json.ts";
import { isLinearPattern } from "./linear_pattern.ts";
import { isRecord } from "./members.ts";
import { readAssertions } from "./schema_assertions.ts";
import { SchemaReferences } from "./schema_references.ts";
import { UnusableSchema } from "./unusable_schema.ts";

const MAX_DEPTH = 64;
const OLD_DIALECT = /^https?:\/\/json-schema\.org\/draft-0[3467]\//;

export interface ArgumentSchema {
  readonly schema: JsonObject;
  /** Somewhere items have to be unique, which costs the square of their number. */
  readonly unique: boolean;
}

export interface ArgumentSchemaOptions {
  /** False leaves `uniqueItems` out; default true. */
  readonly unique?: boolean;
}

/** @throws UnusableSchema */
export function argumentSchema(
  input: JsonObject,
  { unique = true }: ArgumentSchemaOptions = {},
): ArgumentSchema {
  return new Normalizer(plainJson(input) as JsonObject, unique).result();
}

/** Where a subschema stands. */
interface Place {
  readonly depth: number;
  /** Judges the same value as the definition it stands in, not a part of it. */
  readonly inPlace: boolean;
  /** It may be visited more often than the schema that holds it. */
  readonly repeated: boolean;
}

const ROOT: Place = { depth: 0, inPlace: true, repeated: true };

class Normalizer {
  readonly #root: JsonObject;
  readonly #references: SchemaReferences;
  readonly #refersAlone: boolean;
  readonly #keepsUnique: boolean;
  #unique = false;
  /** The definition that is read now. */
  #current = 0;

  constructor(root: JsonObject, keepsUnique: boolean) {
    this.#root = root;
    this.#keepsUnique = keepsUnique;
    this.#references = new SchemaReferences(root);
    this.#refersAlone = OLD_DIALECT.test(String(root["$schema"]));
  }

  result(): ArgumentSchema {
    const read = this.#object({ type: "object", ...this.#root }, ROOT);
    const definitions: Record<string, unknown> = {};
    for (let index = 1; index < this.#references.targets.length; index++) {
      this.#current = index;
      definitions[index] = this.#object(this.#references.targets[index] as JsonObject, ROOT);
    }
    this.#references.refuseLoops();
    const schema = this.#references.targets.length > 1 ? { ...read, $defs: definitions } : read;
    return { schema, unique: this.#unique };
  }

  #schema(schema: unknown, place: Place): JsonObject | boolean {
    if (typeof schema === "boolean") return schema;
    if (!isRecord(schema)) {
      throw new UnusableSchema("a subschema is neither an object nor a boolean");
    }
    return this.#object(schema, place);
  }

  #object(schema: JsonObject, place: Place): JsonObject {
    if (place.depth > MAX_DEPTH) throw new UnusableSchema(`it is deeper than ${MAX_DEPTH}`);
    const read: JsonObject = {};
    if (typeof schema["$ref"] === "string") {
      read["$ref"] = this.#references.to(schema["$ref"], place.inPlace ? this.#current : undefined);
      if (this.#refersAlone) return place.repeated ? { ...read, [STEPS_KEYWORD]: 1 } : read;
    }
    Object.assign(read, readAssertions(schema));
    if (this.#keepsUnique && schema["uniqueItems"] === true) {
      read["uniqueItems"] = true;
      this.#unique = true;
    }
    const before = Object.keys(read).length;
    this.#logic(schema, read, place);
    this.#members(schema, read, place);
    this.#items(schema, read, place);
    const isLeaf = Object.keys(read).length === before && read["$ref"] === undefined;
    if (place.repeated || !isLeaf) read[STEPS_KEYWORD] = 1;
    return read;
  }

  /** What judges the same value. */
  #logic(schema: JsonObject, read: JsonObject, place: Place): void {
    const same = { depth: place.depth + 1, inPlace: place.inPlace, repeated: false };
    for (const keyword of ["allOf", "anyOf", "oneOf"]) {
      const all = schema[keyword];
      if (isAbsent(all)) continue;
      if (!Array.isArray(all) || all.length === 0) {
        throw new UnusableSchema(`"${keyword}" is not a list of schemas`);
      }
      read[keyword] = all.map((one) => this.#schema(one, same));
    }
    if (!isAbsent(schema["not"])) read["not"] = this.#schema(schema["not"], same);
    const branches = ["then", "else"].filter((keyword) => !isAbsent(schema[keyword]));
    if (!isAbsent(schema["if"]) && branches.length > 0) {
      for (const keyword of ["if", ...branches]) {
        read[keyword] = this.#schema(schema[keyword], same);
      }
    }
    this.#dependencies(schema, read, same);
  }

  #dependencies(schema: JsonObject, read: JsonObject, same: Place): void {
    const schemas = { ...mapOf(schema, "dependentSchemas") };
    const required = { ...mapOf(schema, "dependentRequired") };
    for (const [name, value] of Object.entries(mapOf(schema, "dependencies"))) {
      (Array.isArray(value) ? required : schemas)[name] = value;
    }
    if (Object.keys(schemas).length > 0) {
      read["dependentSchemas"] = mapped(schemas, (one) => this.#schema(one, same));
    }
    if (Object.keys(required).length > 0) {
      read["dependentRequired"] = mapped(required, (names) => {
        if (Array.isArray(names) && names.every((name) => typeof name === "string")) return names;
        throw new UnusableSchema('"dependentRequired" does not hold lists of names');
      });
    }
  }

  /** What judges members of an object. */
  #members(schema: JsonObject, read: JsonObject, { depth }: Place): void {
    const named = { depth: depth + 1, inPlace: false, repeated: false };
    const any = { ...named, repeated: true };
    if (!isAbsent(schema["properties"])) {
      read["properties"] = mapped(mapOf(schema, "properties"), (one) => this.#schema(one, named));
    }
    const patterns = Object.entries(mapOf(schema, "patternProperties"));
    const known = patterns.filter(([pattern]) => isLinearPattern(pattern));
    if (known.length > 0) {
      const kept = Object.fromEntries(known);
      read["patternProperties"] = mapped(kept, (one) => this.#schema(one, any));
    }
    // Without one of the patterns, what is additional is not known.
    const others = known.length === patterns.length
      ? ["additionalProperties", "unevaluatedProperties", "propertyNames"]
      : ["propertyNames"];
    for (const keyword of others) {
      if (!isAbsent(schema[keyword])) read[keyword] = this.#schema(schema[keyword], any);
    }
  }

  /** What judges items of a list; lists of schemas as `items` are of older dialects. */
  #items(schema: JsonObject, read: JsonObject, { depth }: Place): void {
    const any = { depth: depth + 1, inPlace: false, repeated: true };
    const { items, prefixItems } = schema;
    const isOld = Array.isArray(items);
    const prefix = isOld ? items : prefixItems;
    const rest = isOld ? schema["additionalItems"] : items;
    if (Array.isArray(prefix) && prefix.length > 0) {
      read["prefixItems"] = prefix.map((one) => this.#schema(one, { ...any, repeated: false }));
    }
    if (!isAbsent(rest)) read["items"] = this.#schema(rest, any);
    if (!isAbsent(schema["unevaluatedItems"])) {
      read["unevaluatedItems"] = this.#schema(schema["unevaluatedItems"], any);
    }
    if (isAbsent(schema["contains"])) return;
    read["contains"] = this.#schema(schema["contains"], any);
    for (const keyword of ["minContains", "maxContains"]) {
      if (Number.isSafeInteger(schema[keyword])) read[keyword] = schema[keyword];
    }
  }
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null;
}

function mapOf(schema: JsonObject, keyword: string): JsonObject {
  const map = schema[keyword];
  if (isAbsent(map)) return {};
  if (!isRecord(map)) throw new UnusableSchema(`"${keyword}" is not an object`);
  if (Object.hasOwn(map, "__proto__")) throw new UnusableSchema('it names a member "__proto__"');
  return map;
}

function mapped(map: JsonObject, change: (value: unknown) => unknown): JsonObject {
  return Object.fromEntries(Object.entries(map).map(([name, value]) => [name, change(value)]));
}
