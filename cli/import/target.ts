/** The configuration an import adds to, and the files beside it. */
import { readFile, realpath, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { type Table, tableAt, textAt } from "../../src/config/raw.ts";
import { parseToml } from "../../src/config/syntax.ts";
import { parseListen } from "../../src/contract/config/listen.ts";
import { findConfig } from "../config_file.ts";
import { CommandFailed, EXIT } from "../exit.ts";
import { stateFolder } from "../folders.ts";
import type { Io } from "../io.ts";
import { readLocalGateways } from "../local_gateways.ts";
import { envOf } from "./env_file.ts";

/** A file as it was read; text is undefined when there is none. */
export interface TextFile {
  /** For people. */
  readonly shown: string;
  /** Absolute; where a link leads. */
  readonly path: string;
  readonly text: string | undefined;
}

export interface Target {
  readonly config: TextFile;
  /** `sentinel.env` in the same folder. */
  readonly secrets: TextFile;
  /** The configuration as written; empty when there is none. */
  readonly table: Table;
  /** What the file of secrets holds. */
  readonly known: ReadonlyMap<string, string>;
  /** Where the gateways of this user listen. */
  readonly ownUrls: readonly string[];
}

const LARGEST = 4 * 1024 * 1024;

/**
 * Reads what is there: the file of `--config`, else the one in use, else a new `sentinel.toml`.
 * @throws CommandFailed when a file cannot be read, ConfigError when the configuration is no TOML
 */
export async function readTarget(io: Io, named: string | undefined): Promise<Target> {
  const shown = await findConfig(io, named) ?? "sentinel.toml";
  const config = await readText(resolve(io.cwd, shown), shown);
  const secrets = await readText(
    join(dirname(config.path), "sentinel.env"),
    join(dirname(shown), "sentinel.env"),
  );
  const table = parseToml((config.text ?? "").replace(/^\ufeff/, ""), shown);
  const running = readLocalGateways(stateFolder(io));
  const listen = parseListen(textAt(table, "server", "listen") ?? "");
  const own = listen === undefined ? [] : [`http://${hostOf(listen.host)}:${listen.port}`];
  return {
    config,
    secrets,
    table,
    known: envOf(secrets.text ?? ""),
    ownUrls: [...own, ...running.flatMap(({ endpoint }) => endpoint ?? [])],
  };
}

/** Names of the tables under a key. */
export function namesIn({ table }: Target, key: string): readonly string[] {
  return Object.keys(tableAt(table, key));
}

async function readText(named: string, shown: string): Promise<TextFile> {
  const path = await realpath(named).catch(() => named);
  try {
    const found = await stat(path);
    if (!found.isFile()) throw new Error("it is no regular file");
    if (found.size > LARGEST) throw new Error(`it is larger than ${LARGEST} bytes`);
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
      .decode(await readFile(path));
    return { shown, path, text };
  } catch (thrown) {
    const { code, message } = thrown as NodeJS.ErrnoException;
    if (code === "ENOENT") return { shown, path, text: undefined };
    const reason = thrown instanceof TypeError ? "it is not UTF-8" : message;
    throw new CommandFailed(EXIT.badConfig, `cannot read "${shown}": ${reason}`);
  }
}

function hostOf(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}
