/** Entries that lead back to a gateway of ours: taken over, it would call itself. */
import { basename } from "node:path";
import { programOf } from "../self.ts";
import type { Draft } from "./draft.ts";
import { plainText } from "./text.ts";

const OWN_NAMES = new Set(["mcp-sentinel", "sentinel"]);
const DEFAULT_PORT = "8808";

/** What is known to be ours, beside the default address. */
export interface Own {
  /** URLs of running gateways and of the configuration, such as `http://127.0.0.1:8810/mcp`. */
  readonly urls: readonly string[];
}

/** True when a draft starts this program or calls one of its gateways, directly or through a bridge. */
export function isOwn(draft: Draft, { urls }: Own): boolean {
  const words = [draft.command ?? [], ...draft.args].map((text) => plainText(text) ?? "");
  const { command, args } = programOf();
  // As `connect` writes it: the script, or the executable that needs none.
  const self = args.at(-1) ?? command;
  const program = words.findIndex((word) => word === self || isOwnProgram(word));
  if (program >= 0 && words.slice(program + 1).includes("stdio")) return true;
  const origins = new Set(urls.map(originOf));
  return [plainText(draft.url ?? []) ?? "", ...words].some((text) => isOwnUrl(text, origins));
}

function isOwnProgram(word: string): boolean {
  const name = basename(word.replaceAll("\\", "/")).replace(/^(npm|jsr):/, "")
    .replace(/\.(exe|cmd|m?js)$/i, "").replace(/(?<=.)@.*$/, "");
  return OWN_NAMES.has(name);
}

function isOwnUrl(text: string, origins: ReadonlySet<string>): boolean {
  if (!/^(https?|wss?):\/\//i.test(text) || !URL.canParse(text)) return false;
  const origin = originOf(text);
  return origins.has(origin) || origin === `loopback:${DEFAULT_PORT}`;
}

/** Host and port; every name of this machine counts as one. */
function originOf(text: string): string {
  if (!URL.canParse(text)) return "";
  const { hostname, port, protocol } = new URL(text);
  const isLoopback = /^(localhost|127(\.\d+){3}|\[::1\]|0\.0\.0\.0|\[::\])$/.test(hostname);
  const isSecure = protocol === "https:" || protocol === "wss:";
  return `${isLoopback ? "loopback" : hostname}:${port || (isSecure ? "443" : "80")}`;
}
