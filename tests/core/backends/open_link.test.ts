import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type DroppedMessages, SentinelError } from "../../../src/contract/mod.ts";
import { ALL_CAPABILITIES } from "../../../src/core/backends/declared.ts";
import type { Ask, AskReply, LinkRequest } from "../../../src/core/backends/link.ts";
import type { LinkOptions } from "../../../src/core/backends/link_options.ts";
import { openLink } from "../../../src/core/backends/open_link.ts";
import type { JsonObject } from "../../../src/core/mcp/json.ts";
import { FakeClock, settle } from "../../support/fake_clock.ts";
import { FakeWire } from "../../support/fake_wire.ts";

function setUp(overrides: Partial<LinkOptions> = {}) {
  const clock = new FakeClock();
  const wire = new FakeWire();
  const dropped: DroppedMessages = {
    foreign: 0,
    duplicate: 0,
    late: 0,
    invalid: 0,
    unattributed: 0,
  };
  const notified: [string, JsonObject][] = [];
  const lost: SentinelError[] = [];
  const open = () =>
    openLink(wire.open, {
      capabilities: ALL_CAPABILITIES,
      version: "1",
      handshakeMs: 10_000,
      clock,
      dropped,
      invalid: () => {},
      events: {
        notification: (method, params) => notified.push([method, params]),
        closed: (error) => lost.push(error),
      },
      ...overrides,
    });
  return { clock, wire, dropped, notified, lost, open };
}

function request(overrides: Partial<LinkRequest> = {}): LinkRequest {
  return {
    method: "tools/call",
    params: { name: "t" },
    owner: "one",
    timeoutMs: 1000,
    ...overrides,
  };
}

const codeOf = (error: SentinelError) => error.code;

describe("openLink", () => {
  it("shakes hands, adopts what the backend says and confirms", async () => {
    const { wire, open } = setUp();
    const link = await open();
    assert.deepEqual(wire.sent.map(({ method }) => method), [
      "initialize",
      "notifications/initialized",
    ]);
    assert.deepEqual(wire.sent[0]?.["params"].capabilities, ALL_CAPABILITIES);
    assert.deepEqual([link.revision, link.instructions, wire.established], [
      "2025-06-18",
      "Use it.",
      "2025-06-18",
    ]);
  });

  it("refuses a revision nobody knows, an error and garbage, and closes the wire", async () => {
    for (
      const handshake of [
        { protocolVersion: "1999-01-01" },
        { protocolVersion: 7 },
        "text",
        [],
        null,
      ]
    ) {
      const { wire, open } = setUp();
      wire.handshake = handshake;
      await assert.rejects(open(), { code: "BACKEND_PROTOCOL" }, JSON.stringify(handshake));
      assert.equal(wire.closed, 1);
    }
  });

  it("gives a handshake up at its deadline without cancelling it, and when it is told to", async () => {
    const { wire, open, clock } = setUp();
    wire.handshake = undefined;
    const late = open().catch(codeOf);
    await clock.advance(10_250);
    assert.equal(await late, "BACKEND_TIMEOUT");
    assert.deepEqual(wire.sent.map(({ method }) => method), ["initialize"]);
    const controller = new AbortController();
    const other = setUp({ signal: controller.signal });
    other.wire.handshake = undefined;
    const given = other.open().catch(codeOf);
    controller.abort();
    assert.equal(await given, "BACKEND_LOST");
    assert.equal(other.clock.pending, 0);
  });

  it("matches answers to requests by its own ids, in any order", async () => {
    const { wire, open } = setUp();
    const link = await open();
    const [one, two] = [link.request(request()), link.request(request())];
    const [first, second] = wire.sent.slice(-2);
    assert.notEqual(first?.id, second?.id);
    wire.say({ id: second?.id, result: { n: 2 } });
    wire.say({ id: first?.id, error: { code: -5, message: "no", data: 1 } });
    assert.deepEqual(await two.reply, { result: '{"n":2}' });
    assert.deepEqual(await one.reply, { error: { code: -5, message: "no", data: 1 } });
  });

  it("counts answers that are foreign, double and late", async () => {
    const { wire, open, dropped, clock } = setUp();
    const link = await open();
    wire.say({ id: 99, result: {} });
    wire.say({ id: "1", result: {} });
    const done = link.request(request());
    wire.say({ id: wire.last.id, result: {} });
    wire.say({ id: wire.last.id, result: {} });
    await done.reply;
    const slow = link.request(request());
    const { id } = wire.last;
    const outcome = slow.reply.catch(codeOf);
    await clock.advance(1250);
    assert.equal(await outcome, "BACKEND_TIMEOUT");
    wire.say({ id, result: {} });
    assert.deepEqual([dropped.foreign, dropped.duplicate, dropped.late], [2, 1, 1]);
  });

  it("tells the backend to cancel at the deadline, which progress moves, up to the hard limit", async () => {
    const { wire, open, clock } = setUp();
    const link = await open();
    const progress: unknown[] = [];
    const params = { _meta: { progressToken: "mine" } };
    const { reply } = link.request(
      request({ params, notify: (_method, step) => progress.push(step["progressToken"]) }),
    );
    const { id } = wire.last;
    assert.equal(wire.last["params"]._meta.progressToken, id);
    const outcome = reply.catch(codeOf);
    for (let step = 0; step < 3; step++) {
      await clock.advance(900);
      wire.say({ method: "notifications/progress", params: { progressToken: id, progress: step } });
    }
    assert.deepEqual(progress, ["mine", "mine", "mine"]);
    await clock.advance(1250);
    assert.equal(await outcome, "BACKEND_TIMEOUT");
    assert.deepEqual(wire.last["params"], { requestId: id, reason: "timeout" });
    assert.deepEqual(wire.forgotten, [id]);
  });

  it("a chatty backend cannot hold a call for ever", async () => {
    const { wire, open, clock } = setUp();
    const link = await open();
    const outcome = link.request(
      request({ params: { _meta: { progressToken: 1 } }, timeoutMs: 60_000 }),
    ).reply.catch(codeOf);
    const { id } = wire.last;
    for (let minute = 0; minute < 32; minute++) {
      await clock.advance(59_000);
      wire.say({
        method: "notifications/progress",
        params: { progressToken: id, progress: minute },
      });
    }
    assert.equal(await outcome, "BACKEND_TIMEOUT");
  });

  it("cancels once, and only what is under way", async () => {
    const { wire, open } = setUp();
    const link = await open();
    const exchange = link.request(request());
    const { id } = wire.last;
    exchange.cancel("enough");
    exchange.cancel("twice");
    await assert.rejects(exchange.reply, { code: "BACKEND_LOST" });
    assert.deepEqual(
      wire.sent.filter(({ method }) => method === "notifications/cancelled").map(({ params }) =>
        params
      ),
      [
        { requestId: id, reason: "enough" },
      ],
    );
  });

  it("fails everything at once when the wire is lost, and later requests without sending them", async () => {
    const { wire, open, lost, clock } = setUp();
    const link = await open();
    const waiting = [link.request(request()), link.request(request())].map(({ reply }) =>
      reply.catch(codeOf)
    );
    wire.events.closed(new SentinelError("BACKEND_LOST", "gone", { executed: "unknown" }));
    assert.deepEqual(await Promise.all(waiting), ["BACKEND_LOST", "BACKEND_LOST"]);
    const sent = wire.sent.length;
    await assert.rejects(
      link.request(request()).reply,
      (error: SentinelError) => error.details.executed === "no",
    );
    assert.equal(wire.sent.length, sent);
    await link.close();
    await link.close();
    assert.deepEqual([lost.length, wire.closed, clock.pending], [1, 1, 0]);
  });
});

describe("questions of a backend", () => {
  const ASK = { method: "elicitation/create", params: { message: "Who?" } };

  function asker(answer: AskReply = { result: '{"action":"accept"}' }) {
    const asked: Ask[] = [];
    return { asked, ask: (ask: Ask) => (asked.push(ask), Promise.resolve(answer)) };
  }

  it("go to the request whose stream carried them", async () => {
    const { wire, open } = setUp();
    const link = await open();
    const [mine, other] = [asker(), asker()];
    link.request(request({ ask: mine.ask, owner: "one" })).reply.catch(() => {});
    const { id } = wire.last;
    link.request(request({ ask: other.ask, owner: "two" })).reply.catch(() => {});
    wire.say({ id: "q", ...ASK }, id as number);
    await settle();
    assert.deepEqual([mine.asked.length, other.asked.length], [1, 0]);
    assert.deepEqual(wire.last, { jsonrpc: "2.0", id: "q", result: { action: "accept" } });
    await link.close();
  });

  it("without a stream go to the only owner, and to nobody when there are two", async () => {
    const { wire, open, dropped } = setUp();
    const link = await open();
    const mine = asker();
    link.request(request({ ask: mine.ask })).reply.catch(() => {});
    wire.say({ id: 1, ...ASK });
    await settle();
    assert.equal(mine.asked.length, 1);
    link.request(request({ ask: asker().ask, owner: "two" })).reply.catch(() => {});
    wire.say({ id: 2, ...ASK });
    assert.equal(wire.last["error"].code, -32601);
    assert.deepEqual([mine.asked.length, dropped.unattributed], [1, 1]);
    await link.close();
  });

  it("are refused when they were never declared, or are no questions", async () => {
    const { wire, open } = setUp({ capabilities: {} });
    const link = await open();
    link.request(request({ ask: asker().ask })).reply.catch(() => {});
    for (const method of ["elicitation/create", "tools/list", "sampling/createMessage"]) {
      wire.say({ id: 1, method });
      assert.equal(wire.last["error"].code, -32601, method);
    }
    wire.say({ id: 2, method: "ping" });
    assert.deepEqual(wire.last["result"], {});
    await link.close();
  });

  it("stop the clock of their call, which starts anew with the answer", async () => {
    const { wire, open, clock } = setUp();
    const link = await open();
    const { promise, resolve } = Promise.withResolvers<AskReply>();
    const outcome = link.request(request({ ask: () => promise })).reply.catch(codeOf);
    wire.say({ id: 1, ...ASK });
    await clock.advance(60_000);
    resolve({ error: { code: -1, message: "declined" } });
    await settle();
    assert.equal(wire.last["error"].code, -1);
    assert.equal(link.inFlight, 1);
    await clock.advance(1250);
    assert.equal(await outcome, "BACKEND_TIMEOUT");
  });

  it("are withdrawn by the backend and by its end; nobody is answered then", async () => {
    const { wire, open } = setUp();
    const link = await open();
    const signals: AbortSignal[] = [];
    const ask = ({ signal }: Ask) => {
      signals.push(signal);
      return new Promise<AskReply>(() => {});
    };
    link.request(request({ ask })).reply.catch(() => {});
    wire.say({ id: "a", ...ASK });
    wire.say({ id: "b", ...ASK });
    wire.say({ method: "notifications/cancelled", params: { requestId: "a" } });
    assert.deepEqual(signals.map(({ aborted }) => aborted), [true, false]);
    await link.close();
    assert.deepEqual(signals.map(({ aborted }) => aborted), [true, true]);
  });

  it("a client that fails to answer is an error for the backend, never silence", async () => {
    const { wire, open } = setUp();
    const link = await open();
    const ask = () =>
      Promise.reject(new SentinelError("CLIENT_UNREACHABLE", "Cannot ask the client: it left"));
    link.request(request({ ask })).reply.catch(() => {});
    wire.say({ id: 1, ...ASK });
    await settle();
    assert.deepEqual(wire.last["error"], {
      code: -32603,
      message: "Cannot ask the client: it left",
    });
    await link.close();
  });

  it("log messages go with the only owner, to all when nobody calls, else to nobody", async () => {
    const { wire, open, notified, dropped } = setUp();
    const link = await open();
    const log = { method: "notifications/message", params: { level: "info", data: 1 } };
    wire.say(log);
    assert.equal(notified.length, 1);
    const heard: string[] = [];
    link.request(request({ notify: (method) => heard.push(method) })).reply.catch(() => {});
    wire.say(log);
    assert.deepEqual(heard, ["notifications/message"]);
    link.request(request({ owner: "two" })).reply.catch(() => {});
    wire.say(log);
    assert.deepEqual([heard.length, notified.length, dropped.unattributed], [1, 1, 1]);
    await link.close();
  });
});
