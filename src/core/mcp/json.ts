/** Parsed JSON object; members are as `JSON.parse` gave them, wide numbers as `JSON.rawJSON`. */
export type JsonObject = { [key: string]: unknown };

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
