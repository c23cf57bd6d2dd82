/** What an isolate shares with others and with gateways that last: sessions over Redis, the audit in PostgreSQL. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { chainHash, chainStart } from "../../src/contract/audit_chain.ts";
import { systemDigest } from "../../src/hosts/digest.ts";
import { type RunningServer, startEchoServer } from "../support/echo_server.ts";
import { bodyOf, type HttpFixture, serveHttp } from "../support/http_fixture.ts";
import { HttpSession, messagesOf, post } from "../support/http_session.ts";
import { modern } from "../support/modern_http.ts";
import { PostgresServer } from "../support/postgres.ts";
import { RedisServer } from "../support/redis.ts";
import { until } from "../scenarios/until.ts";
import { bindingsOf, type RunningEdge, type StartEdge, type Written } from "./edges.ts";
import { REDIS_TOKEN, startRedisBridge } from "./redis_bridge.ts";
import { startSqlBridge } from "./sql_bridge.ts";

/** For a server that goes on. */
const WAIT_MS = 10_000;

/** @param where said in the names of the tests */
export function storeSuite(where: string, start: () => StartEdge): void {
  describe(`sessions at the edge, ${where}`, { timeout: 120_000 }, () => {
    let redis: RedisServer;
    let bridge: HttpFixture;
    let echo: RunningServer;

    before(async () => {
      redis = await RedisServer.start();
      [bridge, echo] = await Promise.all([startRedisBridge(redis.url), startEchoServer()]);
    });
    after(async () => {
      await Promise.all([bridge.close(), echo.close()]);
      await redis.stop();
    });

    const edgeWith = (more: string, written: Partial<Written> = {}) => {
      const url = `redis://default:${encodeURIComponent(REDIS_TOKEN)}@redis.example:6379`;
      const sessions = `[sessions]\nstore = "redis"\nurl = "\${env:REDIS_URL}"\n`;
      return start()(bindingsOf({
        backends: { echo: echo.url },
        more: `${sessions}${more}`,
        ...written,
        bindings: { REDIS_URL: url, SENTINEL_REDIS_ENDPOINT: bridge.url.href },
      }));
    };

    it("a legacy session lasts over requests and isolates, until its client ends it", async () => {
      const [one, other] = await Promise.all([edgeWith(""), edgeWith("")]);
      const session = await HttpSession.open(one.fetch);
      const { result } = await session.call("echo__echo", { text: "one" });
      assert.equal(result.content[0].text, "one");
      const there = () =>
        post(other.fetch, { jsonrpc: "2.0", id: 9, method: "tools/list" }, session.headers);
      const [elsewhere] = await messagesOf(await there());
      assert.equal(elsewhere?.["result"].tools[0].name, "echo__echo");
      assert.equal((await session.get()).status, 405);
      assert.equal((await session.delete()).status, 200);
      assert.equal((await there()).status, 404);
      await Promise.all([one.stop(), other.stop()]);
    });

    it("a limit counts over isolates", async () => {
      const limits = 'default = { rate = "1/h", burst = 2 }';
      const own = '[server]\nname = "counted"\n';
      const [one, other] = await Promise.all([
        edgeWith(own, { limits }),
        edgeWith(own, { limits }),
      ]);
      const codes: unknown[] = [];
      for (const edge of [one, other, one]) codes.push(await codeOf(edge));
      assert.deepEqual(codes, [undefined, undefined, "RATE_LIMITED"]);
      await Promise.all([one.stop(), other.stop()]);
    });

    it("a session is not said to have ended while the store does not answer", async () => {
      const edge = await edgeWith("");
      const session = await HttpSession.open(edge.fetch);
      redis.freeze();
      try {
        assert.equal((await session.send("tools/list")).status, 503);
      } finally {
        redis.thaw();
      }
      const answered = async () => assert.equal((await session.send("tools/list")).status, 200);
      await until(answered, WAIT_MS);
      await edge.stop();
    });
  });

  describe(`the audit at the edge, ${where}`, { timeout: 120_000 }, () => {
    let postgres: PostgresServer;
    let bridge: HttpFixture;

    before(async () => {
      [postgres, bridge] = await Promise.all([PostgresServer.start(), startSqlBridge()]);
    });
    after(async () => {
      await bridge.close();
      await postgres.stop();
    });

    const edgeOn = (database: string, backend: URL, endpoint = bridge.url) =>
      start()(bindingsOf({
        backends: { far: backend.href },
        audit: 'store = "postgres"\nurl = "${env:DATABASE_URL}"',
        bindings: { DATABASE_URL: database, SENTINEL_SQL_ENDPOINT: endpoint.href },
      }));

    it("the backend sees no call before it is written down, the client no answer", async () => {
      const database = await postgres.database();
      const intents = async () => {
        const rows = await postgres.run(database, "select row from sentinel_audit_intents");
        return rows.map(({ row }) => JSON.parse(String(row)).name as string);
      };
      await using backend = await serveTool(async () => JSON.stringify(await intents()));
      const edge = await edgeOn(database, backend.url);
      const { answer } = await callTool(edge);
      assert.equal(answer["result"].content[0].text, '["far__look"]');
      assert.deepEqual(await intents(), []);
      const rows = await rowsOf(postgres, database);
      assert.deepEqual(rows.map(({ kind, outcome }) => `${kind} ${outcome}`), [
        "start ok",
        "call ok",
      ]);
      await edge.stop();
    });

    it("rows of requests side by side are one chain without a gap", async () => {
      const database = await postgres.database();
      await using backend = await serveTool(() => "done");
      const edge = await edgeOn(database, backend.url);
      await callTool(edge);
      await Promise.all(Array.from({ length: 8 }, () => callTool(edge)));
      await edge.stop();
      const rows = await rowsOf(postgres, database);
      const instance = String(rows[0]?.["instance"]);
      let hash = chainStart(instance, systemDigest.sha256);
      for (const [index, row] of rows.entries()) {
        assert.equal(Number(row["sequence"]), index + 1);
        hash = chainHash(hash, String(row["row"]), systemDigest.sha256);
        assert.equal(row["hash"], hash);
      }
      assert.equal(rows.length, 10);
    });

    it("without the database no call reaches its backend, and its client is told", async () => {
      const database = await postgres.database();
      let reached = 0;
      await using backend = await serveTool(() => String(++reached));
      const nowhere = await startSqlBridge();
      await nowhere.close();
      const edge = await edgeOn(database, backend.url, nowhere.url);
      const { answer } = await callTool(edge);
      assert.equal(answer["error"].data.code, "AUDIT_UNAVAILABLE");
      assert.equal(answer["error"].data.executed, "no");
      assert.equal(reached, 0);
      const ready = await edge.fetch(new Request("http://127.0.0.1:8808/ready"));
      assert.equal(ready.status, 503);
      assert.match(await ready.text(), /the journal cannot be written/);
      await edge.stop();
    });
  });
}

async function codeOf(edge: RunningEdge): Promise<unknown> {
  const params = { name: "echo__echo", arguments: { text: "x" } };
  const { answer } = await modern(edge.fetch, "tools/call", params);
  return answer["error"]?.data.code;
}

function callTool(edge: RunningEdge) {
  return modern(edge.fetch, "tools/call", { name: "far__look", arguments: {} });
}

function rowsOf(postgres: PostgresServer, database: string) {
  return postgres.run(
    database,
    "select instance, sequence, kind, outcome, hash, row from sentinel_audit order by sequence",
  );
}

const LEGACY: Readonly<Record<string, unknown>> = {
  "initialize": {
    protocolVersion: "2025-06-18",
    capabilities: { tools: {} },
    serverInfo: { name: "far", version: "1" },
  },
  "tools/list": { tools: [{ name: "look", inputSchema: { type: "object" } }] },
};

/** A legacy server with one tool, whose result is what `look` gives when it is called. */
function serveTool(look: () => string | Promise<string>): Promise<HttpFixture> {
  return serveHttp(async (request, response) => {
    if (request.method !== "POST") return void response.writeHead(405).end();
    const { id, method } = JSON.parse(await bodyOf(request)) as { id?: unknown; method: string };
    if (id === undefined) return void response.writeHead(202).end();
    const result = method === "tools/call"
      ? { content: [{ type: "text", text: await look() }] }
      : LEGACY[method];
    const answer = result === undefined ? { error: { code: -32601, message: "no" } } : { result };
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ jsonrpc: "2.0", id, ...answer }));
  }, "/mcp");
}
