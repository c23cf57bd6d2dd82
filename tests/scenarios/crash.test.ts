import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe } from "node:test";
import { stringify } from "smol-toml";
import { type Gateway, startGateway } from "../support/gateway.ts";
import { proves } from "../support/proves.ts";
import { type Client, McpError } from "../support/sdk.ts";
import { packaged } from "../support/servers.ts";
import { callTool, connect, type Json, textOf } from "./clients.ts";
import { descendants, type ProcessRow, survivors } from "./processes.ts";
import { stopAll } from "./stop_all.ts";
import { until } from "./until.ts";

const CALLS = 100;
const BACKEND_LOST = -31021;
const ENDED_BY_SIGTERM = 143;
const START_MS = 30_000;
/** Two seconds, and room for a busy machine. */
const GONE_MS = 5_000;
const TIMEOUT = { timeout: 90_000 };

describe("gateway and children that crash", () => {
  let directory: string;
  let gateway: Gateway;
  let client: Client;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "crash-"));
    gateway = await startGateway(configuration(directory));
    client = await connect({ http: gateway.url });
    await until(() => assertAnswering(client), START_MS);
  }, TIMEOUT);

  after(async () => {
    await stopAll([
      client === undefined ? undefined : () => client.close(),
      gateway?.stop,
      () => rm(directory, { recursive: true, force: true }),
    ]);
  });

  proves(
    ["G8.3", "G8.4"],
    "child killed with 100 calls in flight, each call learns it, the child comes back",
    async () => {
      const victim = await childOf(gateway.pid, "server-everything");
      const bystanders = readWhile(client);
      const calls = Array.from({ length: CALLS }, () => startCall(client));
      await Promise.all(calls.map(({ begun }) => begun));

      process.kill(victim.pid, "SIGKILL");

      const outcomes = await Promise.all(calls.map(({ error }) => error));
      assert.deepEqual(
        new Set(outcomes.map(describeError)),
        new Set([`${BACKEND_LOST} BACKEND_LOST victim unknown signal SIGKILL`]),
      );
      await until(() => assertAnswering(client), START_MS);
      assert.notEqual((await childOf(gateway.pid, "server-everything")).pid, victim.pid);
      assert.ok(await bystanders.stop() > 0);
    },
    TIMEOUT,
  );

  proves(
    "G8.4",
    "backends that cannot be started are given up with the reason, the others and the gateway work",
    async () => {
      const folder = await mkdtemp(join(directory, "home-"));
      await writeFile(join(folder, "plain"), "");
      const other = await startGateway(stringify({
        backends: {
          good: tableOf(packaged("everything", ["stdio"])),
          absent: { command: "no-such-program", restart: { base: "10ms" } },
          forbidden: { command: join(folder, "plain"), restart: { base: "10ms" } },
          crashing: { ...SHELL, args: ["-c", "echo why >&2; exit 9"], restart: { base: "10ms" } },
        },
      }));
      try {
        const found = await until(() => statesOf(other), START_MS);
        assert.match(found["absent"] ?? "", /^fatal .*command not found/);
        assert.match(found["forbidden"] ?? "", /^fatal .*no permission to run/);
        assert.match(found["crashing"] ?? "", /^fatal .*exit code 9; stderr: why/);
        assert.equal((await fetch(new URL("/ready", other.url))).status, 200);
        assert.doesNotMatch(other.stderr, /unhandled/i);
      } finally {
        await other.stop();
      }
    },
    TIMEOUT,
  );

  proves(["G7.5", "G8.5"], "gateway stopped, leaves no process of a child's group", async () => {
    const other = await startGateway(configuration(directory));
    const children = await startedBy(other);

    const exit = await other.stop();

    assert.equal(exit.code, ENDED_BY_SIGTERM);
    assert.deepEqual(await survivors(children), []);
  }, TIMEOUT);

  proves("G8.5", "gateway killed, its children end at once or at the next start", async () => {
    const home = await mkdtemp(join(directory, "home-"));
    const killed = await startGateway(configuration(directory), { home });
    const children = await startedBy(killed);

    await killed.kill();

    const left = await until(() => assertGone(children), GONE_MS).catch(() => survivors(children));
    if (left.length === 0) return;
    const next = await startGateway(configuration(directory), { home });
    try {
      await until(() => assertGone(children), GONE_MS);
    } finally {
      await next.stop();
    }
  }, TIMEOUT);
});

const SHELL = { command: "/bin/sh" };

/** State and last error of each backend, when none of them is on its way any more. */
async function statesOf({ managementUrl, token }: Gateway): Promise<Record<string, string>> {
  const answer = await fetch(`${managementUrl}/manage/v1/backends`, {
    headers: { authorization: `Bearer ${token}` },
  });
  const { items } = await answer.json() as { items: Record<string, string>[] };
  const found = items.map(({ name = "", state, lastError }) => [name, `${state} ${lastError}`]);
  const decided = items.filter(({ state }) => state === "fatal" || state === "ready");
  assert.equal(decided.length, items.length, JSON.stringify(found));
  return Object.fromEntries(found) as Record<string, string>;
}

/** One child that will be killed, one that must not notice, one that ignores the end of its stdin. */
function configuration(directory: string): string {
  const memory = packaged("memory");
  const victim = packaged("everything", ["stdio"]);
  return stringify({
    backends: {
      victim: { ...tableOf(victim), restart: { base: "100ms" } },
      bystander: {
        ...tableOf(memory),
        env: { MEMORY_FILE_PATH: join(directory, "memory.jsonl") },
      },
      stubborn: {
        command: "/bin/sh",
        args: [
          "-c",
          'sleep 600 & exec "$@"',
          "sh",
          memory.command,
          ...KEEP_RUNNING,
          ...memory.args,
        ],
        env: { MEMORY_FILE_PATH: join(directory, "stubborn.jsonl") },
        stop: { grace: "1s" },
      },
    },
  });
}

const KEEP_RUNNING = ["--import", "data:text/javascript,setInterval(()=>{},1000)"];

function tableOf({ command, args }: { command: string; args: readonly string[] }): Json {
  return { command, args: [...args] };
}

async function assertAnswering(client: Client): Promise<void> {
  assert.equal(textOf(await callTool(client, "victim__echo", { message: "yes" })), "Echo: yes");
  await callTool(client, "bystander__read_graph");
  await callTool(client, "stubborn__read_graph");
}

/** The processes of a gateway whose backends all answer. */
async function startedBy(gateway: Gateway): Promise<readonly ProcessRow[]> {
  const client = await connect({ http: gateway.url });
  try {
    await until(() => assertAnswering(client), START_MS);
    const rows = await descendants(gateway.pid);
    assert.ok(rows.some(({ command }) => command === "sleep 600"), "the grandchild runs");
    return rows;
  } finally {
    await client.close();
  }
}

async function childOf(pid: number, name: string): Promise<ProcessRow> {
  const rows = await descendants(pid);
  const parents = rows.map((row) => row.parent);
  // A launcher's command line contains that of the program it waits for.
  const found = rows.find((row) => row.command.includes(name) && !parents.includes(row.pid));
  assert.ok(found !== undefined, `no child runs "${name}"`);
  return found;
}

async function assertGone(rows: readonly ProcessRow[]): Promise<readonly ProcessRow[]> {
  const left = await survivors(rows);
  assert.deepEqual(left, []);
  return left;
}

interface Call {
  /** Resolves with the first progress: the child works on it. */
  readonly begun: Promise<void>;
  /** What the call failed with. */
  readonly error: Promise<unknown>;
}

function startCall(client: Client): Call {
  const { promise: begun, resolve } = Promise.withResolvers<void>();
  const result = callTool(client, "victim__trigger-long-running-operation", {
    duration: 60,
    steps: 600,
  }, { onprogress: () => resolve() });
  const error = result.then(() => assert.fail("the call was answered"), (cause: unknown) => cause);
  return { begun, error };
}

function describeError(cause: unknown): string {
  if (!(cause instanceof McpError)) return String(cause);
  const { code, backend, executed, reason = "" } = cause.data as Record<string, string>;
  // What the process wrote to stderr follows.
  return `${cause.code} ${code} ${backend} ${executed} ${reason.split(";")[0]}`;
}

/** Calls another backend one time after the other; fails when one call fails. */
function readWhile(client: Client): { stop(): Promise<number> } {
  let stopped = false;
  const reading = (async () => {
    let answers = 0;
    for (; !stopped; answers++) await callTool(client, "bystander__read_graph");
    return answers;
  })();
  reading.catch(() => {});
  return {
    stop: () => {
      stopped = true;
      return reading;
    },
  };
}
