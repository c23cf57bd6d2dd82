/** Starts the peer programs, and reads what happened inside of them. */
import { appendFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { RunningProgram } from "../../support/running_program.ts";
import { type Command, commandOf } from "../../support/runtime.ts";
import type { Address } from "../clients.ts";
import { until } from "../until.ts";

export const LEGACY_WIRES = ["http", "sse", "stdio"] as const;
export const MODERN_WIRES = ["http", "stdio"] as const;

/** Which program a peer runs. */
export type PeerKind =
  | { readonly era: "legacy"; readonly wire: typeof LEGACY_WIRES[number] }
  | { readonly era: "modern"; readonly wire: typeof MODERN_WIRES[number] };

/** One server of the official SDK, however many processes it has. */
export interface Peer {
  readonly name: string;
  readonly uri: string;
  /** Where it listens; for stdio the command that starts a process of it. */
  readonly address: Address;
  /** Waits until one of the events stands in its log, and returns which. */
  happened(key: string, ...events: readonly string[]): Promise<string>;
  /** Writes an event that a tool waits for. */
  note(key: string, event: string): Promise<void>;
  stop(): Promise<unknown>;
}

const EVENT_MS = 10_000;
const LISTENING = /http:\/\/127\.0\.0\.1:\d+\/mcp/;

/** Peers run on Node, whatever runs the test. `folder` is where the log is kept. */
export async function startPeer(name: string, kind: PeerKind, folder: string): Promise<Peer> {
  const log = join(folder, `${name}.log`);
  await writeFile(log, "");
  const command = commandOf(`tests/scenarios/eras/${kind.era}_peer.ts`, [kind.wire], "node");
  const env = { PEER_LOG: log, PEER_NAME: name };
  const { address, stop } = kind.wire === "stdio"
    ? { address: { ...command, env }, stop: () => Promise.resolve() }
    : await startHttp(command, env, kind.wire);
  return {
    name,
    uri: `note://${name}`,
    address,
    stop,
    note: (key, event) => appendFile(log, `${key} ${event}\n`),
    happened: (key, ...events) =>
      until(async () => {
        const lines = (await readFile(log, "utf8")).split("\n");
        const found = events.find((event) => lines.includes(`${key} ${event}`));
        if (found === undefined) throw new Error(`${name} has not ${events} ${key}: ${lines}`);
        return found;
      }, EVENT_MS),
  };
}

async function startHttp(
  command: Command,
  env: Readonly<Record<string, string>>,
  wire: "http" | "sse",
): Promise<{ address: Address; stop: () => Promise<unknown> }> {
  const program = new RunningProgram(command, { ...process.env, ...env });
  const [url] = await program.printed(LISTENING);
  return { address: wire === "sse" ? { sse: url } : { http: url }, stop: () => program.kill() };
}
