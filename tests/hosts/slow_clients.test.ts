/** Clients that send or read slowly, on the listener of the runtime at hand and a clock that is told the time. */
import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { afterEach, beforeEach, describe, it } from "node:test";
import { type Listener, serve } from "../../src/hosts/serve.ts";
import { until } from "../scenarios/until.ts";
import { startCore, type TestCore } from "../support/core.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { HttpSession } from "../support/http_session.ts";
import { proves } from "../support/proves.ts";
import { RUNTIME } from "../support/runtime.ts";

const HEAD = "POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n" +
  "Accept: application/json, text/event-stream\r\n";
const BEFORE_LIMIT_MS = 25_000;
const HEARTBEAT_MS = 15_000;
const WAIT_MS = 20_000;
/** Deno answers, but does not end a connection whose body has not come (docs/runtimes.md). */
const CLOSES = RUNTIME !== "deno";

interface Connection {
  readonly socket: Socket;
  /** What came back so far. */
  readonly text: () => string;
  readonly isClosed: () => boolean;
}

describe("a slow client", () => {
  let clock: FakeClock;
  let gateway: TestCore;
  let listener: Listener;
  let connections: Socket[];

  beforeEach(async () => {
    clock = new FakeClock();
    connections = [];
    gateway = await startCore({}, { clock });
    const { handle, fetch } = gateway.core;
    const place = { hostname: "127.0.0.1", port: 0, maxBodyBytes: 1_000_000 };
    listener = await serve({ ...place, handle, fetch, clock });
  });
  afterEach(async () => {
    for (const socket of connections) socket.destroy();
    const closed = listener.close();
    listener.abort();
    await closed;
    await gateway.stop();
  });

  function send(bytes: string): Promise<Connection> {
    let text = "";
    let closed = false;
    const { promise, resolve, reject } = Promise.withResolvers<Connection>();
    const socket = connect({ host: "127.0.0.1", port: listener.port });
    connections.push(socket);
    socket.on("connect", () => {
      socket.write(bytes);
      resolve({ socket, text: () => text, isClosed: () => closed });
    });
    socket.on("data", (chunk) => text += chunk.toString());
    socket.on("close", () => closed = true);
    socket.on("error", reject);
    return promise;
  }

  const BODIES = {
    "with a length": "Content-Length: 100\r\n\r\n{",
    "in chunks": "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
  };
  for (const [kind, begun] of Object.entries(BODIES)) {
    it(`that never ends its body ${kind} is told so, and its connection ends`, async () => {
      const { text, isClosed } = await send(`${HEAD}${begun}`);
      await clock.advance(BEFORE_LIMIT_MS);
      assert.deepEqual([text(), isClosed()], ["", false]);
      await until(async () => {
        await clock.advance(1000);
        assert.equal(isClosed(), CLOSES);
        assert.match(text(), /^HTTP\/1\.1 408 /);
      }, WAIT_MS);
      assert.match(text(), /"code":"SLOW"/);
    });
  }

  it("does not keep others from being answered on their connections", async () => {
    const slow = await send(`${HEAD}${BODIES["with a length"]}`);
    const ping = '{"jsonrpc":"2.0","id":1,"method":"ping"}';
    const quick = await send(`${HEAD}Content-Length: ${ping.length}\r\n\r\n${ping}`);
    await until(() => assert.match(quick.text(), /^HTTP\/1\.1 400 /), WAIT_MS);
    await until(async () => {
      await clock.advance(1000);
      assert.match(slow.text(), /^HTTP\/1\.1 408 /);
    }, WAIT_MS);
    assert.equal(quick.isClosed(), false);
  });

  proves("U5", "that takes nothing of its stream for four heartbeats loses it", async () => {
    const session = await HttpSession.open(gateway.core.fetch);
    const unread = await session.get();
    for (let beat = 0; beat < 3; beat++) await clock.advance(HEARTBEAT_MS);
    assert.equal(overflows(gateway), 0);
    for (let beat = 0; beat < 3; beat++) await clock.advance(HEARTBEAT_MS);
    assert.equal(overflows(gateway), 1);
    // What was sent before is still there, then the stream ends.
    assert.match(await unread.text(), /keep-alive/);
  });

  it("that reads keeps its stream, however little there is", async () => {
    const session = await HttpSession.open(gateway.core.fetch);
    const reader = (await session.get()).body?.getReader();
    for (let beat = 0; beat < 12; beat++) {
      await clock.advance(HEARTBEAT_MS);
      assert.equal((await reader?.read())?.done, false);
    }
    assert.equal(overflows(gateway), 0);
    await reader?.cancel();
  });
});

function overflows({ log }: TestCore): number {
  return log.filter(({ event }) => event === "stream.overflow").length;
}
