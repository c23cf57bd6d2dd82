/** Where a gateway keeps what outlives it: one folder for each configuration. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { SentinelError } from "../contract/errors.ts";

const MAX_NAME = 32;
const ELSEWHERE = "set XDG_STATE_HOME to a folder of this user";

/** What stays the same when a gateway is started again, whatever address it listens on. */
export interface GatewayIdentity {
  /** Absolute path of the configuration file; without one, of the working directory. */
  readonly source: string;
  /** `server.name`: only for people who look into the state folder. */
  readonly name?: string | undefined;
}

/**
 * The folder `<stateDir>/gateways/<name>-<hash of the source>`; what is missing is made, for this user only.
 * A gateway whose name has changed keeps its folder.
 * @throws SentinelError when it cannot be made, or when others may write there
 */
export function gatewayFolder(stateDir: string, { source, name }: GatewayIdentity): string {
  const gateways = join(stateDir, "gateways");
  makePrivate(stateDir);
  makePrivate(gateways);
  const folder = join(gateways, knownName(gateways, source) ?? `${plain(name)}-${idOf(source)}`);
  makePrivate(folder);
  return folder;
}

/** The same folder, if it is there; nothing is made. */
export function findGatewayFolder(stateDir: string, source: string): string | undefined {
  const gateways = join(stateDir, "gateways");
  const name = existsSync(gateways) ? knownName(gateways, source) : undefined;
  return name === undefined ? undefined : join(gateways, name);
}

function knownName(gateways: string, source: string): string | undefined {
  const id = idOf(source);
  return readdirSync(gateways).find((entry) => entry.endsWith(`-${id}`));
}

function idOf(source: string): string {
  return createHash("sha256").update(source).digest("hex").slice(0, 8);
}

/** A name that is one on every file system. */
function plain(name = "gateway"): string {
  return name.replaceAll(/[^A-Za-z0-9_-]/g, "_").slice(0, MAX_NAME) || "gateway";
}

/**
 * Makes the folder for this user only, or checks that nobody else may write an existing one.
 * @throws SentinelError that says what to do
 */
export function makePrivate(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    const problem = `Cannot make the state folder "${folder}": ${(error as Error).message}`;
    throw refusal(`${problem}; let this user write there, or ${ELSEWHERE}`, error);
  }
  refuseOthers(folder);
}

/** Who can write here can set kill switches aside, or make this user's commands talk to another gateway. */
function refuseOthers(folder: string): void {
  if (process.platform === "win32") return;
  const { mode, uid } = statSync(folder);
  if ((mode & 0o022) !== 0) {
    throw refusal(`Others may write the state folder "${folder}"; run: chmod go-w "${folder}"`);
  }
  if (uid !== 0 && uid !== process.getuid?.()) {
    const problem = `The state folder "${folder}" belongs to another user (uid ${uid})`;
    throw refusal(`${problem}; start the gateway as that user, or ${ELSEWHERE}`);
  }
}

function refusal(reason: string, cause?: unknown): SentinelError {
  return new SentinelError("AUDIT_UNAVAILABLE", reason, { reason }, cause);
}
