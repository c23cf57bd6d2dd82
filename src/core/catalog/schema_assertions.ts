/** The keywords of a schema that have no schema in them, in the form of 2020-12. */
import type { JsonObject } from "../mcp/json.ts";
import { isLinearPattern } from "./linear_pattern.ts";
import { UnusableSchema } from "./unusable_schema.ts";

const TYPES = new Set(["array", "boolean", "integer", "null", "number", "object", "string"]);
const COUNTS = [
  "maxItems",
  "minItems",
  "maxLength",
  "minLength",
  "maxProperties",
  "minProperties",
] as const;
const NUMBERS = ["maximum", "minimum", "exclusiveMaximum", "exclusiveMinimum"] as const;

/** @throws UnusableSchema */
export function readAssertions(schema: JsonObject): JsonObject {
  const read: JsonObject = {};
  readType(schema, read);
  readValues(schema, read);
  readNumbers(schema, read);
  const { pattern, required } = schema;
  if (typeof pattern === "string" && isLinearPattern(pattern)) read["pattern"] = pattern;
  // Version 3 had a boolean in each property; some writers still do.
  if (required === undefined || required === null || typeof required === "boolean") return read;
  if (!Array.isArray(required) || !required.every((name) => typeof name === "string")) {
    throw new UnusableSchema('"required" is not a list of names');
  }
  if (required.length > 0) read["required"] = [...new Set(required)];
  return read;
}

/** `nullable` is of OpenAPI: whoever writes it means it, and clients send null. */
function readType({ type, nullable }: JsonObject, read: JsonObject): void {
  if (type === undefined || type === null) return;
  const types: unknown[] = Array.isArray(type) ? type : [type];
  if (types.length === 0 || !types.every((one) => typeof one === "string" && TYPES.has(one))) {
    throw new UnusableSchema('"type" names no type of JSON');
  }
  const all = [...new Set(nullable === true ? [...types, "null"] : types)];
  read["type"] = all.length === 1 ? all[0] : all;
}

function readValues(schema: JsonObject, read: JsonObject): void {
  const { enum: values, nullable } = schema;
  if (Array.isArray(values) && values.length > 0) {
    read["enum"] = nullable === true && !values.includes(null) ? [...values, null] : values;
  } else if (values !== undefined && values !== null) {
    throw new UnusableSchema('"enum" is not a list of values');
  }
  if (Object.hasOwn(schema, "const")) read["const"] = schema["const"];
}

function readNumbers(schema: JsonObject, read: JsonObject): void {
  for (const keyword of COUNTS) {
    const value = schema[keyword];
    if (value === undefined || value === null) continue;
    if (typeof value !== "number" || !Number.isInteger(value) || value < 0) {
      throw new UnusableSchema(`"${keyword}" is not a count`);
    }
    read[keyword] = value;
  }
  for (const keyword of NUMBERS) {
    const value = limit(schema, keyword);
    if (value !== undefined) read[keyword] = value;
  }
  if (schema["exclusiveMinimum"] === true) delete read["minimum"];
  if (schema["exclusiveMaximum"] === true) delete read["maximum"];
  const { multipleOf } = schema;
  if (multipleOf === undefined || multipleOf === null) return;
  if (typeof multipleOf !== "number" || multipleOf <= 0) {
    throw new UnusableSchema('"multipleOf" is not a positive number');
  }
  read["multipleOf"] = multipleOf;
}

/** Version 4 had a boolean beside the limit. */
function limit(schema: JsonObject, keyword: typeof NUMBERS[number]): number | undefined {
  const value = schema[keyword];
  if (value === undefined || value === null || value === false) return undefined;
  if (typeof value === "number") return value;
  const beside = schema[keyword === "exclusiveMinimum" ? "minimum" : "maximum"];
  if (value === true && keyword.startsWith("exclusive") && typeof beside === "number") {
    return beside;
  }
  throw new UnusableSchema(`"${keyword}" is not a number`);
}
