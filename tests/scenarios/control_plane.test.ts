import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:http";
import process from "node:process";
import { after, before, describe, test } from "node:test";
import { ADMIN_TOKEN, ManagedGateway, READ_TOKEN } from "../proofs/managed_gateway.ts";
import { NumberedBackend } from "../proofs/numbered_backend.ts";
import { RunningProgram } from "../support/running_program.ts";
import { commandOf } from "../support/runtime.ts";
import { callTool, connect, textOf } from "./clients.ts";
import { stopAll } from "./stop_all.ts";
import { until } from "./until.ts";

const TIMEOUT = { timeout: 90_000 };
const WAIT_MS = 30_000;

describe("gateways and the clients of their control plane", () => {
  let backend: NumberedBackend;
  let one: ManagedGateway;
  let two: ManagedGateway;

  before(async () => {
    backend = await NumberedBackend.start();
    one = await startWith("one", backend);
    two = await startWith("two", backend);
  }, TIMEOUT);

  after(() =>
    stopAll([() => one.remove(), () => two.remove(), () => backend[Symbol.asyncDispose]()])
  );

  test("a gateway runs on when every client has gone, in whatever way", TIMEOUT, async () => {
    const ends = [await follower(one), await follower(one), await caller(one)];
    await until(() => assertStreams(one, 2), WAIT_MS);

    for (const end of ends) await end();
    await abandonRequest(one);

    await until(() => assertStreams(one, 0), WAIT_MS);
    const { state } = await one.client(READ_TOKEN).request("status");
    assert.equal(state, "ready");
    const client = await connect({ http: one.url.href });
    assert.equal(textOf(await callTool(client, "one__echo", { n: 7 })), "7");
    await client.close();
  });

  test("one command line drives two gateways by profiles", TIMEOUT, async () => {
    const cli = commandLine(one.folder);
    for (const [name, { management }] of [["first", one], ["second", two]] as const) {
      await cli("profile", "add", name, "--url", management, "--token-env", "PROOF_ADMIN");
    }

    await cli("kill", "backend", "two", "--reason", "proof", "--yes", "--profile", "second");

    const set = [await killed(cli, "first"), await killed(cli, "second")];
    assert.deepEqual(set, [[], ["two"]]);
    assert.deepEqual((await two.ask("/kill-switches")).body.items[0].reason, "proof");
  });
});

function startWith(name: string, backend: NumberedBackend): Promise<ManagedGateway> {
  return ManagedGateway.start({ backends: { [name]: { url: backend.urlOf(name) } } });
}

/** Follows the events; returns how it goes away. */
async function follower(gateway: ManagedGateway): Promise<() => Promise<void>> {
  const events = gateway.client(READ_TOKEN).follow("eventStream", { from: "oldest" });
  await events.next();
  return async () => void await events.return?.();
}

async function caller(gateway: ManagedGateway): Promise<() => Promise<void>> {
  const client = await connect({ http: gateway.url.href });
  await until(() => callTool(client, "one__echo", { n: 1 }), WAIT_MS);
  return () => client.close();
}

/** Begins a request with a body and breaks the connection within it. */
async function abandonRequest(gateway: ManagedGateway): Promise<void> {
  const headers = {
    "authorization": `Bearer ${ADMIN_TOKEN}`,
    "content-type": "application/json",
    "content-length": "1000",
  };
  const url = `${gateway.management}/manage/v1/reload`;
  const abandoned = request(url, { method: "POST", headers, agent: false });
  abandoned.on("error", () => {}); // its own end
  const [socket] = await once(abandoned.end("{"), "socket");
  if (socket.connecting) await once(socket, "connect");
  abandoned.destroy();
}

async function assertStreams(gateway: ManagedGateway, open: number): Promise<void> {
  const text = await gateway.client(READ_TOKEN).request("metrics");
  const found = /^sentinel_streams_active\{kind="management_events"\} (\d+)/m.exec(text);
  assert.equal(Number(found?.[1]), open);
}

type CommandLine = (...args: string[]) => Promise<string>;

/** Runs commands as a user whose files are in a folder; returns what they print. */
function commandLine(folder: string): CommandLine {
  const env = { ...process.env, XDG_CONFIG_HOME: folder, PROOF_ADMIN: ADMIN_TOKEN };
  return async (...args) => {
    const program = new RunningProgram(commandOf("cli/main.ts", args), env);
    const { code } = await program.exited;
    assert.equal(code, 0, `${args.join(" ")}: ${program.stdout}${program.stderr}`);
    return program.stdout;
  };
}

async function killed(cli: CommandLine, profile: string): Promise<string[]> {
  const text = await cli("kill", "list", "--json", "--profile", profile);
  const { items } = JSON.parse(text) as { items: { name: string }[] };
  return items.map(({ name }) => name);
}
