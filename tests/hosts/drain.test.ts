/** A gateway that is asked to stop: what its clients see until it has gone. */
import assert from "node:assert/strict";
import process from "node:process";
import { after, afterEach, before, describe, it } from "node:test";
import { stringify } from "smol-toml";
import { startWaitingBackend, type WaitingBackend } from "../core/front/waiting_backend.ts";
import { until } from "../scenarios/until.ts";
import { fixtureBackend } from "../support/core.ts";
import { type Gateway, startGateway } from "../support/gateway.ts";
import { HttpSession, messagesOf, overHttp, type Rpc } from "../support/http_session.ts";
import { proves } from "../support/proves.ts";

const STOPPING = -31055;
/** As a shell shows the end by SIGTERM (ux.md 2.4). */
const TERMINATED = 143;
const READY_MS = 30_000;
const TIMEOUT = { timeout: 90_000 };

describe("gateway that is asked to stop", () => {
  let backend: WaitingBackend;
  let gateway: Gateway | undefined;

  before(async () => {
    backend = await startWaitingBackend();
  });
  after(() => backend.close());
  afterEach(async () => {
    await gateway?.kill();
    gateway = undefined;
  });

  async function start(server: Record<string, string>): Promise<Gateway> {
    const backends = { slow: { url: backend.url }, quick: fixtureBackend() };
    const started = gateway = await startGateway(stringify({ server, backends }));
    await until(async () => assert.equal((await probe(started, "/ready")).status, 200), READY_MS);
    return started;
  }

  const sessionOf = ({ url }: Gateway) => HttpSession.open(overHttp(url));
  const call = (session: HttpSession) =>
    session.send("tools/call", { name: "slow__wait", arguments: {} });

  proves(
    ["G7.2", "G7.5", "U7"],
    "is unready first, still serves, then finishes what runs",
    async () => {
      const { url, pid, exited } = await start({ drain_delay: "2s", drain_timeout: "20s" });
      const session = await sessionOf({ url } as Gateway);
      const running = call(session);
      const reached = await backend.next();

      process.kill(pid, "SIGTERM");

      await until(async () => {
        assert.equal((await probe({ url }, "/ready")).status, 503);
      }, READY_MS);
      assert.equal((await probe({ url }, "/health")).status, 200);
      const response = await session.send("tools/call", {
        name: "quick__echo",
        arguments: { text: "still here" },
      });
      assert.equal(response.headers.get("connection"), "close");
      assert.match(JSON.stringify(await messagesOf(response)), /still here/);
      await until(() => assert.rejects(probe({ url }, "/health")), READY_MS);
      reached.answer();
      const [answer] = await messagesOf(await running);
      assert.equal(answer?.["error"], undefined);
      assert.equal((await exited).code, TERMINATED);
    },
    TIMEOUT,
  );

  proves(["G7.5", "U7"], "ends every call that is left at the deadline, typed", async () => {
    const started = await start({ drain_timeout: "2s" });
    const { pid, exited } = started;
    const session = await sessionOf(started);
    const body = call(session);
    await backend.next();
    const streamed = call(session);
    (await backend.next()).log("warning");
    const standing = await session.get();

    process.kill(pid, "SIGTERM");

    for (const response of [body, streamed]) {
      const last = (await messagesOf(await response)).at(-1) as Rpc;
      assert.equal(last["error"].code, STOPPING);
      assert.equal(last["error"].data.executed, "unknown");
    }
    assert.match(await standing.text(), /\n?retry: \d+\n\n$/);
    assert.equal((await exited).code, TERMINATED);
  }, TIMEOUT);

  it("ends streams of clients that wait for nothing at once", TIMEOUT, async () => {
    const started = await start({ drain_timeout: "20s" });
    const busy = await sessionOf(started);
    const running = call(busy);
    const reached = await backend.next();
    const idle = await (await sessionOf(started)).get();

    process.kill(started.pid, "SIGTERM");

    assert.match(await idle.text(), /retry: \d+\n\n$/);
    reached.answer();
    assert.equal((await messagesOf(await running))[0]?.["error"], undefined);
    await started.exited;
  });

  it("goes at once when it is asked a second time", TIMEOUT, async () => {
    const started = await start({ drain_timeout: "60s" });
    const running = call(await sessionOf(started)).catch(() => undefined);
    await backend.next();
    process.kill(started.pid, "SIGTERM");
    await until(() => assert.match(started.stderr, /gateway\.stopping/), READY_MS);
    process.kill(started.pid, "SIGTERM");
    assert.equal((await started.exited).code, TERMINATED);
    await running;
  });
});

function probe({ url }: Pick<Gateway, "url">, path: string): Promise<Response> {
  return fetch(new URL(path, url));
}
