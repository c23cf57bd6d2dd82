import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createUndiciClient } from "../../../src/hosts/http_client/undici_client.ts";
import type { HttpRequest } from "../../../src/ports/http_client.ts";
import { gate, serveHttp } from "../../support/http_fixture.ts";
import { Partition } from "../../support/faults/partition.ts";
import { httpClientSuite } from "./suite.ts";

if ("Bun" in globalThis) describe("undici on Bun", onBun);
else {
  httpClientSuite({ name: "the client on undici", create: () => createUndiciClient() });
  describe("the client on undici, with one connection", withOneConnection);
  describe("the client on undici, in a partition", {
    timeout: 30_000,
    skip: Partition.impossible ?? false,
  }, withoutNetwork);
}

/** If this fails, Bun has the package and the host may use it there too. */
function onBun(): void {
  it("is a stub without dispatch, which is why the host uses fetch there", async () => {
    const { Agent } = await import("undici");
    assert.equal((new Agent() as { dispatch?: unknown }).dispatch, undefined);
  });
}

function withoutNetwork(): void {
  it("gives an address up that swallows packets, long before the kernel does", async () => {
    await using server = await serveHttp((_request, response) => void response.end());
    const client = await createUndiciClient();
    {
      using _partition = Partition.of(Number(server.url.port));
      const request: HttpRequest = { method: "POST", url: server.url, headers: {} };
      await assert.rejects(client.send(request), { message: "no connection in time", sent: false });
    }
    await client.close();
  });
}

function withOneConnection(): void {
  it("lets queued requests wait and all others pass", async () => {
    const hold = gate();
    const order: string[] = [];
    await using server = await serveHttp(async (request, response) => {
      order.push(request.url as string);
      if (request.url === "/first") await hold.passed;
      response.end();
    });
    const client = await createUndiciClient({ maxConnections: 1 });
    const send = async (path: string, queued: boolean) => {
      const request: HttpRequest = {
        method: "POST",
        url: new URL(path, server.url),
        headers: {},
        queued,
      };
      await (await client.send(request)).text(10);
    };
    const waiting = [send("/first", true), send("/second", true)];
    await send("/answer", false);
    assert.deepEqual(order.toSorted(), ["/answer", "/first"]);
    hold.open();
    await Promise.all(waiting);
    assert.equal(order.at(-1), "/second");
    await client.close();
  });

  it("says not sent when a request is aborted while it waits", async () => {
    const hold = gate();
    await using server = await serveHttp(async (_request, response) => {
      await hold.passed;
      response.end();
    });
    const client = await createUndiciClient({ maxConnections: 1 });
    const request: HttpRequest = { method: "POST", url: server.url, headers: {}, queued: true };
    const first = client.send(request);
    const abort = new AbortController();
    const second = client.send({ ...request, signal: abort.signal });
    abort.abort();
    await assert.rejects(second, { name: "HttpFailure", sent: false });
    hold.open();
    assert.equal((await first).status, 200);
    await client.close();
  });

  it("fails what is under way when it is closed", async () => {
    const arrived = gate();
    await using server = await serveHttp(() => arrived.open());
    const client = await createUndiciClient();
    const sent = client.send({ method: "POST", url: server.url, headers: {} });
    await arrived.passed;
    const failed = assert.rejects(sent, { name: "HttpFailure", sent: true });
    await client.close();
    await failed;
  });
}
