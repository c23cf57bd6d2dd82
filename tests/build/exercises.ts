/** What every form of the program must be able to do: each exercise uses it as people and clients do. */
import assert from "node:assert/strict";
import { join } from "node:path";
import process from "node:process";
import { HttpSession, overHttp, post } from "../support/http_session.ts";
import { PostgresServer } from "../support/postgres.ts";
import { RedisServer } from "../support/redis.ts";
import { executable, REPOSITORY } from "../support/runtime.ts";
import { Client, StdioClientTransport } from "../support/sdk.ts";
import { LISTENING, type Place } from "./place.ts";

const TERMINATED = 143;
const NO_SUCH_PROCESS = { code: "ESRCH" };

/** A stdio backend on the pinned Node, whatever form the gateway has. */
export const CHILD = {
  command: executable("node"),
  args: [join(REPOSITORY, "tests/fixtures/backend.mjs")],
};

/** Both kinds of backends, the commands of operators, a reload, a drain, and the audit of all that. */
export async function exerciseGateway(place: Place, echoUrl: string): Promise<void> {
  const backends = { web: { url: echoUrl }, child: CHILD };
  const config = await place.configure({ backends });
  const gateway = place.start("server", "-c", config, "--json");
  const [, url = ""] = await gateway.printed(LISTENING);
  const session = await HttpSession.open(overHttp(url));
  assert.deepEqual(await echoed(session, "web__echo"), "hello");
  assert.deepEqual(await echoed(session, "child__echo"), '{"text":"hello"}');

  const status = await place.json("status");
  assert.deepEqual([status.state, status.backends.states], ["ready", { ready: 2 }]);
  const { items: tools } = await place.json("tools", "list");
  const names = tools.map(({ name }: { readonly name: string }) => name);
  assert.ok(names.includes("web__echo") && names.includes("child__echo"), names.join());
  const backend = await place.json("backends", "show", "child");
  assert.doesNotThrow(() => process.kill(backend.pid, 0));

  await place.configure({ backends, kill: { tools: ["web__*"], reason: "INC-1" } });
  await place.json("reload", "--yes");
  const { error } = await session.call("web__echo", { text: "hello" });
  assert.equal(error.data.code, "TOOL_DISABLED", JSON.stringify(error));
  assert.deepEqual(await echoed(session, "child__echo"), '{"text":"hello"}');

  assert.deepEqual(await gateway.stop(), { code: TERMINATED });
  assert.throws(() => process.kill(backend.pid, 0), NO_SUCH_PROCESS);
  const rows = await auditOf(place, config);
  assert.deepEqual(rows.map(({ name, outcome }) => `${name} ${outcome}`), [
    "web__echo ok",
    "child__echo ok",
    "web__echo killed",
    "child__echo ok",
  ]);
}

async function echoed(session: HttpSession, tool: string): Promise<string> {
  const answer = await session.call(tool, { text: "hello" });
  assert.equal(answer["error"], undefined, JSON.stringify(answer));
  return answer["result"].content[0].text as string;
}

interface Row {
  readonly name: string;
  readonly outcome: string;
}

async function auditOf(place: Place, config: string): Promise<readonly Row[]> {
  const { code, stdout, stderr } = await place.run("audit", "export", "-c", config);
  assert.equal(code, 0, stderr);
  return stdout.trimEnd().split("\n").map((line) => JSON.parse(line) as Row);
}

/** One client on stdin and stdout: the official one. */
export async function exerciseStdio(place: Place): Promise<void> {
  const config = await place.configure({ backends: { child: CHILD } });
  const { command, args } = place.form(["stdio", "-c", config]);
  const client = new Client({ name: "test", version: "1" });
  await client.connect(
    new StdioClientTransport({
      command,
      args: [...args],
      env: place.env,
      cwd: place.folder,
      stderr: "ignore",
    }),
  );
  try {
    const answer = await client.callTool({ name: "child__echo", arguments: { text: "hello" } });
    assert.deepEqual(answer.content, [{ type: "text", text: '{"text":"hello"}' }]);
  } finally {
    await client.close();
  }
}

/** What is loaded only when a configuration asks for it: drivers of stores, the language of rules. */
export async function exerciseStores(place: Place, echoUrl: string): Promise<void> {
  const [redis, postgres] = await Promise.all([RedisServer.start(), PostgresServer.start()]);
  try {
    const database = await postgres.database();
    Object.assign(place.variables, { REDIS_URL: redis.url, DATABASE_URL: database });
    const config = await place.configure({
      backends: { web: { url: echoUrl } },
      sessions: { store: "redis", url: "${env:REDIS_URL}" },
      audit: { store: "postgres", url: "${env:DATABASE_URL}" },
      rules: [{ name: "no-secrets", when: 'args.text == "secret"', action: "deny" }],
    });
    const first = place.start("server", "-c", config, "--json");
    const [, url = ""] = await first.printed(LISTENING);
    const session = await HttpSession.open(overHttp(url));
    assert.equal(await echoed(session, "web__echo"), "hello");
    const denied = await session.call("web__echo", { text: "secret" });
    assert.match(JSON.stringify(denied), /no-secrets/);
    assert.deepEqual(await first.stop(), { code: TERMINATED });

    const second = place.start("server", "-c", config, "--json");
    const [, again = ""] = await second.printed(LISTENING);
    const call = { name: "web__echo", arguments: { text: "still here" } };
    const body = { jsonrpc: "2.0", id: 9, method: "tools/call", params: call };
    const answer = await post(overHttp(again), body, session.headers);
    assert.match(await answer.text(), /still here/);
    assert.deepEqual(await second.stop(), { code: TERMINATED });
    assert.equal((await auditOf(place, config)).length, 3);
  } finally {
    await Promise.all([redis.stop(), postgres.stop()]);
  }
}
