/** A client that starts a command reaches a gateway that listens: `mcp-sentinel stdio --url`. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe } from "node:test";
import { SignJWT } from "jose";
import { stringify } from "smol-toml";
import { type Gateway, startGateway } from "../support/gateway.ts";
import { proves } from "../support/proves.ts";
import { RunningProgram } from "../support/running_program.ts";
import { commandOf, executable, REPOSITORY } from "../support/runtime.ts";
import type { Client } from "../support/sdk.ts";
import { callTool, connect, listTools, textOf } from "./clients.ts";
import { gather, marksIn } from "./people.ts";
import { stopAll } from "./stop_all.ts";
import { until } from "./until.ts";

const TIMEOUT = { timeout: 120_000 };
const START_MS = 30_000;
const SECRET = "secret-of-the-bridge-tests-0123456789";
const BACKEND = {
  command: executable("node"),
  args: [join(REPOSITORY, "tests/fixtures/backend.mjs")],
  instances: "per-session",
};
const SIGN_IN = {
  auth: { mode: "jwt", jwt: [{ issuer: "tests", audience: "gateway", secret: "${env:SECRET}" }] },
  roles: { user: { tools: ["*"] } },
};

describe("stdio --url", () => {
  const gateways: Gateway[] = [];
  const clients: Client[] = [];
  let gateway: Gateway;

  before(async () => {
    gateway = await started({});
  });
  after(() =>
    stopAll([...clients.map((client) => () => client.close()), ...gateways.map((one) => one.kill)])
  );

  proves("G2.2", "a client lists, calls and is asked through it", async () => {
    const [person] = await gather([address(gateway.url)]);
    const { client, mark } = person ?? assert.fail();
    clients.push(client);
    await until(() => hasTool(client), START_MS);
    assert.deepEqual(textOf(await callTool(client, "one__echo", { a: 1 })), '{"a":1}');
    const heard: unknown[] = [];
    client.fallbackNotificationHandler = ({ method, params }) => {
      heard.push([method, params?.["data"]]);
      return Promise.resolve();
    };
    await callTool(client, "one__log", { level: "error", data: "told" });
    await until(() => assert.deepEqual(heard, [["notifications/message", "told"]]), START_MS);
    const params = {
      mode: "form",
      message: "name?",
      requestedSchema: { type: "object", properties: { name: { type: "string" } } },
    };
    const asked = await callTool(client, "one__ask", { method: "elicitation/create", params });
    assert.deepEqual(marksIn(textOf(asked)), [mark], textOf(asked));
  }, TIMEOUT);

  proves(
    "G2.2",
    "a gateway that is gone is an error, and one that is back is used again",
    async () => {
      const first = await started({});
      const client = await opened(first.url);
      await until(() => hasTool(client), START_MS);
      await first.kill();
      await assert.rejects(callTool(client, "one__echo"), /Cannot reach the gateway at http:/);
      await started({ server: { listen: new URL(first.url).host } });
      await until(() => hasTool(client), START_MS);
      assert.equal(textOf(await callTool(client, "one__echo", { b: 2 })), '{"b":2}');
    },
    TIMEOUT,
  );

  proves(
    "G4.2",
    "the token comes from a variable or a file, and without it nobody gets in",
    async () => {
      const guarded = await started(SIGN_IN);
      await assert.rejects(opened(guarded.url), /Cannot sign in at|UNAUTHENTICATED|token/);
      await assert.rejects(opened(guarded.url, { SENTINEL_TOKEN: "wrong" }));
      const token = await new SignJWT({ roles: ["user"] }).setProtectedHeader({ alg: "HS256" })
        .setIssuer("tests").setAudience("gateway").setSubject("anna").setExpirationTime("5m")
        .sign(new TextEncoder().encode(SECRET));
      const file = join(guarded.home, "token");
      await writeFile(file, `${token}\n`, { mode: 0o600 });
      const ways = [
        await opened(guarded.url, { MY_TOKEN: token }, ["--token-env", "MY_TOKEN"]),
        await opened(guarded.url, {}, ["--token-file", file]),
      ];
      for (const client of ways) await until(() => hasTool(client), START_MS);
    },
    TIMEOUT,
  );

  proves(
    "G2.2",
    "nothing but messages is written to stdout, and the end of stdin is the end",
    async () => {
      const program = new RunningProgram(bridgeTo("http://127.0.0.1:9/mcp"));
      try {
        const { code } = await program.exited;
        assert.equal(code, 0, "stdin is closed, so it ends at once");
        assert.equal(program.stdout, "");
      } finally {
        await program.kill();
      }
    },
    TIMEOUT,
  );

  async function started(more: Record<string, unknown>): Promise<Gateway> {
    const one = await startGateway(stringify({ backends: { one: BACKEND }, ...more }), {
      env: { SECRET },
    });
    gateways.push(one);
    return one;
  }

  async function opened(
    url: string,
    env: Record<string, string> = {},
    options: readonly string[] = [],
  ): Promise<Client> {
    const client = await connect(address(url, env, options));
    clients.push(client);
    return client;
  }
});

function bridgeTo(url: string, options: readonly string[] = []) {
  return commandOf("cli/main.ts", ["stdio", "--url", url, ...options]);
}

function address(url: string, env: Record<string, string> = {}, options: readonly string[] = []) {
  const { PATH = "" } = process.env;
  return { ...bridgeTo(url, options), env: { PATH, HOME: "/nonexistent", ...env } };
}

async function hasTool(client: Client): Promise<void> {
  const tools = await listTools(client);
  assert.ok(tools.some((tool) => tool["name"] === "one__echo"));
}
