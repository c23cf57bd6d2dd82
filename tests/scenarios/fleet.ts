/** All published servers, and gateways in front of them. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "smol-toml";
import { startGateway } from "../support/gateway.ts";
import {
  type HttpServer,
  type SampleCall,
  type SampledServer,
  startEverything,
  startN8n,
  type StdioServer,
  stdioServers,
} from "../support/servers.ts";
import { type Address, INTERACTIVE, type Json } from "./clients.ts";
import { stopAll } from "./stop_all.ts";

/** One server: how to reach it directly, and how the gateway reaches it. */
export interface Member {
  readonly name: string;
  readonly address: Address;
  /** What the gateway declares to it on the link that reads its catalog. */
  readonly capabilities: Json;
  readonly call: SampleCall;
  /** Its table under `[backends]`. */
  readonly backend: Json;
}

export interface Fleet {
  readonly members: readonly Member[];
  /** Configuration of a gateway in front of all of them. */
  readonly toml: string;
  /** The credentials it refers to. */
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** Starts the HTTP servers, and the gateway that makes the sqlite server one. */
export async function startFleet(): Promise<Fleet> {
  const directory = await mkdtemp(join(tmpdir(), "fleet-"));
  const ends: (() => Promise<unknown>)[] = [];
  const stop = async () => {
    await stopAll([...ends, () => rm(directory, { recursive: true, force: true })]);
  };
  try {
    const members = await startMembers(directory, ends);
    return { members, toml: tomlOf(members), env: credentials(members), stop };
  } catch (cause) {
    await stop();
    throw cause;
  }
}

/** Adds to `ends` how to stop what it has started. */
async function startMembers(
  directory: string,
  ends: (() => Promise<unknown>)[],
): Promise<readonly Member[]> {
  const { sqlite, ...stdio } = stdioServers(directory);
  const inner = await startGateway(stringify({
    catalog: { prefix: "never" },
    backends: { sqlite: tableOf(sqlite) },
  }));
  ends.push(() => inner.stop());
  const everything = await startEverything("streamableHttp");
  ends.push(() => everything.stop());
  const sse = await startEverything("sse");
  ends.push(() => sse.stop());
  const n8n = await startN8n(directory);
  ends.push(() => n8n.stop());
  return [
    ...Object.entries(stdio).map(([name, server]) => stdioMember(name, server)),
    // Within one era definitions pass unchanged; a modern list says nothing of tasks.
    { ...stdioMember("sqlite", sqlite), backend: { url: inner.url, era: "legacy" } },
    ...httpMembers(everything, sse, n8n),
  ];
}

function tomlOf(members: readonly Member[]): string {
  return stringify({
    backends: Object.fromEntries(members.map(({ name, backend }) => [name, backend])),
  });
}

function stdioMember(name: string, server: SampledServer): Member {
  const { command, args, env, call } = server;
  const address = { command, args, env };
  return { name, address, capabilities: {}, call, backend: tableOf(server) };
}

function httpMembers(everything: HttpServer, sse: HttpServer, n8n: HttpServer): Member[] {
  const call = { name: "get-sum", arguments: { a: 2, b: 3 } };
  return [
    {
      name: "everything-http",
      address: { http: everything.url },
      capabilities: INTERACTIVE,
      call,
      backend: { url: everything.url },
    },
    {
      name: "everything-sse",
      address: { sse: sse.url },
      capabilities: INTERACTIVE,
      call,
      backend: { url: sse.url, transport: "http_sse" },
    },
    {
      name: "n8n",
      address: { http: n8n.url, headers: n8n.headers },
      capabilities: INTERACTIVE,
      call: { name: "get_node", arguments: { nodeType: "nodes-base.httpRequest" } },
      backend: { url: n8n.url, headers: { Authorization: "${env:N8N_AUTHORIZATION}" } },
    },
  ];
}

function tableOf({ command, args, env }: StdioServer): Json {
  const written = Object.entries(env).map(([name, value]) =>
    isCredential(name) ? [name, `\${env:${name}}`] : [name, value]
  );
  return { command, args: [...args], env: Object.fromEntries(written) };
}

/** The gateway refuses credentials that are written in its file. */
function credentials(members: readonly Member[]): Record<string, string> {
  const found: Record<string, string> = {};
  for (const { address } of members) {
    if ("http" in address) Object.assign(found, authorization(address.headers));
    if (!("command" in address)) continue;
    for (const [name, value] of Object.entries(address.env)) {
      if (isCredential(name)) found[name] = value;
    }
  }
  return found;
}

function authorization(headers: Readonly<Record<string, string>> = {}): Record<string, string> {
  const value = headers["Authorization"];
  return value === undefined ? {} : { N8N_AUTHORIZATION: value };
}

function isCredential(name: string): boolean {
  return name.endsWith("_KEY");
}
