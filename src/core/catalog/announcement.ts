/** What a view tells about itself at `initialize` and `server/discover`: capabilities and instructions of its backends. */
import type { Era } from "../../contract/mod.ts";
import { mergedExtensions } from "../mcp/extensions.ts";
import type { JsonObject } from "../mcp/json.ts";
import { isRecord } from "./members.ts";
import type { BackendCatalog, CatalogSource } from "./types.ts";

/** For all instructions together, as bytes. */
const MAX_INSTRUCTIONS = 8000;
/** Ends a text that was cut, and its section. */
const CUT_MARK = "…\n\n";
const CUT_MARK_BYTES = 5;
const LISTS = ["tools", "prompts", "resources"] as const;
/** All but tab and line feed: they can steer terminals. */
// deno-lint-ignore no-control-regex -- finding control characters is the point
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

type ConfiguredBackend = CatalogSource["backends"][number];

/**
 * The union of what the backends declare. Lists always announce changes, because the gateway's own
 * reload changes them; while no backend has answered, all three are announced, as a client asks only once.
 * Extensions pass when they are in the table; experiments stay out (protocol.md 5).
 */
export function mergedCapabilities(found: readonly BackendCatalog[], era: Era): JsonObject {
  const declared = found.map(({ capabilities }) => capabilities);
  const declares = (name: string) => declared.some((one) => isRecord(one[name]));
  const merged: JsonObject = {};
  for (const name of LISTS) {
    if (found.length === 0 || declares(name)) merged[name] = { listChanged: true };
  }
  if (declared.some(subscribes)) merged["resources"] = { listChanged: true, subscribe: true };
  for (const name of ["completions", "logging"]) {
    if (declares(name)) merged[name] = {};
  }
  const extensions = mergedExtensions(
    found.map(({ era: own = "legacy", capabilities }) => ({ era: own, capabilities })),
    era,
  );
  if (extensions !== undefined) merged["extensions"] = extensions;
  return merged;
}

/** The configured text, or those of the backends, each under a heading with its share of the room. */
export function mergedInstructions(
  configured: string | undefined,
  backends: readonly ConfiguredBackend[],
): string | undefined {
  if (configured !== undefined) return configured;
  const texts = backends.flatMap(({ name, config, found }) => {
    const text = found?.instructions?.slice(0, MAX_INSTRUCTIONS).replace(CONTROL, "").trim() ?? "";
    return text === "" ? [] : [{ heading: `## ${config.alias ?? name}\n\n`, text }];
  });
  const sections: string[] = [];
  let room = MAX_INSTRUCTIONS;
  for (const [at, { heading, text }] of texts.entries()) {
    const section = cutToBytes(`${heading}${text}\n\n`, Math.floor(room / (texts.length - at)));
    room -= bytesOf(section);
    sections.push(section);
  }
  return sections.length === 0 ? undefined : sections.join("").trimEnd();
}

function subscribes(capabilities: JsonObject): boolean {
  const { resources } = capabilities;
  return isRecord(resources) && resources["subscribe"] === true;
}

function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** The beginning of the text that fits, without half characters. */
function cutToBytes(text: string, max: number): string {
  if (bytesOf(text) <= max) return text;
  const { read } = new TextEncoder().encodeInto(
    text,
    new Uint8Array(Math.max(0, max - CUT_MARK_BYTES)),
  );
  return `${text.slice(0, read)}${CUT_MARK}`;
}
