/** Gateways this user knows by name, in `profiles.toml`. Tokens stand there as references only. */
import { mkdir, readFile, realpath, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import process from "node:process";
import { ConfigError } from "../src/config/issue.ts";
import { isTable, tableAt, textAt } from "../src/config/raw.ts";
import { referencesIn } from "../src/config/references.ts";
import { parseToml } from "../src/config/syntax.ts";
import { tomlDocument } from "../src/config/toml.ts";
import { suggest } from "../src/contract/suggest.ts";
import { CommandFailed, EXIT } from "./exit.ts";
import { configFolder } from "./folders.ts";
import type { Io } from "./io.ts";
import { checkedUrl } from "./url.ts";
import { writeWhole } from "./whole_file.ts";

/** One entry; paths are absolute. */
export interface Profile {
  readonly name: string;
  /** Origin of the management API. */
  readonly url: string;
  /** `${env:NAME}` or `${file:PATH}`. */
  readonly token?: string;
  /** PEM files: whom to trust, and who we are. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** Changes ask for the name of the profile. */
  readonly production: boolean;
}

type Table = Record<string, unknown>;
/** The file as it stands, with entries this version does not know. */
export interface ProfileFile {
  readonly path: string;
  readonly table: Table;
}

const LARGEST = 1024 * 1024;
const OTHERS = 0o077;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const TEXTS = ["url", "token", "ca", "cert", "key"] as const;
const KEYS = [...TEXTS, "production"];
const HEADER =
  "# Gateways that mcp-sentinel knows by name. `mcp-sentinel profile` writes this file anew,\n" +
  "# so comments do not stay. Tokens are references: ${env:NAME} or ${file:PATH}.\n\n";

/** Reads the file; a missing one is empty. @throws CommandFailed when others may read it, or it is no TOML */
export async function readProfiles(io: Pick<Io, "env">): Promise<ProfileFile> {
  const named = join(configFolder(io), "profiles.toml");
  const path = await realpath(named).catch(() => named);
  const text = await readOwn(path);
  try {
    return { path, table: parseToml(text, path) };
  } catch (thrown) {
    if (!(thrown instanceof ConfigError)) throw thrown;
    const [issue] = thrown.issues;
    const place = issue === undefined ? path : `${path}:${issue.line}:${issue.column}`;
    const message = `${place}: ${issue?.message ?? thrown.message}`;
    throw new CommandFailed(EXIT.badConfig, message, issue?.hint);
  }
}

/** Names in the order of the file. */
export function profileNames({ table }: ProfileFile): string[] {
  return Object.keys(tableAt(table, "profiles"));
}

/** The profile chosen with `profile use`. */
export function currentProfile({ table }: ProfileFile): string | undefined {
  return textAt(table, "current");
}

/** @throws CommandFailed when there is none of that name, or it is wrong */
export function profileOf(file: ProfileFile, name: string): Profile {
  const entry = tableAt(file.table, "profiles")[name];
  if (!isTable(entry) || !profileNames(file).includes(name)) throw unknownProfile(file, name);
  const refuse = (message: string, hint: string) =>
    new CommandFailed(EXIT.badConfig, `profile "${name}" in ${file.path}: ${message}`, hint);
  for (const [key, value] of Object.entries(entry)) {
    if (!KEYS.includes(key)) {
      const near = suggest(key, KEYS);
      throw refuse(`unknown key "${key}"`, near === undefined ? "" : `did you mean "${near}"?`);
    }
    const isFlag = key === "production";
    const isRight = isFlag ? typeof value === "boolean" : typeof value === "string";
    if (!isRight) throw refuse(`"${key}" must be ${isFlag ? "true or false" : "a text"}`, "");
  }
  const url = textAt(entry, "url");
  if (url === undefined) {
    throw refuse('"url" is missing', 'url = "https://gateway.example.com:8809"');
  }
  const token = textAt(entry, "token");
  if (token !== undefined && referenceIn(token) === undefined) {
    throw refuse(
      "the token is written in the file",
      'write token = "${env:NAME}" or "${file:PATH}"',
    );
  }
  const near = (key: string) => {
    const found = textAt(entry, key);
    return found === undefined ? {} : { [key]: resolve(dirname(file.path), found) };
  };
  return {
    name,
    url: checkedUrl(url),
    ...(token === undefined ? {} : { token }),
    ...near("ca"),
    ...near("cert"),
    ...near("key"),
    production: entry["production"] === true,
  };
}

/** Says what there is instead. */
export function unknownProfile(file: ProfileFile, name: string): CommandFailed {
  const names = profileNames(file);
  const near = suggest(name, names);
  const known = names.length === 0
    ? "there are none; mcp-sentinel profile add NAME --url URL"
    : `there are ${names.join(", ")}`;
  const hint = near === undefined ? known : `did you mean ${near}?`;
  return new CommandFailed(EXIT.usage, `there is no profile "${name}"`, hint);
}

/** @throws CommandFailed for names that would have to be quoted, in the file or in a shell */
export function checkedName(name: string): string {
  if (NAME.test(name)) return name;
  const hint = "use letters, digits, dot, hyphen and underscore, at most 64";
  throw new CommandFailed(EXIT.usage, `"${name}" is no name for a profile`, hint);
}

/** The one reference a token is; undefined for everything else. */
export function referenceIn(token: string): { kind: "env" | "file"; name: string } | undefined {
  const [reference, ...more] = referencesIn(token);
  const isWhole = /^\$\{[^}]*\}$/.test(token) && reference?.fallback === undefined;
  return reference !== undefined && more.length === 0 && isWhole ? reference : undefined;
}

/** Adds or, with undefined, removes an entry; the others stay as they are. */
export async function writeProfile(
  file: ProfileFile,
  name: string,
  profile: Omit<Profile, "name"> | undefined,
): Promise<void> {
  const { [name]: _before, ...others } = tableAt(file.table, "profiles");
  const { production, ...texts } = profile ?? { production: false };
  const entry = { ...texts, ...(production ? { production } : {}) };
  const profiles = profile === undefined ? others : { ...others, [name]: entry };
  const { current, ...rest } = file.table;
  const isGone = current === undefined || (profile === undefined && current === name);
  await write(file.path, { ...(isGone ? {} : { current }), ...rest, profiles });
}

/** Chooses the profile that commands use without `--profile`; undefined for none. */
export async function choose(file: ProfileFile, name: string | undefined): Promise<void> {
  const { current: _before, ...rest } = file.table;
  await write(file.path, { ...(name === undefined ? {} : { current: name }), ...rest });
}

async function readOwn(path: string): Promise<string> {
  try {
    const { mode, size } = await stat(path);
    if (process.platform !== "win32" && (mode & OTHERS) !== 0) {
      const message = `others may read or change "${path}", which names gateways and their tokens`;
      throw new CommandFailed(EXIT.unsafe, message, `chmod 600 ${path}`);
    }
    if (size > LARGEST) throw new CommandFailed(EXIT.badConfig, `"${path}" is larger than 1 MiB`);
    return await readFile(path, "utf8");
  } catch (thrown) {
    if (thrown instanceof CommandFailed) throw thrown;
    const { code, message } = thrown as NodeJS.ErrnoException;
    if (code === "ENOENT") return "";
    throw new CommandFailed(EXIT.badConfig, `cannot read "${path}": ${message}`);
  }
}

/** For its owner only. */
async function write(path: string, table: Table): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await writeWhole(path, HEADER + tomlDocument(table), { mode: 0o600 });
  } catch (thrown) {
    throw new CommandFailed(EXIT.failed, `cannot write "${path}": ${(thrown as Error).message}`);
  }
}
