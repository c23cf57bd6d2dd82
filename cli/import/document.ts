/** Client files as values: JSON with comments and trailing commas, and TOML. */
import { ConfigError } from "../../src/config/issue.ts";
import { parseToml } from "../../src/config/syntax.ts";
import { visible } from "../text.ts";

export type Document = { readonly value: unknown } | { readonly problem: string };

/** Parses a text; a problem begins with `line:column: `. */
export async function parseDocument(
  text: string,
  format: "json" | "toml" | "any",
): Promise<Document> {
  const source = text.replace(/^\ufeff/, "");
  if (source.trim() === "") return { problem: "it is empty" };
  const isToml = format === "toml" || (format === "any" && !/^\s*(?:[{["]|\/[/*])/.test(source)) ||
    (format === "any" && /^\s*\[[A-Za-z"]/.test(source));
  if (isToml) return toml(source);
  // A piece of a file, as manuals show it: "name": { … }
  return await (/^\s*"/.test(source) ? json(source, "{", "}") : json(source));
}

function toml(text: string): Document {
  try {
    return { value: parseToml(text, "") };
  } catch (thrown) {
    if (!(thrown instanceof ConfigError)) return { problem: reasonOf(thrown) };
    const [issue] = thrown.issues;
    const place = issue === undefined ? "" : `${issue.line}:${issue.column}: `;
    return { problem: `${place}${visible(issue?.message ?? "it is no TOML")}` };
  }
}

async function json(inner: string, before = "", after = ""): Promise<Document> {
  const text = `${before}${inner}${after}`;
  try {
    return { value: JSON.parse(text) };
  } catch {
    // Comments, or a mistake that deserves its place: most files have neither.
    const { lenientJson } = await import("./lenient_json.ts");
    return lenientJson(text, before.length);
  }
}

function reasonOf(thrown: unknown): string {
  return thrown instanceof RangeError ? "it is nested too deeply" : "it cannot be read";
}
