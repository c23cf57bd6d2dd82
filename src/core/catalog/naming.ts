/** Names under which the catalog shows what backends call differently (design.md 6). */
import type { CatalogConfig } from "../../contract/mod.ts";
import { hashText } from "./hash.ts";

/** Longest name the protocol allows. */
const MAX_NAME = 128;
/** `_` and eight digits at the end of a name that was cut. */
const HASH_LENGTH = 8;
const UNSAFE = /[^A-Za-z0-9_-]/gu;
const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}]/u;
/** Half of a character, left over by a cut. */
const HALF = /[\ud800-\udbff]$/;

/** What makes a text unusable as name of a tool or prompt; undefined when nothing does. */
export function nameProblem(name: string): string | undefined {
  if (name === "") return "its name is empty";
  if (name.length > MAX_NAME) return `its name is longer than ${MAX_NAME} characters`;
  return controlProblem(name, "name");
}

/** What makes a text unusable as identifier at all: characters that forge lines, or half characters. */
export function controlProblem(text: string, member: string): string | undefined {
  if (CONTROL.test(text)) return `its ${member} has a control character`;
  if (!text.isWellFormed()) return `its ${member} is not well-formed Unicode`;
  return undefined;
}

/** A backend's (renamed) name as clients see it. */
export interface ShownName {
  readonly exposed: string;
  /** It was too long: the end gave way to a hash. */
  readonly cut: boolean;
}

/** Prefixes, sanitizes and cuts a name as configured. */
export function showName(catalog: CatalogConfig, alias: string, name: string): ShownName {
  const full = catalog.prefix === "always" ? alias + catalog.separator + name : name;
  const exposed = sanitized(catalog, full);
  if (exposed.length <= catalog.max_name_length) return { exposed, cut: false };
  // The hash covers the name before sanitizing: what differs only there stays different.
  const hash = hashText(full).slice(0, HASH_LENGTH);
  return { exposed: `${head(catalog, exposed)}_${hash}`, cut: true };
}

/** What every name of a backend with this alias begins with; empty without prefixes. */
export function exposedPrefix(catalog: CatalogConfig, alias: string): string {
  if (catalog.prefix === "never") return "";
  return head(catalog, sanitized(catalog, alias + catalog.separator));
}

/** As much of a name as stays when the whole is too long. */
function head(catalog: CatalogConfig, shown: string): string {
  const room = Math.max(0, catalog.max_name_length - HASH_LENGTH - 1);
  return shown.slice(0, room).replace(HALF, "");
}

function sanitized(catalog: CatalogConfig, name: string): string {
  return catalog.sanitize ? name.replace(UNSAFE, "_") : name;
}
