/** The stream of changes of a modern backend over HTTP. */
import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { describe, it } from "node:test";
import type { JsonObject } from "../../../src/core/mcp/json.ts";
import { FakeClock, settle } from "../../support/fake_clock.ts";
import {
  type Act,
  event,
  eventually,
  json,
  type Script,
  serveScript,
  stream,
  success,
} from "../../support/http_fixture_wire.ts";
import { discovered, serveModern } from "../../support/modern_backend.ts";
import { drive } from "./backend_driver.ts";

const SUBSCRIPTION = "io.modelcontextprotocol/subscriptionId";
/** Timers of a connection that has nothing to do: deadlines, idle links, the next ping. */
const SWEEPS = 3;
const LISTEN = "subscriptions/listen";
const CAPABILITIES = { tools: { listChanged: true }, resources: { subscribe: true } };

/** One listen that a scripted backend was asked for. */
interface Opened {
  readonly id: number;
  readonly response: ServerResponse;
  readonly isOpen: () => boolean;
}

/** A backend whose listens the test answers itself, unless it brings an answer. */
async function listening(answer?: Act, more: Script = {}) {
  const opened: Opened[] = [];
  const server = await serveScript({
    "server/discover": (response, id) => json(response, success(id, discovered(CAPABILITIES))),
    "tools/list": (response, id) => json(response, success(id, { tools: [] })),
    "resources/list": (response, id) => json(response, success(id, { resources: [] })),
    "resources/templates/list": (response, id) =>
      json(response, success(id, { resourceTemplates: [] })),
    [LISTEN]: (response, id, request) => {
      let open = true;
      response.on("close", () => open = false);
      opened.push({ id, response, isOpen: () => open });
      if (answer !== undefined) return answer(response, id, request);
      stream(response);
    },
    ...more,
  });
  const clock = new FakeClock();
  // Hours of this clock pass in no time: no ping could be answered.
  const driven = await drive({ url: server.url.href, health: { interval: "24h" } }, clock);
  await driven.settled;
  const lists = () => server.seen.filter(({ method }) => method === "tools/list").length;
  /** The listen of that number. */
  const nth = (n: number) => eventually(`listen ${n}`, () => opened[n - 1]);
  /** Until so many waits are under way: for an agreement, between two listens, before a list is read. */
  const waits = (number: number) =>
    eventually(`${number} waits`, () => clock.pending === SWEEPS + number);
  const end = async () => {
    await driven[Symbol.asyncDispose]();
    await server.close();
  };
  return { server, driven, clock, opened, nth, lists, waits, [Symbol.asyncDispose]: end };
}

function tell({ response, id }: Opened, method: string, params: JsonObject = {}): void {
  const _meta = { [SUBSCRIPTION]: id };
  response.write(event({ jsonrpc: "2.0", method, params: { ...params, _meta } }));
}

function agree(opened: Opened, notifications: JsonObject = {}): void {
  tell(opened, "notifications/subscriptions/acknowledged", { notifications });
}

const LISTS_CHANGED = "notifications/tools/list_changed";

describe("changes of a modern backend", () => {
  it("reach us from the official server: lists, and the resources that are watched", async () => {
    await using server = await serveModern();
    await using driven = await drive({ url: server.url.href });
    await driven.settled;
    const filters = () =>
      server.seen.filter(({ message }) => message["method"] === LISTEN)
        .map(({ message }) => message["params"].notifications as unknown);
    await eventually("the listen", () => filters().length === 1);
    assert.deepEqual(filters(), [{ toolsListChanged: true }]);
    const link = await driven.link();
    // Another one like it, whose beginning can be waited for.
    await link.watch?.([]);
    const before = driven.backend.found;
    await driven.call("grow");
    await eventually("another reading", () => driven.backend.found !== before);
    const reply = await link.watch?.(["note:a", "note:b"]);
    assert.ok(reply !== undefined && "result" in reply);
    assert.deepEqual((JSON.parse(reply.result) as JsonObject)["resourceSubscriptions"], [
      "note:a",
      "note:b",
    ]);
    const touch = (uri: string) =>
      driven.call("touch", { params: { name: "touch", arguments: { uri } } });
    await touch("note:c");
    await touch("note:b");
    await eventually("the update", () => driven.updated.length > 0);
    assert.deepEqual(driven.updated, ["note:b"]);
    await eventually("the end of all calls", () => driven.backend.inFlight === 0);
    server.drop();
    await eventually("another listen", () => filters().length === 4);
    assert.deepEqual(filters().at(-1), {
      toolsListChanged: true,
      resourceSubscriptions: ["note:a", "note:b"],
    });
  });

  it("go on while another set is asked for, and the old stream ends after the new one is agreed", async () => {
    await using test = await listening();
    const { driven, nth, waits } = test;
    const first = await nth(1);
    agree(first);
    await waits(0);
    const link = await driven.link();
    const watched = link.watch?.(["note:a"]);
    const second = await nth(2);
    assert.equal(first.isOpen(), true);
    tell(first, "notifications/resources/updated", { uri: "old" });
    await eventually("the update", () => driven.updated.length === 1);
    agree(second, { resourceSubscriptions: ["note:a"] });
    assert.deepEqual(await watched, { result: '{"resourceSubscriptions":["note:a"]}' });
    await eventually("the end of the first", () => !first.isOpen());
    tell(second, "notifications/resources/updated", { uri: "note:a" });
    await eventually("the update", () => driven.updated.length === 2);
    assert.equal(second.isOpen(), true);
  });

  it("that were missed are found by reading again once it listens again, later each time", async () => {
    await using test = await listening();
    const { nth, clock, lists, opened, waits } = test;
    agree(await nth(1));
    await waits(0);
    (await nth(1)).response.destroy();
    await waits(1);
    await clock.advance(1250);
    const second = await nth(2);
    await settle();
    assert.equal(lists(), 1);
    agree(second);
    await eventually("another reading", () => {
      void clock.advance(10);
      return lists() === 2;
    });
    await waits(0);
    second.response.destroy();
    await waits(1);
    await clock.advance(1250);
    assert.equal(opened.length, 2, "the second pause is longer");
    await clock.advance(1250);
    await nth(3);
  });

  it("are asked for again when the backend ends the stream in good order", async () => {
    await using test = await listening();
    const { nth, clock, opened, waits } = test;
    const first = await nth(1);
    agree(first);
    await waits(0);
    first.response.end(event(success(first.id, { resultType: "complete" })));
    await waits(1);
    assert.equal(opened.length, 1);
    await clock.advance(1250);
    assert.notEqual((await nth(2)).id, first.id);
  });

  it("are done without when the backend refuses to tell, which is said once", async () => {
    const refuse: Act = (response, id) =>
      json(response, { jsonrpc: "2.0", id, error: { code: -32601, message: "no" } });
    await using test = await listening(refuse);
    const { driven, clock, opened } = test;
    await eventually("the refusal", () => driven.events("backend.degraded").length === 1);
    await clock.advance(120_000);
    assert.equal(opened.length, 1);
    assert.equal(driven.backend.state, "ready");
    const link = await driven.link();
    const reply = await link.watch?.(["note:a"]);
    assert.deepEqual(reply, { error: { code: -32601, message: "no" } });
    assert.equal(driven.events("backend.degraded").length, 1);
  });

  it("are waited for without limit, but not their agreement", async () => {
    await using test = await listening();
    const { driven, nth, clock, waits } = test;
    const first = await nth(1);
    agree(first);
    await waits(0);
    await clock.advance(1_860_000);
    assert.equal(first.isOpen(), true);
    const link = await driven.link();
    const watched = link.watch?.(["note:a"]).catch(({ code }: { code: string }) => code);
    const second = await nth(2);
    await clock.advance(10_000);
    assert.equal(await watched, "BACKEND_TIMEOUT");
    await eventually("the end of the second", () => !second.isOpen());
    assert.deepEqual([first.isOpen(), driven.backend.inFlight, link.open], [true, 0, true]);
  });

  it("that come outside of a listen are dropped and counted", async () => {
    await using test = await listening(undefined, {
      "tools/call": (response, id) => {
        stream(response, event({ jsonrpc: "2.0", method: LISTS_CHANGED, params: {} }));
        response.end(event(success(id, { content: [] })));
      },
    });
    const { driven, nth, clock, lists, waits } = test;
    agree(await nth(1));
    await waits(0);
    await driven.call("t");
    assert.equal(driven.backend.dropped.unattributed, 1);
    await clock.advance(1000);
    assert.equal(lists(), 1);
  });
});
