/** Gateways of this user that run on this machine, by the records they leave in the state folder. */
import { readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { type LocalGateway, parseLocalGateway } from "../src/contract/local_gateway.ts";

/** Larger files are no records. */
const MAX_BYTES = 64 * 1024;
/** Records looked at; beyond, something else fills the folder. */
const MAX_RECORDS = 1000;
/** Field of `/proc/<pid>/stat`, counted from the one behind the program's name. */
const START_TIME = 19;

/**
 * Records of running gateways, the one that was started first at the front. What is no record, what others
 * could have read or written and what belongs to a gateway that is gone is left out, without a word: it may
 * hold a secret.
 */
export function readLocalGateways(stateDir: string): readonly LocalGateway[] {
  const folder = join(stateDir, "gateways");
  const names = namesIn(folder).filter((name) => name.endsWith(".json")).slice(0, MAX_RECORDS);
  const here = thisMachine();
  return names
    .map((name) => readRecord(join(folder, name)))
    .filter((record) => record !== undefined)
    .filter((record) => isRunning(record, here))
    .sort((a, b) => a.startedAt < b.startedAt ? -1 : 1);
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // no gateway was ever started here, or another user's: the command says that it found none
  }
}

function readRecord(path: string): LocalGateway | undefined {
  try {
    const { mode, uid, size } = statSync(path);
    if (size > MAX_BYTES || !isPrivate(mode, uid)) return undefined;
    return parseLocalGateway(readFileSync(path, "utf8"));
  } catch {
    return undefined; // gone meanwhile
  }
}

function isPrivate(mode: number, uid: number): boolean {
  return process.platform === "win32" || ((mode & 0o077) === 0 && uid === process.getuid?.());
}

/** Pids are used again: where the kernel tells, machine and start time must be the recorded ones. */
function isRunning({ pid, start, machine }: LocalGateway, here: string | undefined): boolean {
  if (machine !== undefined && here !== undefined) {
    return machine === here && startTime(pid) === start;
  }
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    const { code, name } = error as NodeJS.ErrnoException;
    // Another user's, or Deno must not look: a connection will tell.
    return code === "EPERM" || name === "NotCapable";
  }
}

function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[START_TIME];
  } catch {
    return undefined; // it has ended
  }
}

/** This boot and this pid namespace; undefined without `/proc`. */
function thisMachine(): string | undefined {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    return `${boot} ${readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    return undefined;
  }
}
