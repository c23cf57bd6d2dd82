/** Results for clients of older revisions, which refuse content they do not know (protocol.md 4.5). */
import { isObject, type JsonObject, parse } from "./json.ts";

export interface Abilities {
  /** `structuredContent` and resource links exist (2025-06-18 and later). */
  readonly structured: boolean;
  /** Audio content exists (2025-03-26 and later). */
  readonly audio: boolean;
}

/** Rewrites a result (JSON text): what the revision lacks becomes text or is left out. */
export function downgradeContent(result: string, abilities: Abilities): string {
  const parsed = parse(result);
  if (!isObject(parsed)) return result;
  const { structuredContent, ...kept } = parsed;
  if (abilities.structured && structuredContent !== undefined) {
    kept["structuredContent"] = structuredContent;
  }
  if (Array.isArray(kept["content"])) {
    kept["content"] = kept["content"].map((block) => older(block, abilities));
  }
  if (Array.isArray(kept["messages"])) {
    kept["messages"] = kept["messages"].map((message) => olderMessage(message, abilities));
  }
  return JSON.stringify(kept);
}

function olderMessage(message: unknown, abilities: Abilities): unknown {
  return isObject(message)
    ? { ...message, content: older(message["content"], abilities) }
    : message;
}

function older(block: unknown, { structured, audio }: Abilities): unknown {
  if (!isObject(block)) return block;
  if (!structured && block["type"] === "resource_link") return text(linkText(block));
  if (!audio && block["type"] === "audio") {
    const { mimeType } = block;
    return text(`[audio, ${typeof mimeType === "string" ? mimeType : "unknown type"}]`);
  }
  return block;
}

function text(content: string): JsonObject {
  return { type: "text", text: content };
}

function linkText(link: JsonObject): string {
  const label = [link["title"] ?? link["name"], link["description"]].filter((part) =>
    typeof part === "string"
  ).join(": ");
  return label === "" ? String(link["uri"]) : `${label} <${String(link["uri"])}>`;
}
