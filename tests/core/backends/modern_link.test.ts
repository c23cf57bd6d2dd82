/** A link whose backend speaks the modern era, on a wire that is the test. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { DroppedMessages, SentinelError } from "../../../src/contract/mod.ts";
import type { LinkOptions } from "../../../src/core/backends/link_options.ts";
import { openLink } from "../../../src/core/backends/open_link.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { FakeWire } from "../../support/fake_wire.ts";
import { discovered } from "../../support/modern_backend.ts";
import { toolCall } from "./backend_driver.ts";

async function open(more: Partial<LinkOptions> = {}) {
  const wire = new FakeWire();
  wire.handshake = undefined;
  const dropped: DroppedMessages = {
    foreign: 0,
    duplicate: 0,
    late: 0,
    invalid: 0,
    unattributed: 0,
  };
  const invalid: string[] = [];
  const notified: string[] = [];
  const clock = new FakeClock();
  const opening = openLink(wire.open, {
    eras: ["modern"],
    capabilities: { elicitation: {} },
    version: "1",
    handshakeMs: 10_000,
    clock,
    dropped,
    invalid: (sample) => void invalid.push(sample),
    events: { notification: (method) => void notified.push(method), closed: () => {} },
    ...more,
  });
  wire.say({ id: wire.last.id, result: discovered({ logging: {} }) });
  return { wire, dropped, invalid, notified, clock, link: await opening };
}

const codeOf = ({ code }: SentinelError) => code;

describe("a modern link", () => {
  it("greets with server/discover alone and adopts what it says", async () => {
    const { wire, link } = await open();
    assert.deepEqual(wire.sent.map(({ method }) => method), ["server/discover"]);
    const { era, revision, capabilities, serverName } = link;
    assert.deepEqual({ era, revision, capabilities, serverName }, {
      era: "modern",
      revision: "2026-07-28",
      capabilities: { logging: {} },
      serverName: "scripted",
    });
  });

  it("has no client say what it can do through other requests' members", async () => {
    const { wire, link } = await open();
    const claims = {
      "io.modelcontextprotocol/clientCapabilities": { sampling: {} },
      "io.modelcontextprotocol/logLevel": "debug",
      "io.modelcontextprotocol/clientInfo": { name: "other" },
      "vendor/key": 1,
    };
    const { reply } = link.request(toolCall("t", { params: { name: "t", _meta: claims } }));
    const { _meta } = wire.last["params"];
    assert.deepEqual(_meta, {
      "vendor/key": 1,
      "io.modelcontextprotocol/protocolVersion": "2026-07-28",
      "io.modelcontextprotocol/clientCapabilities": {},
      "io.modelcontextprotocol/clientInfo": {
        name: "mcp-sentinel",
        title: "MCP Sentinel",
        version: "1",
      },
    });
    wire.say({ id: wire.last.id, result: {} });
    await reply;
  });

  it("puts its own progress token in the place of the caller's", async () => {
    const { wire, link } = await open();
    const heard: unknown[] = [];
    const { reply } = link.request(toolCall("t", {
      params: { name: "t", _meta: { progressToken: "mine" } },
      notify: (_method, params) => void heard.push(params["progressToken"]),
    }));
    const { id } = wire.last;
    assert.equal(wire.last["params"]._meta.progressToken, id);
    wire.say({ method: "notifications/progress", params: { progressToken: id, progress: 1 } });
    wire.say({ id, result: {} });
    await reply;
    assert.deepEqual(heard, ["mine"]);
  });

  const complete = { resultType: "complete", content: [] };
  const TYPES: readonly (readonly [string, string, unknown, string | undefined])[] = [
    ["complete", "tools/call", complete, undefined],
    ["nothing", "tools/call", { content: [] }, undefined],
    ["complete with another one inside", "tools/call", {
      ...complete,
      structuredContent: { resultType: "input_required" },
    }, undefined],
    ["another one inside alone", "tools/call", { x: { resultType: "task" } }, undefined],
    ["input_required", "tools/call", { resultType: "input_required" }, "input_required"],
    ["input_required after complete inside", "prompts/get", {
      x: complete,
      resultType: "input_required",
    }, "input_required"],
    ["input_required", "resources/read", { resultType: "input_required" }, "input_required"],
    ["input_required", "tools/list", { resultType: "input_required" }, "BACKEND_PROTOCOL"],
    ["task", "tools/call", { resultType: "task" }, "task"],
    ["task", "resources/read", { resultType: "task" }, "BACKEND_PROTOCOL"],
    ["a word nobody knows", "tools/call", { resultType: "later" }, "BACKEND_PROTOCOL"],
    ["a number", "tools/call", { resultType: 1 }, "BACKEND_PROTOCOL"],
  ];
  for (const [said, method, result, expected] of TYPES) {
    it(`takes ${method} that says ${said} for ${expected ?? "complete"}`, async () => {
      const { wire, link } = await open();
      const { reply } = link.request(toolCall("t", { method }));
      wire.say({ id: wire.last.id, result });
      const type = await reply.then((got) => "type" in got ? got.type : undefined, codeOf);
      assert.equal(type, expected);
      assert.equal(link.open, true);
    });
  }

  it("ignores requests of the backend, and counts them as invalid", async () => {
    const { wire, link, dropped, invalid } = await open();
    const { reply } = link.request(toolCall("t", {
      ask: () => Promise.reject(new Error("nobody is asked")),
    }));
    const { id } = wire.last;
    const sent = wire.sent.length;
    wire.say({ id: "q", method: "elicitation/create", params: {} });
    wire.say({ id: "p", method: "ping" });
    assert.deepEqual([dropped.invalid, wire.sent.length], [2, sent]);
    assert.match(invalid[0] ?? "", /elicitation\/create/);
    wire.say({ id, result: {} });
    await reply;
  });

  it("tells the backend nothing but cancellations, which HTTP has no message for", async () => {
    for (const overHttp of [false, true]) {
      const { wire, link } = await open({ overHttp });
      link.notify("notifications/roots/list_changed");
      const exchange = link.request(toolCall("t"));
      const outcome = exchange.reply.catch(codeOf);
      const { id } = wire.last;
      exchange.cancel("enough");
      assert.equal(await outcome, "BACKEND_LOST");
      assert.deepEqual(wire.forgotten, [id]);
      const told = wire.sent.filter((message) => message.id === undefined);
      assert.deepEqual(
        told.map(({ method, params }) => [method, params]),
        overHttp ? [] : [["notifications/cancelled", { requestId: id, reason: "enough" }]],
      );
    }
  });

  it("drops log messages that belong to no request, or to one of several owners'", async () => {
    const { wire, link, dropped, notified } = await open();
    const log = { method: "notifications/message", params: { level: "info", data: "x" } };
    wire.say(log);
    const heard: unknown[] = [];
    const notify = (method: string) => void heard.push(method);
    const replies = ["one", "two"].map((owner) =>
      link.request(toolCall("t", { owner, notify })).reply
    );
    const [first, second] = wire.sent.slice(-2);
    wire.say(log);
    assert.deepEqual([dropped.unattributed, notified, heard], [2, [], []]);
    wire.say({ id: first?.id, result: {} });
    wire.say(log);
    assert.deepEqual(heard, ["notifications/message"]);
    wire.say({ id: second?.id, result: {} });
    await Promise.all(replies);
  });
});
