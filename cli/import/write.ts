/** Writes what an import adds: whole files or nothing, the credentials first. */
import { access, readFile, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { CommandFailed, EXIT } from "../exit.ts";
import { writeWhole } from "../whole_file.ts";
import { envLine } from "./env_file.ts";
import type { Target, TextFile } from "./target.ts";

/** Lines that a file got at its end. */
export interface Added {
  /** For people. */
  readonly file: string;
  readonly isNew: boolean;
  /** The first and the last line, from 1. */
  readonly from: number;
  readonly to: number;
}

export interface Written {
  readonly config: Added;
  readonly secrets: Added | undefined;
  /** How many variables that file got. */
  readonly count: number;
  /** The `.gitignore` that names the file of secrets now. */
  readonly ignored: string | undefined;
}

const PRIVATE = 0o600;
const SECRETS_HEADER =
  "# Credentials that `mcp-sentinel import` found written out in files of clients.\n" +
  "# Keep this file to yourself. It is read beside sentinel.toml.\n";

/** The configuration as it will be: what is there stays byte for byte. */
export function configText({ config }: Target, blocks: string): string {
  const { text } = config;
  const isEmpty = text === undefined || text.replace(/^\ufeff/, "") === "";
  const before = isEmpty ? `${text ?? ""}version = 1\n` : text;
  const added = `${before.endsWith("\n") ? "" : "\n"}\n${blocks}`;
  // A file has one kind of line end.
  return before + (before.includes("\r\n") ? added.replaceAll("\n", "\r\n") : added);
}

/**
 * Writes file of secrets and configuration.
 * @param secrets variables that are not in the file yet
 * @throws CommandFailed when a file cannot be written, or changed since it was read
 */
export async function writeAll(
  { config, secrets: file }: Target,
  text: string,
  secrets: ReadonlyMap<string, string>,
): Promise<Written> {
  await unchanged(config);
  await unchanged(file);
  const ignored = secrets.size === 0 ? undefined : await ignore(file);
  const lines = secretsText(file, secrets);
  if (lines !== undefined) await replace(file, lines, PRIVATE);
  await replace(config, text, await modeOf(config));
  return {
    config: addedTo(config, text),
    secrets: lines === undefined ? undefined : addedTo(file, lines),
    count: secrets.size,
    ignored,
  };
}

function secretsText(
  { text }: TextFile,
  secrets: ReadonlyMap<string, string>,
): string | undefined {
  if (secrets.size === 0) return undefined;
  const lines = [...secrets].map(([name, value]) => envLine(name, value) ?? "").join("");
  if (text === undefined || text === "") return SECRETS_HEADER + lines;
  return `${text}${text.endsWith("\n") ? "" : "\n"}${lines}`;
}

function addedTo({ shown, text }: TextFile, after: string): Added {
  const before = (text ?? "").split("\n").length;
  const isNew = text === undefined;
  const from = isNew || text === "" ? 1 : text.endsWith("\n") ? before : before + 1;
  return { file: shown, isNew, from, to: after.split("\n").length - 1 };
}

/** Somebody may have edited the file while we read others. */
async function unchanged({ path, shown, text }: TextFile): Promise<void> {
  const now = await readFile(path).then(
    (bytes) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes),
    () => undefined,
  );
  if (now === text) return;
  throw new CommandFailed(EXIT.failed, `"${shown}" changed meanwhile`, "import once more");
}

async function modeOf({ path, text }: TextFile): Promise<number> {
  return text === undefined ? 0o644 : (await stat(path)).mode & 0o777;
}

async function replace({ path, shown }: TextFile, text: string, mode: number): Promise<void> {
  try {
    await writeWhole(path, text, { mode });
  } catch (thrown) {
    throw new CommandFailed(EXIT.failed, `cannot write "${shown}": ${(thrown as Error).message}`);
  }
}

/** Names the file in the `.gitignore` beside it, when it lies in a working tree and nothing does yet. */
async function ignore({ path, shown }: TextFile): Promise<string | undefined> {
  const folders = ancestors(dirname(path));
  const isTree = await Promise.all(folders.map((folder) => exists(join(folder, ".git"))));
  const root = isTree.indexOf(true);
  if (root < 0) return undefined;
  const name = basename(path);
  const texts = await Promise.all(
    folders.slice(0, root + 1).map((folder) =>
      readFile(join(folder, ".gitignore"), "utf8").catch(() => "")
    ),
  );
  if (texts.some((text) => names(text, name))) return undefined;
  const file = {
    path: join(dirname(path), ".gitignore"),
    shown: join(dirname(shown), ".gitignore"),
  };
  const before = texts[0] ?? "";
  const text = `${before}${before === "" || before.endsWith("\n") ? "" : "\n"}${name}\n`;
  await replace({ ...file, text: before }, text, 0o644);
  return file.shown;
}

function names(text: string, file: string): boolean {
  const lines = text.split(/\r?\n/).map((line) => line.trim().replace(/^\*\*\/|^\//, ""));
  return lines.some((line) => line === file || line === "*.env");
}

/** The folder and those around it, nearest first. */
function ancestors(folder: string): readonly string[] {
  const parent = dirname(folder);
  return parent === folder ? [folder] : [folder, ...ancestors(parent)];
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(() => true, () => false);
}
