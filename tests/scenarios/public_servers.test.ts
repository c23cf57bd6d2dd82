import assert from "node:assert/strict";
import { after, before, describe } from "node:test";
import { type Gateway, startGateway, stdioGateway } from "../support/gateway.ts";
import { proves } from "../support/proves.ts";
import type { Client } from "../support/sdk.ts";
import { type Address, callTool, connect, createClient, type Json, listTools } from "./clients.ts";
import { type Fleet, type Member, startFleet } from "./fleet.ts";
import { stopAll } from "./stop_all.ts";
import { until } from "./until.ts";

/** A dozen servers start at once on a small machine. */
const START_MS = 60_000;
const TIMEOUT = { timeout: 120_000 };
/** How often each sample call is made on one server; some servers count. */
const ROUNDS = 2;
const SERVER = "io.modelcontextprotocol/serverInfo";

/** What a server says for itself. */
interface Direct {
  readonly tools: readonly Json[];
  /** The result of each round. */
  readonly results: readonly Json[];
}

describe("published servers behind one gateway", () => {
  const direct = new Map<string, Direct>();
  let fleet: Fleet;
  let gateway: Gateway;

  before(async () => {
    fleet = await startFleet();
    for (const member of fleet.members) direct.set(member.name, await ask(member));
    gateway = await startGateway(fleet.toml, fleet);
  }, TIMEOUT);

  after(async () => {
    await stopAll([gateway?.stop, fleet?.stop]);
  });

  proves(
    ["G2.3", "G3.1", "G3.2", "G8.1", "G8.2", "G10.3"],
    "Streamable HTTP front, lists and answers as the servers do",
    () => check({ http: gateway.url }, 0),
    TIMEOUT,
  );

  proves(
    ["G2.3", "G3.1", "G8.2", "G10.3"],
    "HTTP+SSE front, lists and answers as the servers do",
    () => check({ sse: gateway.sseUrl }, 1),
    TIMEOUT,
  );

  proves(
    ["G2.2", "G2.3", "G3.1", "G8.1", "G8.2", "G10.3"],
    "stdio front, lists and answers as the servers do",
    async () => {
      const program = await stdioGateway(fleet.toml, fleet);
      try {
        await check(program, 0);
      } finally {
        await program.remove();
      }
    },
    TIMEOUT,
  );

  async function check(address: Address, round: number): Promise<void> {
    const client = await connect(address);
    try {
      await until(() => assertSameTools(client, fleet, direct), START_MS);
      for (const { name, call } of fleet.members) {
        const result = await callTool(client, `${name}__${call.name}`, call.arguments);
        assert.deepEqual(withoutServer(result), direct.get(name)?.results[round], name);
      }
    } finally {
      await client.close();
    }
  }
});

async function ask({ address, capabilities, call }: Member): Promise<Direct> {
  const client = await connect(address, createClient(capabilities));
  try {
    const tools = (await listTools(client)).filter((tool) => !needsTask(tool));
    const results: Json[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      results.push(await callTool(client, call.name, call.arguments));
    }
    return { tools, results };
  } finally {
    await client.close();
  }
}

/** A modern server says in each result who it is; asked directly, in the legacy era, it does not. */
function withoutServer({ _meta: meta, ...result }: Json): Json {
  const { [SERVER]: _, ...own } = (meta ?? {}) as Json;
  return Object.keys(own).length === 0 ? result : { ...result, _meta: own };
}

/** Tools that run only as a task are left out by the gateway: it offers no tasks. */
function needsTask(tool: Json): boolean {
  return (tool["execution"] as Json | undefined)?.["taskSupport"] === "required";
}

/** Every definition of every server is in the list, changed in nothing but its name. */
async function assertSameTools(
  client: Client,
  fleet: Fleet,
  direct: ReadonlyMap<string, Direct>,
): Promise<void> {
  const expected = fleet.members.flatMap(({ name }) =>
    (direct.get(name)?.tools ?? []).map((tool) => ({ ...tool, name: `${name}__${tool["name"]}` }))
  );
  const listed = await listTools(client);
  assert.deepEqual(listed.map(nameOf).sort(), expected.map(nameOf).sort());
  for (const tool of expected) {
    assert.deepEqual(listed.find((other) => other["name"] === tool.name), tool);
  }
}

function nameOf(tool: Json): string {
  return String(tool["name"]);
}
