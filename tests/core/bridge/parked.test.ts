import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Ask, AskReply } from "../../../src/core/backends/link.ts";
import type { JsonObject } from "../../../src/core/mcp/json.ts";
import { settle } from "../../support/fake_clock.ts";
import { DONE, EVERYTHING, FORM, Scripted, type SetUp, type TestRound } from "./scripted.ts";

const ARGS = { arguments: { a: 1, b: [2] } };
const ACCEPT = { action: "accept", content: { name: "x" } };

/** A question of the legacy backend, with what it got. */
class Asked {
  readonly replies: AskReply[] = [];
  readonly errors: unknown[] = [];
  readonly #withdrawal = new AbortController();

  constructor(gateway: Scripted, method: string, params: JsonObject = {}, at = -1) {
    const ask: Ask = { method, params, signal: this.#withdrawal.signal, progress: () => {} };
    const { request } = gateway.link.reached.at(at) ?? gateway.link.last;
    void request.ask?.(ask).then(
      (reply) => this.replies.push(reply),
      (error) => this.errors.push(error),
    );
  }

  withdraw(): void {
    this.#withdrawal.abort();
  }

  get answer(): unknown {
    const [reply] = this.replies;
    return reply !== undefined && "result" in reply ? JSON.parse(reply.result) : reply;
  }
}

async function park(gateway: Scripted, params: JsonObject = ARGS) {
  const round = await gateway.request(params);
  const question = new Asked(gateway, "elicitation/create", FORM);
  await gateway.pass(10);
  assert.equal(round.result?.["resultType"], "input_required");
  const [key = ""] = keysOf(round);
  return { round, question, key, token: round.token };
}

function keysOf(round: TestRound): string[] {
  return Object.keys(round.result?.["inputRequests"] as JsonObject);
}

function requestsOf(round: TestRound): unknown[] {
  return Object.values(round.result?.["inputRequests"] as JsonObject);
}

function retryOf({ token, key }: { token: string; key: string }, response: unknown = ACCEPT) {
  return { ...ARGS, requestState: token, inputResponses: { [key]: response } };
}

function setUp(options: SetUp = {}): Scripted {
  return new Scripted("legacy", options);
}

describe("a legacy backend that asks a modern client", () => {
  it("gets the answer of the next request, over as many rounds as it needs", async () => {
    const gateway = setUp();
    const first = await park(gateway);
    assert.deepEqual(Object.keys(first.round.result ?? {}).slice(0, 3), [
      "resultType",
      "inputRequests",
      "requestState",
    ]);
    assert.deepEqual(requestsOf(first.round), [{ method: "elicitation/create", params: FORM }]);
    assert.deepEqual([gateway.parked.size, gateway.shownParked, gateway.ended.length], [1, 1, 0]);

    const second = await gateway.request(retryOf(first));
    assert.deepEqual(first.question.answer, ACCEPT);
    assert.deepEqual([second.outcomes.length, gateway.parked.size], [0, 0]);

    const sampling = new Asked(gateway, "sampling/createMessage", { messages: [] });
    await gateway.pass(10);
    const next = { token: second.token, key: keysOf(second)[0] ?? "" };
    assert.notEqual(next.token, first.token);
    const third = await gateway.request(retryOf(next, { role: "assistant", model: "m" }));
    assert.deepEqual(sampling.answer, { role: "assistant", model: "m" });

    gateway.link.last.answer({ result: DONE });
    await settle();
    assert.equal(third.result?.["content"] !== undefined, true);
    assert.deepEqual(gateway.ended.map(({ call, outcome }) => [call.rounds, outcome.kind]), [
      [2, "result"],
    ]);
    assert.deepEqual([gateway.link.reached.length, gateway.intents, gateway.givenBack], [1, 1, 1]);
    assert.deepEqual(gateway.rounds(), { "modern-to-legacy answered": 2 });
    assert.equal(gateway.shownParked, 0);
  });

  it("asks several things at once, and again what was not answered", async () => {
    const gateway = setUp();
    const round = await gateway.request(ARGS);
    const form = new Asked(gateway, "elicitation/create", FORM);
    await gateway.pass(9);
    const roots = new Asked(gateway, "roots/list");
    await gateway.pass(1);
    const [formKey = "", rootsKey = ""] = keysOf(round);
    assert.equal(keysOf(round).length, 2);

    const second = await gateway.request({
      ...ARGS,
      requestState: round.token,
      inputResponses: { [rootsKey]: { roots: [] }, [formKey]: "no object", unknown: {} },
    });
    assert.deepEqual([roots.answer, form.replies.length], [{ roots: [] }, 0]);
    await gateway.pass(10);
    assert.deepEqual(keysOf(second), [formKey]);

    const third = await gateway.request({ ...ARGS, requestState: second.token });
    await gateway.pass(10);
    assert.deepEqual(keysOf(third), [formKey]);
  });

  it("is heard in the next round with what it asked while the call waited", async () => {
    const gateway = setUp();
    const first = await park(gateway);
    const late = new Asked(gateway, "roots/list");
    await gateway.pass(1000);
    const second = await gateway.request(retryOf(first));
    assert.deepEqual(first.question.answer, ACCEPT);
    await gateway.pass(10);
    assert.deepEqual(requestsOf(second), [{ method: "roots/list", params: {} }]);
    assert.equal(late.replies.length, 0);
  });

  it("tells nothing of its own hop: no progress token, no id of a URL, no envelope", async () => {
    const gateway = setUp();
    const round = await gateway.request(ARGS);
    const url = { mode: "url", url: "https://example.com", message: "m" };
    void new Asked(gateway, "elicitation/create", {
      ...url,
      elicitationId: "e",
      _meta: { progressToken: 7, "io.modelcontextprotocol/protocolVersion": "x" },
    });
    void new Asked(gateway, "elicitation/create", { ...FORM, _meta: { progressToken: 7, v: 1 } });
    await gateway.pass(10);
    assert.deepEqual(requestsOf(round), [
      { method: "elicitation/create", params: url },
      { method: "elicitation/create", params: { ...FORM, _meta: { v: 1 } } },
    ]);
  });

  it("reaches the client with progress and log only while a request is open", async () => {
    const gateway = setUp();
    const caller = gateway.modern({ logLevel: "info" });
    const round = await gateway.request({ ...ARGS, _meta: { progressToken: "one" } }, caller);
    const { request } = gateway.link.last;
    const progress = (at: number) =>
      request.notify?.("notifications/progress", { progressToken: "one", progress: at });
    progress(1);
    void new Asked(gateway, "roots/list");
    await gateway.pass(10);
    progress(2);
    request.notify?.("notifications/message", { level: "error", data: 1 });
    const second = await gateway.request({
      ...ARGS,
      _meta: { progressToken: 2 },
      requestState: round.token,
      inputResponses: { [keysOf(round)[0] ?? ""]: { roots: [] } },
    });
    progress(3);
    assert.deepEqual(round.notified.map(([, { progress: at }]) => at), [1]);
    assert.deepEqual(second.notified, [
      ["notifications/progress", { progressToken: 2, progress: 3 }],
    ]);
  });

  it("gets no envelope and no answers in its parameters, but what others put there", async () => {
    const gateway = setUp();
    await gateway.request({
      ...ARGS,
      inputResponses: { x: {} },
      _meta: {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {},
        "io.modelcontextprotocol/logLevel": "info",
        traceparent: "00-1",
        "vendor/key": 1,
      },
    });
    assert.deepEqual(gateway.link.last.request.params, {
      ...ARGS,
      name: "t",
      _meta: { traceparent: "00-1", "vendor/key": 1 },
    });
    await gateway.request({ _meta: { "io.modelcontextprotocol/protocolVersion": "2026-07-28" } });
    assert.deepEqual(gateway.link.last.request.params, { name: "t" });
    assert.equal(gateway.link.last.request.client, undefined);
  });

  it("is declined what the client did not declare", async () => {
    const gateway = setUp();
    const caller = gateway.modern({ capabilities: { elicitation: {} } });
    const round = await gateway.request(ARGS, caller);
    const declined = [
      new Asked(gateway, "sampling/createMessage"),
      new Asked(gateway, "elicitation/create", { mode: "url", url: "https://example.com" }),
    ];
    await gateway.pass(10);
    for (const { replies } of declined) {
      assert.ok(replies[0] !== undefined && "error" in replies[0]);
      assert.equal(replies[0].error.code, -32601);
    }
    assert.equal(round.outcomes.length, 0);
  });

  it("that withdraws its question before it was told leaves the call as it is", async () => {
    const gateway = setUp();
    const round = await gateway.request(ARGS);
    const question = new Asked(gateway, "roots/list");
    question.withdraw();
    await gateway.pass(10);
    assert.deepEqual([round.outcomes.length, question.errors.length], [0, 1]);
    gateway.link.last.answer({ result: DONE });
    await settle();
    assert.equal(round.outcomes.length, 1);
  });

  it("may ask in prompts and resources too", async () => {
    for (const method of ["prompts/get", "resources/read"]) {
      const gateway = setUp();
      const round = await gateway.request({}, gateway.modern(), method);
      void new Asked(gateway, "roots/list");
      await gateway.pass(10);
      const params = {
        requestState: round.token,
        inputResponses: { [keysOf(round)[0] ?? ""]: { roots: [] } },
      };
      const second = await gateway.request(params, gateway.modern(), method);
      gateway.link.last.answer({ result: '{"x":1}' });
      await settle();
      assert.equal(second.result?.["x"], 1, method);
    }
  });

  it("has its questions and the answers looked at by interceptors, the call only once", async () => {
    const seen: string[] = [];
    const gateway = setUp({
      interceptors: [{
        name: "looks",
        call: () => void seen.push("call") as undefined,
        ask: ({ params }) => ({ params: { ...params, message: "changed" } }),
        reply: ({ result }) => ({ result: { ...result, checked: true } }),
      }],
    });
    const first = await park(gateway);
    assert.deepEqual(requestsOf(first.round), [
      { method: "elicitation/create", params: { ...FORM, message: "changed" } },
    ]);
    await gateway.request(retryOf(first));
    assert.deepEqual(first.question.answer, { ...ACCEPT, checked: true });
    assert.deepEqual(seen, ["call"]);
  });
});

describe("a token of a call that waits", () => {
  it("is worth nothing to others, for other calls, or twice; its owner goes on", async () => {
    const gateway = setUp();
    const first = await park(gateway);
    const good = retryOf(first);
    const last = first.token.at(-1) === "0" ? "1" : "0";
    const attempts: readonly (() => Promise<TestRound>)[] = [
      () => gateway.request(good, gateway.modern({ principal: "bert" })),
      () => gateway.request({ ...good, name: "b__other" }),
      () => gateway.request({ ...good, arguments: { a: 2, b: [2] } }),
      () => gateway.request({ ...good, extra: 1 }),
      () => gateway.request(good, gateway.modern(), "prompts/get"),
      () => gateway.request({ ...good, requestState: first.token.slice(0, -1) + last }),
      () => gateway.request({ ...good, requestState: "parked." }),
      () => gateway.request({ ...good, requestState: "never ours" }),
    ];
    const messages = new Set<string | undefined>();
    for (const attempt of attempts) {
      const round = await attempt();
      assert.equal(round.error?.code, "INVALID_PARAMS");
      messages.add(round.error?.message);
    }
    assert.equal(messages.size, 1);
    assert.match([...messages][0] ?? "", /^Cannot continue the call: .*start again$/);
    assert.deepEqual([first.question.replies.length, gateway.parked.size], [0, 1]);
    assert.equal(gateway.link.reached.length, 1);
    assert.equal(gateway.ended.length, attempts.length);

    const reordered = { ...good, arguments: { b: [2], a: 1 }, _meta: { v: 1 } };
    await gateway.request(reordered);
    assert.deepEqual(first.question.answer, ACCEPT);
    const twice = await gateway.request(good);
    assert.equal(twice.error?.message, [...messages][0]);
  });

  it("cannot be guessed", async () => {
    const tokens = new Set<string>();
    const gateway = setUp({ bridge: { parked_per_caller: 100 } });
    for (let at = 0; at < 50; at++) tokens.add((await park(gateway)).token);
    assert.equal(tokens.size, 50);
    for (const token of tokens) assert.match(token, /^parked\.[0-9a-f]{12}\.[0-9a-f]{48}$/);
  });

  it("holds no slot while the client thinks, and takes one again but no further token", async () => {
    const gateway = setUp({
      limits: { per_session: 1, concurrency: 5, default: { rate: "2/h", burst: 2 } },
    });
    const first = await park(gateway);
    assert.equal(gateway.modern().load.slots, 0);
    const other = await gateway.request({});
    assert.equal(gateway.modern().load.slots, 1);

    const full = await gateway.request(retryOf(first));
    assert.equal(full.error?.code, "OVERLOADED");
    assert.equal(gateway.parked.size, 1);
    gateway.link.last.answer({ result: DONE });
    await settle();
    assert.equal(other.outcomes.length, 1);

    await gateway.request(retryOf(first));
    assert.deepEqual(first.question.answer, ACCEPT);
    assert.equal(gateway.modern().load.slots, 1);
    gateway.link.reached[0]?.answer({ result: DONE });
    await settle();
    assert.deepEqual([gateway.modern().load.slots, gateway.modern().load.inFlight], [0, 0]);
  });

  it("ends the call when its target was switched off or hidden meanwhile", async () => {
    const killed = setUp();
    const first = await park(killed);
    killed.kills.set({
      scope: "tools",
      name: "b__t",
      reason: "test",
      by: "test",
      since: "2026-01-01T00:00:00.000Z",
      from: "operator",
    });
    const second = await killed.request(retryOf(first));
    assert.equal(second.error?.code, "TOOL_DISABLED");
    assert.deepEqual([first.question.replies.length, killed.link.last.cancelled !== undefined], [
      0,
      true,
    ]);
    assert.deepEqual(killed.ended.map(({ outcome }) => outcome.kind), ["refused"]);

    const gateway = setUp();
    const parked = await park(gateway);
    gateway.hidden.add("b__t");
    const hidden = await gateway.request(retryOf(parked));
    assert.equal(hidden.error?.code, "INVALID_PARAMS");
    assert.ok(gateway.link.last.cancelled !== undefined);
    assert.deepEqual([gateway.parked.size, gateway.modern().load.slots], [0, 0]);
  });
});

describe("a client that does not come back", () => {
  it("in time has the call given up: the questions first, then the call", async () => {
    const gateway = setUp({ bridge: { answer_timeout: "2m" } });
    const round = await gateway.request(ARGS);
    const form = new Asked(gateway, "elicitation/create", FORM);
    const roots = new Asked(gateway, "roots/list");
    await gateway.pass(10);
    const order: unknown[] = [];
    const { reached } = gateway.link;
    await gateway.pass(119_999);
    assert.deepEqual([form.replies.length, gateway.parked.size], [0, 1]);
    const cancelledBefore = () => reached[0]?.cancelled;
    const push = form.replies.push.bind(form.replies);
    form.replies.push = (...replies) => {
      order.push(cancelledBefore());
      return push(...replies);
    };
    await gateway.pass(1);
    assert.deepEqual(form.answer, { action: "cancel" });
    assert.deepEqual(order, [undefined]);
    assert.equal(roots.errors.length, 1);
    assert.match(reached[0]?.cancelled ?? "", /did not answer in time/);
    assert.deepEqual(gateway.ended.map(({ call, outcome }) => [call.rounds, outcome.kind]), [
      [1, "accepted"],
    ]);
    assert.deepEqual(gateway.rounds(), { "modern-to-legacy expired": 1 });
    assert.deepEqual([gateway.parked.size, gateway.givenBack], [0, 1]);
    const late = await gateway.request({ ...ARGS, requestState: round.token });
    assert.equal(late.error?.code, "INVALID_PARAMS");
  });

  it("finds the answer of a call that ended meanwhile, until the time is over", async () => {
    const gateway = setUp();
    const first = await park(gateway);
    first.round.leave();
    gateway.link.last.answer({ result: '{"content":[1]}' });
    await settle();
    assert.deepEqual([gateway.ended.length, gateway.parked.size, gateway.givenBack], [1, 1, 1]);
    const second = await gateway.request(retryOf(first));
    assert.deepEqual(second.result?.["content"], [1]);
    assert.deepEqual([gateway.parked.size, gateway.ended.length], [0, 1]);

    const forgotten = await park(gateway);
    gateway.link.last.answer({ result: DONE });
    await gateway.pass(600_000);
    const late = await gateway.request(retryOf(forgotten));
    assert.equal(late.error?.code, "INVALID_PARAMS");
  });

  it("between two requests is normal, within one ends the call", async () => {
    const gateway = setUp();
    const first = await park(gateway);
    first.round.leave();
    await settle();
    assert.deepEqual([gateway.parked.size, gateway.link.last.cancelled], [1, undefined]);
    const second = await gateway.request(retryOf(first));
    second.leave();
    await settle();
    assert.equal(gateway.link.last.cancelled, "the client went away");
    assert.equal(gateway.ended[0]?.outcome.kind, "accepted");

    const other = await gateway.request(ARGS);
    void new Asked(gateway, "roots/list");
    other.leave();
    await gateway.pass(10);
    assert.equal(gateway.parked.size, 0);
    assert.equal(gateway.ended[1]?.outcome.kind, "accepted");
  });
});

describe("calls that wait", () => {
  for (
    const [name, bridge] of [
      ["of all callers", { parked: 2 }],
      ["of one caller", { parked_per_caller: 2 }],
    ] as const
  ) {
    it(`${name} are bounded; one more question is declined and its call goes on`, async () => {
      const gateway = setUp({ bridge });
      const parked = [await park(gateway), await park(gateway)];
      const round = await gateway.request(ARGS);
      const question = new Asked(gateway, "elicitation/create", FORM);
      await gateway.pass(10);
      assert.deepEqual([question.errors.length, round.outcomes.length], [1, 0]);
      assert.deepEqual(gateway.rounds(), { "modern-to-legacy failed": 1 });
      gateway.link.last.answer({ result: DONE });
      await settle();
      assert.equal(round.outcomes.length, 1);
      if ("parked_per_caller" in bridge) {
        const other = await gateway.request(ARGS, gateway.modern({ principal: "bert" }));
        void new Asked(gateway, "elicitation/create", FORM);
        await gateway.pass(10);
        assert.equal(other.outcomes.length, 1);
      }
      await gateway.request(retryOf(parked[0] as never));
      await park(gateway);
    });
  }

  it("are asked at most as often as the configuration says", async () => {
    const gateway = setUp({ bridge: { rounds: 1 } });
    const first = await park(gateway);
    const second = await gateway.request(retryOf(first));
    const question = new Asked(gateway, "roots/list");
    await gateway.pass(10);
    assert.deepEqual([question.errors.length, second.outcomes.length], [1, 0]);
  });

  it("end with the gateway, and no further one waits", async () => {
    const gateway = setUp();
    const first = await park(gateway);
    const open = await gateway.request(ARGS);
    gateway.parked.close();
    await settle();
    assert.deepEqual(
      gateway.ended.map(({ outcome }) => outcome.kind === "refused" && outcome.error.code),
      ["STOPPING"],
    );
    assert.deepEqual([first.question.errors.length, gateway.parked.size], [1, 0]);
    const question = new Asked(gateway, "roots/list");
    await gateway.pass(10);
    assert.deepEqual([question.errors.length, open.outcomes.length], [1, 0]);
  });
});

describe("URLs that a legacy backend wants visited before a call", () => {
  const wanted = {
    error: {
      code: -32042,
      message: "m",
      data: {
        elicitations: [
          { mode: "url", url: "https://example.com/1", message: "one", elicitationId: "e1" },
          { mode: "url", url: "https://example.com/2", message: "two", elicitationId: "e2" },
        ],
      },
    },
  };

  it("are questions to a modern client, which calls anew", async () => {
    const gateway = setUp();
    const round = await gateway.request(ARGS);
    gateway.link.last.answer(wanted);
    await settle();
    assert.deepEqual(requestsOf(round), [
      {
        method: "elicitation/create",
        params: { mode: "url", url: "https://example.com/1", message: "one" },
      },
      {
        method: "elicitation/create",
        params: { mode: "url", url: "https://example.com/2", message: "two" },
      },
    ]);
    assert.equal(round.result?.["requestState"], undefined);
    const [key = ""] = keysOf(round);
    await gateway.request({ ...ARGS, inputResponses: { [key]: { action: "accept" } } });
    assert.deepEqual(gateway.link.reached.map(({ request }) => request.params), [
      { ...ARGS, name: "t" },
      { ...ARGS, name: "t" },
    ]);
  });

  it("are a missing capability of a client that cannot visit any, and an error to a session", async () => {
    const gateway = setUp();
    const { url: _url, ...forms } = EVERYTHING["elicitation"] as JsonObject;
    const round = await gateway.request(
      ARGS,
      gateway.modern({ capabilities: { elicitation: forms } }),
    );
    gateway.link.last.answer(wanted);
    await settle();
    assert.equal(round.error?.code, "CAPABILITY_MISSING");
    assert.deepEqual(round.error?.details.more, {
      requiredCapabilities: { elicitation: { url: {} } },
    });
    const ended = await gateway.call(gateway.session(), {});
    gateway.link.last.answer(wanted);
    await settle();
    assert.deepEqual(ended[1]?.outcome, { kind: "remote", error: wanted.error });
  });
});
