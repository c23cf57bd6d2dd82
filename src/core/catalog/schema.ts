/** The schemas of a tool, as they must look in a list (protocol.md 0.5, 4.5). */
import type { JsonObject } from "../mcp/json.ts";
import { isRecord } from "./members.ts";

/** What makes a schema unusable in a list; undefined when nothing does. */
export function schemaProblem(schema: unknown, member: string): string | undefined {
  if (!isRecord(schema)) return `"${member}" is not an object`;
  const { type, properties, required } = schema;
  if (type !== undefined && type !== "object") return `"${member}.type" is not "object"`;
  if (!isAbsent(properties) && !areProperties(properties)) {
    return `"${member}.properties" is not an object of schemas`;
  }
  if (!isAbsent(required) && !areTexts(required)) {
    return `"${member}.required" is not a list of strings`;
  }
  return undefined;
}

/**
 * The same schema in the form every client reads: `type` present, no `null` where a member could be
 * absent, no boolean as schema of a property. It accepts the same arguments.
 */
export function readableSchema(schema: JsonObject): JsonObject {
  const { properties, required } = schema;
  const readable: JsonObject = { ...schema, type: "object" };
  if (properties === null) delete readable["properties"];
  if (required === null) delete readable["required"];
  if (isRecord(properties) && Object.values(properties).some((value) => !isRecord(value))) {
    const entries = Object.entries(properties);
    readable["properties"] = Object.fromEntries(
      entries.map(([name, value]) => [name, asSchemaObject(value)]),
    );
  }
  return readable;
}

function asSchemaObject(schema: unknown): unknown {
  if (typeof schema !== "boolean") return schema;
  return schema ? {} : { not: {} };
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null;
}

function areProperties(value: unknown): boolean {
  return isRecord(value) &&
    Object.values(value).every((schema) => typeof schema === "boolean" || isRecord(schema));
}

function areTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((entry) => typeof entry === "string");
}
