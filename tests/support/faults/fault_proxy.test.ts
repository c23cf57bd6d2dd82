/** Each fault of the proxy, as a client and a server see it. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { describe, it } from "node:test";
import { serveTcp } from "../http_fixture.ts";
import { controlled, type Fault, FaultProxy, PASS } from "./fault_proxy.ts";

/** What a client got of an answer of `SIZE` bytes, and how its connection ended. */
interface Got {
  readonly bytes: number;
  readonly end: "open" | "ended" | "reset";
}

const SIZE = 20_000;
const LOOK_MS = 300;

async function setting() {
  const server = await serveTcp((socket) => {
    socket.on("data", () => socket.write("x".repeat(SIZE)));
  });
  const proxy = await FaultProxy.before(server.url);
  const stack = new AsyncDisposableStack();
  stack.use(server);
  stack.use(proxy);
  return { proxy, stack };
}

/** Asks by way of the proxy and looks for a while. */
async function ask(proxy: FaultProxy): Promise<Got> {
  const socket = connect({ host: "127.0.0.1", port: Number(proxy.url.port) });
  try {
    return await watch(socket, LOOK_MS, () => socket.write("go"));
  } finally {
    socket.destroy();
  }
}

async function watch(socket: Socket, ms: number, start: () => unknown): Promise<Got> {
  let bytes = 0;
  let end: Got["end"] = "open";
  socket.on("data", (chunk) => bytes += chunk.length);
  socket.on("end", () => end = "ended");
  socket.on("error", () => end = "reset");
  start();
  await new Promise((resolve) => setTimeout(resolve, ms));
  return { bytes, end };
}

async function with_(fault: Fault): Promise<Got> {
  const { proxy, stack } = await setting();
  await using _stack = stack;
  proxy.set(fault);
  return await ask(proxy);
}

describe("the fault proxy", () => {
  it("passes what comes", async () => {
    assert.deepEqual(await with_(PASS), { bytes: SIZE, end: "open" });
  });

  it("swallows, hangs after some bytes, and cuts after some", async () => {
    assert.deepEqual(await with_({ kind: "blackhole" }), { bytes: 0, end: "open" });
    assert.deepEqual(await with_({ kind: "hang", bytes: 150 }), { bytes: 150, end: "open" });
    assert.deepEqual(await with_({ kind: "cut", bytes: 150 }), { bytes: 150, end: "ended" });
  });

  it("resets connections as they come, and those there are", async () => {
    const { proxy, stack } = await setting();
    await using _stack = stack;
    const socket = connect({ host: "127.0.0.1", port: Number(proxy.url.port) });
    await once(socket, "connect");
    const got = await watch(
      socket,
      LOOK_MS,
      () => setTimeout(() => proxy.set({ kind: "reset" }), 50),
    );
    assert.equal(got.end, "reset");
    const { bytes, end } = await ask(proxy);
    assert.equal(bytes, 0);
    assert.notEqual(end, "open");
  });

  it("refuses, and listens again at the same place", async () => {
    const { proxy, stack } = await setting();
    await using _stack = stack;
    proxy.set({ kind: "refuse" });
    assert.deepEqual(await ask(proxy), { bytes: 0, end: "reset" });
    proxy.set(PASS);
    assert.deepEqual(await ask(proxy), { bytes: SIZE, end: "open" });
  });

  it("is slower than the server: later, or fewer bytes a second", async () => {
    const late = await with_({ kind: "delay", ms: LOOK_MS * 3 });
    assert.deepEqual(late, { bytes: 0, end: "open" });
    const few = await with_({ kind: "throttle", bytes: 1000 });
    assert.ok(few.bytes > 0 && few.bytes < SIZE / 2, `${few.bytes} bytes`);
  });

  it("gives what it held when it passes again", async () => {
    const { proxy, stack } = await setting();
    await using _stack = stack;
    proxy.set({ kind: "hang", bytes: 10 });
    const socket = connect({ host: "127.0.0.1", port: Number(proxy.url.port) });
    const got = await watch(socket, LOOK_MS * 2, () => {
      socket.write("go");
      setTimeout(() => proxy.set(PASS), LOOK_MS);
    });
    socket.destroy();
    assert.deepEqual(got, { bytes: SIZE, end: "open" });
  });

  it("does what another process tells it", async () => {
    const { proxy, stack } = await setting();
    await using _stack = stack;
    await using control = await controlled(proxy);
    const fault = { kind: "hang", bytes: 3 };
    const told = await fetch(control.url, { method: "PUT", body: JSON.stringify(fault) });
    assert.deepEqual(await told.json(), { fault, open: 0, taken: 0 });
    assert.deepEqual(await ask(proxy), { bytes: 3, end: "open" });
  });
});
