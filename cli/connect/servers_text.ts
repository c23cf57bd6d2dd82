/** The servers in the text of a client's file: read, and changed so that nothing else changes. */
import { ConfigError } from "../../src/config/issue.ts";
import { parseToml } from "../../src/config/syntax.ts";
import type { ServerPlace } from "../clients/clients.ts";
import { CommandFailed, EXIT } from "../exit.ts";
import { visible } from "../text.ts";
import { jsonProblem, jsonTree, withJsonValue, withoutJsonValue } from "./json_text.ts";
import { withoutTomlTable, withTomlTable } from "./toml_text.ts";
import {
  isSameTree,
  type Keys,
  plainOf,
  tableIn,
  type Tree,
  treeAt,
  treeOf,
  withoutValue,
  withValue,
} from "./tree.ts";

/** What a client keeps of one server. */
export type Entry = Readonly<Record<string, unknown>>;

/** The part of a place that says how to read its file. */
export type TextPlace = Pick<ServerPlace, "file" | "format" | "at">;

/**
 * Names and entries of the servers at a place, in their order.
 * @throws CommandFailed with line and column for a broken file, or when something else stands at the place
 */
export function serversIn(text: string, place: TextPlace): ReadonlyMap<string, Tree> {
  const found = treeAt(readTree(text, place), place.at);
  if (found === undefined) return new Map();
  const servers = tableIn(found);
  if (servers !== undefined) return servers;
  const message = `"${place.at.join(".")}" in ${visible(place.file)} is no table of servers`;
  throw new CommandFailed(EXIT.failed, message, "nothing was changed; mend the file first");
}

/** The text with an entry of that name. @throws CommandFailed when that cannot be done without harm */
export function withServer(text: string, place: TextPlace, name: string, entry: Entry): string {
  const path = [...place.at, name];
  const before = readTree(text, place);
  const after = place.format === "json"
    ? withJsonValue(text, path, entry)
    : withTomlTable(text, path, entry);
  return checked(after, place, withValue(before, path, treeOf(entry)));
}

/** The text without the entry of that name. @throws CommandFailed when that cannot be done without harm */
export function withoutServer(text: string, place: TextPlace, name: string): string {
  const path = [...place.at, name];
  const before = readTree(text, place);
  if (before === undefined || treeAt(before, path) === undefined) return text;
  const after = place.format === "json"
    ? withoutJsonValue(text, path)
    : withoutTomlTable(text, path);
  return checked(after, place, withoutValue(before, path));
}

/** An entry that was read, as one that can be written. */
export function entryOf(tree: Tree): Entry {
  return plainOf(tree) as Entry;
}

/** No edit is trusted: what it made is read again and must be what was wanted. */
function checked(after: string, place: TextPlace, wanted: Tree): string {
  const got = readOrUndefined(after, place);
  if (got !== undefined && isSameTree(tidy(got, place.at), tidy(wanted, place.at))) return after;
  const message = `${visible(place.file)} is written in a way that cannot be changed safely`;
  throw new CommandFailed(EXIT.failed, message, "nothing was changed; --print shows what to write");
}

/** In TOML a table without entries need not stand in the text. */
function tidy(tree: Tree, at: Keys): Tree {
  return tableIn(treeAt(tree, at))?.size === 0 ? withoutValue(tree, at) : tree;
}

function readOrUndefined(text: string, place: TextPlace): Tree | undefined {
  try {
    return readTree(text, place) ?? new Map();
  } catch (thrown) {
    if (thrown instanceof CommandFailed) return undefined;
    throw thrown;
  }
}

function readTree(text: string, place: TextPlace): Tree | undefined {
  return place.format === "json" ? readJson(text, place.file) : readToml(text, place.file);
}

function readJson(text: string, file: string): Tree | undefined {
  const problem = jsonProblem(text);
  if (problem !== undefined) {
    const lines = text.slice(0, problem.offset).split("\n");
    const column = (lines.at(-1)?.length ?? 0) + 1;
    throw broken(`${file}:${lines.length}:${column}`, problem.reason);
  }
  const tree = jsonTree(text);
  if (tree === undefined || tableIn(tree) !== undefined) return tree;
  throw broken(`${file}:1:1`, "an object is expected");
}

function readToml(text: string, file: string): Tree {
  try {
    return treeOf(parseToml(text, file));
  } catch (thrown) {
    if (!(thrown instanceof ConfigError)) throw thrown;
    const [issue] = thrown.issues;
    throw broken(`${file}:${issue?.line ?? 1}:${issue?.column ?? 1}`, issue?.message ?? "no TOML");
  }
}

function broken(place: string, reason: string): CommandFailed {
  const hint = "nothing was changed; mend the file first";
  return new CommandFailed(EXIT.failed, `cannot read ${visible(place)}: ${reason}`, hint);
}
