/** The folder where a gateway keeps what outlives it, and the SQLite files in it. */
import { existsSync } from "node:fs";
import { mkdtemp, rmdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Check, CheckSection } from "../../contract/diagnosis.ts";
import { type Config, SentinelError } from "../../contract/mod.ts";
import type { SqliteFile } from "../../stores/sqlite/probe.ts";
import { findGatewayFolder, makePrivate } from "../state_folder.ts";

export interface StateOptions {
  readonly config: Config;
  /** Where gateways of this user keep their state. */
  readonly stateDir: string;
  /** Absolute path of the configuration, without one of the working directory. */
  readonly identity: string;
}

/** What lies in the folder, by section and file. */
const FILES = {
  state: "state.sqlite",
  audit: "audit.sqlite",
  sessions: "sessions.sqlite",
} as const;

export async function examineState(options: StateOptions): Promise<readonly Check[]> {
  const { config, stateDir, identity } = options;
  const folder = await examineFolder(stateDir, identity);
  if (folder.check.level === "fail") return [folder.check];
  const used: SqliteFile[] = [
    "state",
    ...config.audit.store === "sqlite" ? ["audit" as const] : [],
    ...config.sessions.store === "sqlite" ? ["sessions" as const] : [],
  ];
  const files = await Promise.all(used.map((file) => fileCheck(file, folder.own)));
  return [folder.check, ...files.filter((check) => check !== undefined)];
}

interface Folder {
  readonly check: Check;
  /** Of this gateway, where it was started before. */
  readonly own: string | undefined;
}

async function examineFolder(stateDir: string, identity: string): Promise<Folder> {
  const row = { section: "state" } as const;
  try {
    const own = ownFolder(stateDir, identity);
    const place = own ?? nearest(stateDir);
    await writeAndTakeBack(place);
    const text = own === undefined ? `${stateDir} can be made` : `${own} can be written`;
    return { check: { ...row, level: "ok", text }, own };
  } catch (thrown) {
    return { check: { ...row, level: "fail", ...words(thrown, stateDir) }, own: undefined };
  }
}

/** The folder of the gateway, when it is there. @throws SentinelError when others may write it or what is above */
function ownFolder(stateDir: string, identity: string): string | undefined {
  const gateways = join(stateDir, "gateways");
  for (const folder of [stateDir, gateways]) if (existsSync(folder)) makePrivate(folder);
  const own = findGatewayFolder(stateDir, identity);
  if (own !== undefined) makePrivate(own);
  return own;
}

/** The folder itself, or the first above it that is there. */
function nearest(folder: string): string {
  if (existsSync(folder) || dirname(folder) === folder) return folder;
  return nearest(dirname(folder));
}

async function writeAndTakeBack(folder: string): Promise<void> {
  await rmdir(await mkdtemp(join(folder, ".sentinel-probe-")));
}

function words(thrown: unknown, stateDir: string): Pick<Check, "text" | "cure"> {
  if (thrown instanceof SentinelError) {
    const [text = "", ...cure] = thrown.message.split("; ");
    return { text, cure: cure.join("; ") || ELSEWHERE };
  }
  const { code, message } = thrown as NodeJS.ErrnoException;
  const why = WHY[code ?? ""] ?? message;
  return {
    text: `nothing can be kept in ${stateDir}: ${why}`,
    cure: `let this user write there, or ${ELSEWHERE}`,
  };
}

const ELSEWHERE = "set XDG_STATE_HOME to a folder of this user";

const WHY: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EPERM: "permission denied",
  EROFS: "the file system is read-only",
  ENOSPC: "the disk is full",
  ENOTDIR: "a file is in the way",
  EEXIST: "a file is in the way",
};

async function fileCheck(file: SqliteFile, folder: string | undefined): Promise<Check | undefined> {
  const section: CheckSection = file;
  const what = { section, name: "sqlite" } as const;
  if (folder === undefined) {
    if (file === "state") return undefined;
    return { ...what, level: "ok", text: "made with the first start" };
  }
  const { probeSqlite } = await import("../../stores/sqlite/probe.ts");
  try {
    const probe = probeSqlite(join(folder, FILES[file]), file);
    if (probe === undefined) return { ...what, level: "ok", text: "made with the next start" };
    const { version, newest, writeMs } = probe;
    const age = version === newest ? "current" : `${newest} with the next start`;
    const text = `${FILES[file]}, schema ${version} (${age}), write ${brief(writeMs)}`;
    return { ...what, level: "ok", text };
  } catch (thrown) {
    if (!(thrown instanceof SentinelError)) throw thrown;
    const [text = "", ...cure] = thrown.message.split("; ");
    return {
      ...what,
      level: "fail",
      text,
      ...(cure.length === 0 ? {} : { cure: cure.join("; ") }),
    };
  }
}

/** Such as `3 ms`. */
export function brief(ms: number): string {
  return ms < 1 ? "under 1 ms" : `${Math.round(ms)} ms`;
}
