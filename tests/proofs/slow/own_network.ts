/**
 * A loopback of our own with packets of the size that networks have and small buffers. On the usual one the system
 * takes megabytes for a reader that takes nothing, so that nothing waits in the program that is to be proven.
 * Linux; without root only where the kernel lets a user have namespaces.
 */
import { spawnSync } from "node:child_process";
import process from "node:process";
import type { Command } from "../../support/runtime.ts";

const MARK = "PROOF_OWN_NETWORK";
const MTU = 1500;
/** Least, usual and most bytes the system takes for one connection, on either side. */
const BUFFERS = "4096 16384 65536";
const SETUP = `ip link set lo mtu ${MTU} up &&
for kind in rmem wmem; do echo ${BUFFERS} > /proc/sys/net/ipv4/tcp_$kind || exit; done &&
exec "$@"`;

/** Whether this process is in one. */
export function isInOwnNetwork(): boolean {
  return process.env[MARK] !== undefined;
}

/** Runs a program in one and gives its exit code; undefined: it is in one already, or the machine does not let us. */
export function runInOwnNetwork({ command, args }: Command): number | undefined {
  if (isInOwnNetwork()) return undefined;
  const root = process.getuid?.() === 0 ? [] : ["--map-root-user"];
  const enter = [...root, "--net", "sh", "-c", SETUP, "sh"];
  if (spawnSync("unshare", [...enter, "true"]).status !== 0) return undefined;
  const { status } = spawnSync("unshare", [...enter, command, ...args], {
    stdio: "inherit",
    env: { ...process.env, [MARK]: "1" },
  });
  return status ?? 1;
}
