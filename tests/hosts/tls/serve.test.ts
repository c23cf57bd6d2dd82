import assert from "node:assert/strict";
import type { Buffer } from "node:buffer";
import { once } from "node:events";
import { request } from "node:https";
import { connect as connectTcp, type Socket } from "node:net";
import { after, before, describe, it } from "node:test";
import { connect as connectTls, type TLSSocket } from "node:tls";
import type { HttpHandler, Peer } from "../../../src/core/mod.ts";
import { MAX_CONNECTIONS } from "../../../src/hosts/tls/connections.ts";
import { type Listener, serve } from "../../../src/hosts/serve.ts";
import { Authority, type Certificate } from "../../support/certificates.ts";
import { FakeClock } from "../../support/fake_clock.ts";

const HEAD = "Host: localhost\r\n";
/** A wait that only a failed test reaches. */
const LIMIT_MS = 10_000;

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** What became of an event stream. */
class Stream {
  cancelled = Promise.withResolvers<void>();
  controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  readonly body = new ReadableStream<Uint8Array>({
    start: (controller) => void (this.controller = controller),
    cancel: () => this.cancelled.resolve(),
  });
  send(text: string): void {
    this.controller?.enqueue(new TextEncoder().encode(text));
  }
}

/** What is not done in time, and after how many milliseconds more it is ended. */
const ENDS = [["silent", 12e3], ["headless", 5e3], ["idle", 60e3], ["bodiless", 240e3]] as const;

describe("TLS listener", () => {
  let authority: Authority;
  let server: Certificate;
  const clock = new FakeClock();
  const peers: (Peer | undefined)[] = [];
  const streams: Stream[] = [];
  const opened: Listener[] = [];

  const handle: HttpHandler = async (incoming, peer) => {
    peers.push(peer);
    if (incoming.target === "/stream") {
      const stream = new Stream();
      streams.push(stream);
      return { status: 200, headers: { "content-type": "text/event-stream" }, body: stream.body };
    }
    if (incoming.method !== "POST") {
      return { status: 200, headers: {}, body: `${incoming.target} ` };
    }
    const body = await incoming.body(1024).catch(() => undefined);
    if (body === undefined) return { status: 400, headers: {}, body: "broken" };
    const text = `${incoming.target} ${new TextDecoder().decode(body)}`;
    return { status: 200, headers: {}, body: text };
  };

  const listen = async (clientCa?: string, maxConnections?: number): Promise<Listener> => {
    const { cert, key } = server;
    const listener = await serve({
      hostname: "127.0.0.1",
      port: 0,
      maxBodyBytes: 1024,
      handle,
      fetch: () => Promise.reject(new Error("not used for TLS")),
      tls: { cert, key, ...(clientCa === undefined ? {} : { clientCa }) },
      clock,
      ...(maxConnections === undefined ? {} : { maxConnections }),
    });
    opened.push(listener);
    return listener;
  };

  before(() => {
    authority = new Authority();
    server = authority.issue({ subject: "/CN=localhost", use: "server" });
  });
  after(async () => {
    for (const listener of opened) listener.abort();
    await Promise.all(opened.map((listener) => listener.close()));
    assert.equal(clock.pending, 0, "a closed listener keeps no timer");
    authority.remove();
  });

  const get = (port: number, client?: Certificate) =>
    new Promise<Answer>((resolve, reject) => {
      const identity = client === undefined ? {} : { cert: client.cert, key: client.key };
      const options = {
        host: "127.0.0.1",
        port,
        path: "/a",
        ca: authority.root.cert,
        agent: false,
      };
      const sent = request({ ...options, ...identity }, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (chunk: string) => text += chunk);
        response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
      });
      sent.on("error", reject).end();
    });

  /** A connection with its handshake done, and what it has received. */
  const open = async (port: number) => {
    const socket = connectTls({
      port,
      host: "127.0.0.1",
      servername: "localhost",
      ca: authority.root.cert,
      ALPNProtocols: ["http/1.1"],
    });
    const seen = watched(socket);
    await new Promise<void>((resolve) => socket.once("secureConnect", resolve));
    return seen;
  };

  it("without client certificates serves everybody, and names nobody", async () => {
    const { port } = await listen();
    peers.length = 0;
    assert.deepEqual(await get(port), { status: 200, text: "/a " });
    assert.deepEqual(peers, [{ address: "127.0.0.1" }]);
  });

  it("with them serves who has one of our authority, and sees the subject", async () => {
    const { port } = await listen(authority.root.cert);
    const subject = "/O=Example, Ltd./OU=one/OU=two/CN=anna";
    const anna = authority.issue({ subject, use: "client" });
    peers.length = 0;
    assert.equal((await get(port, anna)).status, 200);
    assert.deepEqual(peers, [
      { address: "127.0.0.1", subject: "CN=anna,OU=two,OU=one,O=Example\\, Ltd." },
    ]);
  });

  it("sees the subject of a client that resumes its session, too", async () => {
    const { port } = await listen(authority.root.cert);
    const { cert, key } = authority.issue({ subject: "/CN=anna", use: "client" });
    peers.length = 0;
    let session: Buffer | undefined;
    for (let visit = 0; visit < 2; visit++) {
      const options = { port, host: "127.0.0.1", servername: "localhost", cert, key };
      const resumed = session === undefined ? {} : { session };
      const socket = connectTls({ ...options, ca: authority.root.cert, ...resumed });
      socket.on("session", (ticket) => void (session = ticket));
      const { until } = watched(socket);
      socket.write(`GET /a HTTP/1.1\r\n${HEAD}\r\n`);
      await until(/\/a /);
      socket.destroy();
    }
    assert.deepEqual(peers.map((peer) => peer?.subject), ["CN=anna", "CN=anna"]);
  });

  it("refuses no certificate, one of another authority, and an expired one", async () => {
    const { port } = await listen(authority.root.cert);
    const others = new Authority("/CN=others");
    try {
      const stranger = others.issue({ subject: "/CN=anna", use: "client" });
      const expired = authority.issue({ subject: "/CN=anna", use: "client", days: -1 });
      const itself = authority.issue({ subject: "/CN=anna", use: "server" });
      peers.length = 0;
      await assert.rejects(get(port));
      await assert.rejects(get(port, stranger));
      await assert.rejects(get(port, expired));
      await assert.rejects(get(port, itself));
      assert.deepEqual(peers, []);
    } finally {
      others.remove();
    }
  });

  it("refuses plain HTTP and TLS below 1.2", async () => {
    const { port } = await listen();
    peers.length = 0;
    const plain = watched(connectTcp({ port, host: "127.0.0.1" }));
    plain.socket.write(`GET /a HTTP/1.1\r\n${HEAD}\r\n`);
    await plain.closed;
    const old = connectTls({
      port,
      host: "127.0.0.1",
      ca: authority.root.cert,
      minVersion: "TLSv1",
      maxVersion: "TLSv1.1",
    });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    old.on("error", () => resolve()).on("secureConnect", () => reject(new Error("was accepted")));
    await promise;
    assert.deepEqual(peers, []);
  });

  it("serves many requests on one connection", async () => {
    const { port } = await listen();
    const { socket, until } = await open(port);
    for (const path of ["/one", "/two", "/three"]) {
      socket.write(`POST ${path} HTTP/1.1\r\n${HEAD}Content-Length: 2\r\n\r\nhi`);
      await until(new RegExp(`${path} hi`));
    }
    socket.destroy();
  });

  it("refuses a malformed Host before routing", async () => {
    const { port } = await listen();
    const { socket, until } = await open(port);
    peers.length = 0;
    socket.write("GET /a HTTP/1.1\r\nHost: a/manage?\r\n\r\n");
    await until(/^HTTP\/1\.1 400 /);
    assert.deepEqual(peers, []);
    socket.destroy();
  });

  it("streams events until the stream ends, and tells it when the client goes", async () => {
    const { port } = await listen();
    const first = await open(port);
    first.socket.write(`GET /stream HTTP/1.1\r\n${HEAD}\r\n`);
    await first.until(/text\/event-stream/);
    streams.at(-1)?.send("data: 1\n\n");
    await first.until(/data: 1/);
    streams.at(-1)?.send("data: 2\n\n");
    await first.until(/data: 2/);
    streams.at(-1)?.controller?.close();
    await first.until(/\r\n0\r\n\r\n$/);
    first.socket.destroy();

    const second = await open(port);
    second.socket.write(`GET /stream HTTP/1.1\r\n${HEAD}\r\n`);
    await second.until(/text\/event-stream/);
    second.socket.destroy();
    await streams.at(-1)?.cancelled.promise;
  });

  it("a stream is no slow sender: it outlives every deadline", async () => {
    const { port } = await listen();
    const { socket, until } = await open(port);
    socket.write(`GET /stream HTTP/1.1\r\n${HEAD}\r\n`);
    await until(/text\/event-stream/);
    await clock.advance(600_000);
    streams.at(-1)?.send("data: late\n\n");
    await until(/data: late/);
    socket.destroy();
  });

  it("ends connections without handshake, head, body or next request in time", async () => {
    const { port } = await listen();
    const silent = watched(connectTcp({ port, host: "127.0.0.1" }));
    const [headless, bodiless, idle] = [await open(port), await open(port), await open(port)];
    headless.socket.write("GET /a HTTP/1.1\r\nHos");
    bodiless.socket.write(`POST /a HTTP/1.1\r\n${HEAD}Content-Length: 9\r\n\r\nhi`);
    idle.socket.write(`GET /a HTTP/1.1\r\n${HEAD}\r\n`);
    await idle.until(/\/a /);
    const closed: string[] = [];
    const watchedOnes = { silent, headless, bodiless, idle };
    for (const [name, one] of Object.entries(watchedOnes)) {
      void one.closed.then(() => closed.push(name));
    }
    for (const [name, ms] of ENDS) {
      await clock.advance(ms);
      await watchedOnes[name].closed;
    }
    assert.deepEqual(closed, ENDS.map(([name]) => name));
  });

  it("closes connections beyond its bound when they come", async () => {
    const { port } = await listen();
    const waiting = Array.from(
      { length: MAX_CONNECTIONS },
      () => connectTcp({ port, host: "127.0.0.1" }),
    );
    await Promise.all(waiting.map((socket) => once(socket, "connect")));
    const further = watched(connectTcp({ port, host: "127.0.0.1" }));
    await further.closed;
    waiting.pop()?.destroy();
    await assert.doesNotReject(async () => {
      // The one that left makes room, as soon as the listener has noticed.
      for (let left = 50;; left--) {
        const served = await get(port).catch(() => undefined);
        if (served?.status === 200) return;
        if (left === 0) throw new Error("no room was made");
      }
    });
    for (const socket of waiting) socket.destroy();
  });

  it("takes as many as it is told to", async () => {
    const { port } = await listen(undefined, 2);
    const waiting = [1, 2].map(() => connectTcp({ port, host: "127.0.0.1" }));
    await Promise.all(waiting.map((socket) => once(socket, "connect")));
    await watched(connectTcp({ port, host: "127.0.0.1" })).closed;
    for (const socket of waiting) socket.destroy();
  });

  it("closes idle connections at once and busy ones when they are answered", async () => {
    const listener = await listen();
    const [idle, busy] = [await open(listener.port), await open(listener.port)];
    busy.socket.write(`GET /stream HTTP/1.1\r\n${HEAD}\r\n`);
    await busy.until(/text\/event-stream/);
    let done = false;
    const closed = listener.close().then(() => done = true);
    await idle.closed;
    assert.equal(done, false);
    await assert.rejects(get(listener.port));
    streams.at(-1)?.send("data: last\n\n");
    streams.at(-1)?.controller?.close();
    await busy.until(/data: last/);
    await Promise.all([closed, busy.closed]);
  });

  it("abort ends busy connections too", async () => {
    const listener = await listen();
    const busy = await open(listener.port);
    busy.socket.write(`GET /stream HTTP/1.1\r\n${HEAD}\r\n`);
    await busy.until(/text\/event-stream/);
    const closed = listener.close();
    listener.abort();
    await Promise.all([closed, busy.closed, streams.at(-1)?.cancelled.promise]);
  });

  it("an address that is taken is said by its code", async () => {
    const { port } = await listen();
    const { cert, key } = server;
    const again = serve({
      hostname: "127.0.0.1",
      port,
      maxBodyBytes: 1024,
      handle,
      fetch: () => Promise.reject(new Error("not used for TLS")),
      tls: { cert, key },
      clock,
    });
    await assert.rejects(again, { code: "EADDRINUSE" });
  });
});

/** Collects what a socket receives, with bounded waits. */
function watched<Of extends Socket | TLSSocket>(socket: Of) {
  let text = "";
  const looks = new Set<() => void>();
  const look = () => {
    for (const each of looks) each();
  };
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  socket.on("error", () => {}).on("data", (chunk) => {
    text += chunk.toString("utf8");
    look();
  });
  const until = (pattern: RegExp) =>
    new Promise<void>((resolve, reject) => {
      const late = () => reject(new Error(`Not received: ${pattern}\n${text}`));
      const timer = setTimeout(late, LIMIT_MS);
      const check = () => {
        if (!pattern.test(text)) return;
        clearTimeout(timer);
        looks.delete(check);
        resolve();
      };
      looks.add(check);
      check();
    });
  return { socket, until, closed };
}
