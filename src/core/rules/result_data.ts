/** The data in a result: what is structured, and what stands as JSON in a text. */
import { isObject, type JsonObject, parse } from "../mcp/json.ts";

/** Gives the result with each piece of data replaced, or the same result when none changes. */
export function mapData(result: JsonObject, map: (data: unknown) => unknown): JsonObject {
  const changed = Object.entries(result).map(([name, member]) => {
    const isData = name === "structuredContent" || name === "_meta";
    return [name, isData ? map(member) : mapTexts(member, map)] as const;
  });
  return changed.some(([name, member]) => member !== result[name])
    ? Object.fromEntries(changed)
    : result;
}

/** Content of tools, prompts and resources keeps its texts in members of this name. */
function mapTexts(value: unknown, map: (data: unknown) => unknown): unknown {
  if (Array.isArray(value)) {
    const seen = value.map((item) => mapTexts(item, map));
    return seen.some((item, index) => item !== value[index]) ? seen : value;
  }
  if (!isObject(value)) return value;
  const seen = Object.entries(value).map(([name, member]) =>
    [name, name === "text" ? mapText(member, map) : mapTexts(member, map)] as const
  );
  return seen.some(([name, member]) => member !== value[name]) ? Object.fromEntries(seen) : value;
}

function mapText(text: unknown, map: (data: unknown) => unknown): unknown {
  if (typeof text !== "string" || !/^\s*[[{]/.test(text)) return text;
  const data = dataIn(text);
  if (data === undefined) return text;
  const seen = map(data);
  return seen === data ? text : JSON.stringify(seen);
}

/** Not every text that begins like JSON is some. */
function dataIn(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}
