/**
 * Tells commands of the same user on the same machine where this gateway's management API is, and lends them
 * a token: `<state folder>/gateways/<id>.json`, readable by its owner only, as long as the gateway runs.
 */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { type LocalGateway, parseLocalGateway } from "../contract/local_gateway.ts";
import type { Random } from "../ports/random.ts";
import { machine, startTime } from "./process/process_table.ts";
import { makePrivate } from "./state_folder.ts";

const TOKEN_BYTES = 32;
/** Whether a gateway of another machine or container runs cannot be seen: its record goes after this. */
const KEEP_FOREIGN_MS = 30 * 24 * 3600 * 1000;

/** What this process does not know of itself. */
export type LocalFacts = Omit<LocalGateway, "pid" | "machine" | "start">;

/** A token of 256 random bits as 43 characters. */
export function createToken(random: Random): string {
  return Buffer.from(random.bytes(TOKEN_BYTES)).toString("base64url");
}

/**
 * Writes the record of this gateway and clears those that a crash left behind.
 * @returns Removes the record again.
 * @throws when it cannot be written
 */
export function announce(stateDir: string, facts: LocalFacts): () => void {
  const folder = join(stateDir, "gateways");
  makePrivate(stateDir);
  makePrivate(folder);
  clear(folder);
  const start = startTime(process.pid);
  const here = machine();
  const known = start === undefined || here === undefined ? {} : { start, machine: here };
  const record: LocalGateway = { ...facts, pid: process.pid, ...known };
  const path = join(folder, `${idOf(record)}.json`);
  writeFileSync(`${path}.new`, JSON.stringify(record), { mode: 0o600 });
  renameSync(`${path}.new`, path);
  return () => rmSync(path, { force: true });
}

/** Two gateways of one process, as in tests, have tokens of their own. */
function idOf({ pid, token }: LocalGateway): string {
  return `${pid}-${createHash("sha256").update(token).digest("hex").slice(0, 8)}`;
}

function clear(folder: string): void {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (/\.json(\.new)?$/.test(name) && isOver(path)) rmSync(path, { force: true });
  }
}

function isOver(path: string): boolean {
  const record = readRecord(path);
  return record === undefined || isForeign(record) ? isOld(path) : !isRunning(record);
}

function isForeign(record: LocalGateway): boolean {
  return record.machine !== undefined && record.machine !== machine();
}

function isOld(path: string): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat !== undefined && stat.mtimeMs < Date.now() - KEEP_FOREIGN_MS;
}

function isRunning({ pid, start }: LocalGateway): boolean {
  if (start !== undefined) return startTime(pid) === start;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Undefined for a file that is no record of this version, or has gone meanwhile. */
function readRecord(path: string): LocalGateway | undefined {
  try {
    return parseLocalGateway(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}
