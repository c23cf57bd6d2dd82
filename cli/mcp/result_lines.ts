/** The result of a tool as lines for people; nothing of it reaches a terminal as it is. */
import { visible } from "../text.ts";

type Json = Readonly<Record<string, unknown>>;

/** Texts as they are, everything else by its kind and size; structured content where there is no text. */
export function resultLines({ content, structuredContent }: Json): string[] {
  const blocks = Array.isArray(content) ? content.filter(isObject) : [];
  const lines = blocks.flatMap(blockLines);
  if (lines.length > 0 || structuredContent === undefined) return lines;
  return visibleLines(JSON.stringify(structuredContent, null, 2));
}

function blockLines(block: Json): string[] {
  const { type, text, uri, name, mimeType, data, resource } = block;
  if (type === "text") return visibleLines(String(text));
  if (type === "resource" && isObject(resource)) {
    return typeof resource["text"] === "string"
      ? visibleLines(resource["text"])
      : [told("resource", resource["uri"], resource["mimeType"])];
  }
  if (type === "resource_link") return [told("resource", uri, name)];
  const size = typeof data === "string" ? `${Math.floor(data.length * 0.75)} bytes` : undefined;
  return [told(type, mimeType, size)];
}

/** `[image image/png 512 bytes]`. */
function told(...parts: readonly unknown[]): string {
  const known = parts.filter((part) => typeof part === "string");
  return visible(`[${known.join(" ")}]`);
}

function visibleLines(text: string): string[] {
  return text.replace(/\r?\n$/, "").split(/\r?\n/).map(visible);
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
