import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { SystemClock } from "../../src/hosts/clock.ts";
import { systemRandom } from "../../src/hosts/random.ts";
import { openRedisReplicas } from "../../src/stores/redis/replicas.ts";
import { openRedisSessions } from "../../src/stores/redis/open_sessions.ts";
import { startCore, type TestCore } from "../support/core.ts";
import { type RunningServer, startEchoServer } from "../support/echo_server.ts";
import type { HttpFixture } from "../support/http_fixture.ts";
import { HttpSession, messagesOf, post } from "../support/http_session.ts";
import { modern } from "../support/modern_http.ts";
import { RedisServer } from "../support/redis.ts";
import { bindingsOf, type RunningEdge, startHere } from "./edges.ts";
import { REDIS_TOKEN, startRedisBridge } from "./redis_bridge.ts";

const NAME = "shared-gateway";

describe("an isolate beside a gateway that lasts", { timeout: 60_000 }, () => {
  let redis: RedisServer;
  let bridge: HttpFixture;
  let echo: RunningServer;
  let lasting: TestCore;
  let close: () => void;

  before(async () => {
    redis = await RedisServer.start();
    [bridge, echo] = await Promise.all([startRedisBridge(redis.url), startEchoServer()]);
    const common = {
      url: redis.url,
      gateway: NAME,
      clock: new SystemClock(),
      random: systemRandom,
    };
    const replicas = await openRedisReplicas(common);
    const sessions = await openRedisSessions({ ...common, events: 10, keepMs: 60_000 });
    close = () => {
      replicas.close();
      sessions.close();
    };
    const config = { server: { name: NAME }, backends: { echo: { url: echo.url } } };
    lasting = await startCore(config, { replicas, sessions });
  });
  after(async () => {
    await lasting.stop();
    close();
    await Promise.all([bridge.close(), echo.close()]);
    await redis.stop();
  });

  const edge = (): Promise<RunningEdge> => {
    const url = `redis://default:${encodeURIComponent(REDIS_TOKEN)}@redis.example:6379`;
    return startHere(bindingsOf({
      backends: { echo: echo.url },
      more: `[server]\nname = "${NAME}"\n[sessions]\nstore = "redis"\nurl = "\${env:REDIS_URL}"\n`,
      bindings: { REDIS_URL: url, SENTINEL_REDIS_ENDPOINT: bridge.url.href },
    }));
  };
  const call = { name: "echo__echo", arguments: { text: "hi" } };

  it("goes on with its sessions, and it with those of the isolate", async () => {
    const isolate = await edge();
    const opened = [[lasting.core.fetch, isolate.fetch], [
      isolate.fetch,
      lasting.core.fetch,
    ]] as const;
    for (const [here, there] of opened) {
      const session = await HttpSession.open(here);
      const body = { jsonrpc: "2.0", id: 5, method: "tools/call", params: call };
      const [answer] = await messagesOf(await post(there, body, session.headers));
      assert.equal(answer?.["result"].content[0].text, "hi");
    }
    await isolate.stop();
  });

  it("keeps to the kill switches of its operators", async () => {
    const actor = { name: "oncall" };
    const target = { scope: "tools", name: "echo__echo" } as const;
    await lasting.core.control.kill({ ...target, reason: "INC-9" }, { actor });
    const isolate = await edge();
    const killed = await modern(isolate.fetch, "tools/call", call);
    assert.equal(killed.answer["error"].data.code, "TOOL_DISABLED");
    assert.equal(killed.answer["error"].data.reason, "INC-9");
    await lasting.core.control.clearKill(target, { actor });
    const next = await edge();
    const { answer } = await modern(next.fetch, "tools/call", call);
    assert.equal(answer["result"].content[0].text, "hi");
    await Promise.all([isolate.stop(), next.stop()]);
  });
});
