import { isObject, type JsonObject } from "../mcp/json.ts";

/** A copy with the value at a path; missing objects on the way are made. @throws TypeError on a way through others */
export function assigned(root: JsonObject, path: readonly string[], value: unknown): JsonObject {
  const [name, ...rest] = path;
  if (name === undefined) throw new TypeError("a path has at least one name");
  if (rest.length === 0) return { ...root, [name]: value };
  const inner = Object.hasOwn(root, name) ? root[name] : {};
  if (!isObject(inner)) throw new TypeError(`"${name}" is no object to set something in`);
  return { ...root, [name]: assigned(inner, rest, value) };
}
