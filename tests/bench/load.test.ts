import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { Load } from "../../bench/load.ts";
import { type Running, start } from "../../bench/process.ts";
import { PROGRAMS, run } from "../../bench/runtimes.ts";
import { answer, type RequestMessage } from "../../bench/targets/echo_tools.ts";
import { LARGE, type Work, workName } from "../../bench/work.ts";

const SLICE_MS = 50;

describe("Load against the echo backend", () => {
  let backend: Running;
  before(async () => {
    backend = await start(run("node", PROGRAMS.echo));
  });
  after(() => backend.stop());

  it("gets right replies on every connection, slice after slice", async () => {
    const load = await Load.open(backend, { inFlight: 4 });
    for (const slice of [await load.run(SLICE_MS), await load.run(SLICE_MS)]) {
      assert.equal(slice.firstError, undefined);
      assert.equal(slice.errors, 0);
      assert.ok(slice.rate > 0);
      assert.ok(slice.p50 <= slice.p95 && slice.p95 <= slice.p99);
    }
  });

  const others: readonly Work[] = [LARGE, { tool: "sleep", ms: 5 }];
  for (const work of others) {
    it(`gets right replies to ${workName(work)}`, async () => {
      const load = await Load.open(backend, { inFlight: 4, work });
      const slice = await load.run(SLICE_MS);
      assert.equal(slice.firstError, undefined);
      assert.ok(slice.rate > 0);
    });
  }
});

describe("Load against a server that lists late and mixes replies up", () => {
  let last = 0;
  let lists = 0;
  let calls = 0;
  const headers = new Set<unknown>();
  const server = createServer((request, response) => {
    let text = "";
    request.setEncoding("utf8").on("data", (chunk: string) => text += chunk);
    request.on("end", () => {
      const message = JSON.parse(text) as RequestMessage;
      headers.add(request.headers["x-bench"]);
      if (message.method === "tools/call") calls++;
      if (message.method === "tools/list" && lists++ === 0) {
        response.writeHead(200).end('{"jsonrpc":"2.0","id":1,"error":{"code":-31024}}');
        return;
      }
      const swapped = message.method === "tools/call" ? { ...message, id: last } : message;
      last = Number(message.id);
      const body = answer(swapped);
      if (body === undefined) response.writeHead(202).end();
      else response.writeHead(200, { "content-type": "application/json" }).end(body);
    });
  });
  before(async () => {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  });
  after(() => server.close());

  it("asks for the list again, counts wrong replies as errors and stops early", async () => {
    const { port } = server.address() as AddressInfo;
    const url = new URL(`http://127.0.0.1:${port}/mcp`);
    const load = await Load.open({ url, pid: process.pid }, {
      inFlight: 1,
      headers: "x-bench: a\r\n",
    });
    const slice = await load.run(60_000);
    assert.equal(lists, 2);
    assert.ok(slice.errors > 0);
    assert.match(slice.firstError ?? "", /Cannot use reply to request/);
    assert.equal(load.calls, calls, "right or wrong, every call is counted");
    assert.deepEqual([...headers], ["a"], "every request has the extra lines");
  });
});

describe("start()", () => {
  it("rejects with what a program that does not start has to say", async () => {
    await assert.rejects(
      start(run("node", "/nonexistent/program.ts")),
      /Cannot start .*Cannot find module/s,
    );
  });
});
