/**
 * A TCP proxy before a server that does to its connections what networks do: delay, reset, swallow, hang, cut and
 * throttle. What it does is set in process, or over HTTP by a proof in another one (`controlled`).
 */
import type { Buffer } from "node:buffer";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { bodyOf, type HttpFixture, serveHttp } from "../http_fixture.ts";

/**
 * What happens to connections. Bytes are those of the server's answers.
 *
 * - `pass`: nothing.
 * - `delay`: answers are `ms` later.
 * - `reset`: they are reset as soon as they are made.
 * - `refuse`: nobody listens.
 * - `blackhole`: taken, but nothing goes either way.
 * - `hang`: nothing comes back after `bytes`; the connection stays.
 * - `cut`: ended in order after `bytes`.
 * - `throttle`: `bytes` per second.
 */
export type Fault =
  | { readonly kind: "pass" | "reset" | "refuse" | "blackhole" }
  | { readonly kind: "delay"; readonly ms: number }
  | { readonly kind: "hang" | "cut" | "throttle"; readonly bytes: number };

export const PASS: Fault = { kind: "pass" };

/** A throttled answer goes on in steps of this length. */
const STEP_MS = 50;

/** One way of a connection; what is held waits here, and the sender sees a peer that reads nothing. */
interface Lane {
  readonly from: Socket;
  readonly to: Socket;
  readonly held: Buffer[];
}

interface Pair {
  readonly there: Lane;
  readonly back: Lane;
  /** Bytes that came back since the fault was set. */
  bytes: number;
}

export class FaultProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #target: URL;
  readonly #port: number;
  readonly #pairs = new Set<Pair>();
  #fault: Fault = PASS;
  #taken = 0;

  private constructor(target: URL, server: Server) {
    this.#target = target;
    this.#server = server;
    this.#port = (server.address() as AddressInfo).port;
  }

  /** Listens on a free port of loopback. */
  static async before(target: URL): Promise<FaultProxy> {
    const server = createServer({ allowHalfOpen: true });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const proxy = new FaultProxy(target, server);
    server.on("connection", (client) => proxy.#accept(client));
    return proxy;
  }

  /** That of the target, by way of the proxy. */
  get url(): URL {
    const url = new URL(this.#target);
    url.host = `127.0.0.1:${this.#port}`;
    return url;
  }

  /** Connections so far. */
  get taken(): number {
    return this.#taken;
  }

  /** Connections that are open. */
  get open(): number {
    return this.#pairs.size;
  }

  get fault(): Fault {
    return this.#fault;
  }

  /** From now on, also for connections there are; `reset` and `refuse` reset those. */
  set(fault: Fault): void {
    if (fault.kind === "refuse") this.#server.close();
    else if (this.#fault.kind === "refuse") this.#server.listen(this.#port, "127.0.0.1");
    this.#fault = fault;
    for (const pair of this.#pairs) pair.bytes = 0;
    if (fault.kind === "reset" || fault.kind === "refuse") this.killAll();
    if (fault.kind === "pass") this.#release();
  }

  /** Resets all connections there are; how many. */
  killAll(): number {
    const { size } = this.#pairs;
    for (const { there } of this.#pairs) {
      there.from.resetAndDestroy();
      there.to.destroy();
    }
    return size;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = this.#fault.kind === "refuse" ? undefined : once(this.#server, "close");
    if (closed !== undefined) this.#server.close();
    this.killAll();
    await closed;
  }

  #accept(client: Socket): void {
    this.#taken++;
    client.on("error", () => {});
    if (this.#fault.kind === "reset") {
      client.resetAndDestroy();
      return;
    }
    const host = this.#target.hostname;
    const server = connect({ host, port: Number(this.#target.port), allowHalfOpen: true });
    const pair: Pair = {
      there: { from: client, to: server, held: [] },
      back: { from: server, to: client, held: [] },
      bytes: 0,
    };
    this.#pairs.add(pair);
    this.#join(pair);
  }

  #join(pair: Pair): void {
    const { from: client, to: server } = pair.there;
    server.on("error", () => client.resetAndDestroy());
    client.on("data", (chunk: Buffer) => {
      if (this.#fault.kind === "blackhole") hold(pair.there, chunk);
      else server.write(chunk);
    });
    server.on("data", (chunk: Buffer) => this.#back(pair, chunk));
    client.on("end", () => server.end());
    server.on("end", () => this.#later(() => client.end()));
    client.on("close", () => {
      server.destroy();
      this.#pairs.delete(pair);
    });
    server.on("close", () => this.#later(() => client.destroySoon()));
  }

  #back(pair: Pair, chunk: Buffer): void {
    const fault = this.#fault;
    switch (fault.kind) {
      case "pass":
      case "refuse":
      case "reset":
        pair.back.to.write(chunk);
        return;
      case "blackhole":
        hold(pair.back, chunk);
        return;
      case "delay":
        this.#later(() => pair.back.to.write(chunk));
        return;
      case "throttle":
        throttle(pair.back, chunk, Math.max(1, Math.floor(fault.bytes * STEP_MS / 1000)));
        return;
      case "hang":
      case "cut":
        this.#upTo(pair, chunk, fault);
    }
  }

  #upTo(pair: Pair, chunk: Buffer, { kind, bytes }: Extract<Fault, { bytes: number }>): void {
    const room = Math.max(0, bytes - pair.bytes);
    pair.bytes += chunk.length;
    if (room > 0) pair.back.to.write(chunk.subarray(0, room));
    if (chunk.length <= room) return;
    if (kind === "cut") pair.back.to.destroySoon();
    else hold(pair.back, chunk.subarray(room));
  }

  #later(run: () => void): void {
    if (this.#fault.kind === "delay") setTimeout(run, this.#fault.ms);
    else run();
  }

  #release(): void {
    for (const { there, back } of this.#pairs) {
      for (const lane of [there, back]) {
        for (const chunk of lane.held.splice(0)) lane.to.write(chunk);
        lane.from.resume();
      }
    }
  }
}

function hold({ from, held }: Lane, chunk: Buffer): void {
  from.pause();
  held.push(chunk);
}

/** The rest waits among what is held, so that the order stays whatever is set meanwhile. */
function throttle(lane: Lane, chunk: Buffer, step: number): void {
  hold(lane, chunk);
  if (lane.held.length === 1) setTimeout(() => drip(lane, step), STEP_MS);
}

function drip(lane: Lane, step: number): void {
  if (lane.to.destroyed) return;
  const chunk = lane.held.shift();
  if (chunk !== undefined) {
    lane.to.write(chunk.subarray(0, step));
    if (chunk.length > step) lane.held.unshift(chunk.subarray(step));
  }
  if (lane.held.length > 0) setTimeout(() => drip(lane, step), STEP_MS);
  else lane.from.resume();
}

/**
 * Control over HTTP: `PUT` with a fault as JSON sets it, `DELETE` kills the connections there are, `GET` says what
 * is set and how many connections there are.
 */
export function controlled(proxy: FaultProxy): Promise<HttpFixture> {
  return serveHttp(async (request, response) => {
    if (request.method === "PUT") proxy.set(JSON.parse(await bodyOf(request)) as Fault);
    if (request.method === "DELETE") proxy.killAll();
    const { fault, open, taken } = proxy;
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ fault, open, taken }));
  });
}
