import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SentinelError } from "../../../src/contract/mod.ts";
import type { Ask, AskReply } from "../../../src/core/backends/link.ts";
import type { JsonObject } from "../../../src/core/mcp/json.ts";
import { settle } from "../../support/fake_clock.ts";
import { DONE, type Ended, FORM, Scripted, type SetUp } from "./scripted.ts";

const TWO = {
  who: { method: "elicitation/create", params: FORM },
  where: { method: "roots/list" },
};

function asking(inputRequests: unknown, requestState?: unknown) {
  return {
    result: JSON.stringify({ resultType: "input_required", inputRequests, requestState }),
    type: "input_required",
  } as const;
}

/** A client that keeps what it is asked until the test answers. */
class Client {
  readonly asked: Ask[] = [];
  readonly answers: ((reply: AskReply | SentinelError) => void)[] = [];

  readonly ask = (_call: unknown, ask: Ask): Promise<AskReply> => {
    this.asked.push(ask);
    return new Promise((resolve, reject) => {
      this.answers.push((reply) => reply instanceof Error ? reject(reply) : resolve(reply));
      ask.signal.addEventListener(
        "abort",
        () => reject(new SentinelError("CLIENT_UNREACHABLE", "gone", { reason: "withdrawn" })),
      );
    });
  };

  async answer(...results: JsonObject[]): Promise<void> {
    for (const result of results) this.answers.shift()?.({ result: JSON.stringify(result) });
    await settle();
  }
}

async function start(setUp: SetUp = {}, capabilities?: JsonObject) {
  const gateway = new Scripted("modern", setUp);
  const client = new Client();
  const session = gateway.session(capabilities === undefined ? {} : { capabilities });
  const ended = await gateway.call(session, client, {
    params: { requestState: "forged", inputResponses: {}, arguments: { a: 1 } },
  });
  return { gateway, client, ended, session };
}

function told(ended: readonly Ended[]): JsonObject {
  const [end] = ended;
  assert.equal(end?.outcome.kind, "result");
  return JSON.parse((end.outcome as { result: string }).result) as JsonObject;
}

function textOf(result: JsonObject): string {
  return (result["content"] as [{ text: string }])[0].text;
}

function refusal(ended: readonly Ended[]): string | undefined {
  const [end] = ended;
  return end?.outcome.kind === "refused" ? end.outcome.error.code : end?.outcome.kind;
}

describe("a modern backend that asks a legacy client", () => {
  it("gets all answers with their keys and its exact state in a new request", async () => {
    const { gateway: { link, intents }, client, ended } = await start();
    const first = link.last.request;
    assert.deepEqual(first.params, { name: "t", arguments: { a: 1 } });
    link.last.answer(asking(TWO, 'st"ate\u{1F600}'));
    await settle();
    assert.deepEqual(client.asked.map(({ method, params }) => [method, params]), [
      ["elicitation/create", FORM],
      ["roots/list", {}],
    ]);

    await client.answer({ action: "accept", content: { n: 1 } }, { roots: [] });
    assert.deepEqual(link.last.request.params, {
      name: "t",
      arguments: { a: 1 },
      inputResponses: {
        who: { action: "accept", content: { n: 1 } },
        where: { roots: [] },
      },
      requestState: 'st"ate\u{1F600}',
    });
    link.last.answer(asking({ again: { method: "roots/list" } }));
    await settle();
    await client.answer({ roots: [2] });
    assert.deepEqual(link.last.request.params["inputResponses"], { again: { roots: [2] } });
    assert.ok(!("requestState" in link.last.request.params));

    link.last.answer({ result: DONE });
    await settle();
    assert.deepEqual(told(ended), JSON.parse(DONE));
    assert.deepEqual([ended[0]?.call.rounds, link.reached.length, intents], [2, 3, 1]);
  });

  it("is told with each request what the client can do, and the level of its log", async () => {
    const gateway = new Scripted("modern");
    const session = gateway.session({
      capabilities: {
        elicitation: {},
        experimental: { x: {} },
        extensions: { "io.modelcontextprotocol/ui": { a: 1 }, "unknown/x": {} },
      },
    });
    await gateway.call(session, {});
    assert.deepEqual<unknown>(gateway.link.last.request.client, {
      capabilities: { elicitation: {}, extensions: { "io.modelcontextprotocol/ui": { a: 1 } } },
      inputSchema: { type: "object", properties: { a: {} } },
    });
    session.setLogLevel("warning");
    await gateway.call(session, {}, { method: "prompts/get" });
    assert.equal(gateway.link.last.request.client?.logLevel, "warning");
    assert.equal(gateway.link.last.request.client?.inputSchema, undefined);
  });

  it("has URL questions told apart by an id, for clients that want one", async () => {
    const { gateway: { link }, client } = await start();
    const url = { mode: "url", url: "https://example.com", message: "m" };
    link.last.answer(asking({ u: { method: "elicitation/create", params: url } }));
    await settle();
    const { elicitationId, ...rest } = client.asked[0]?.params ?? {};
    assert.deepEqual(rest, url);
    assert.match(String(elicitationId), /^[0-9a-f]{48}$/);
  });

  it("is asked again after a pause when it only gave a state", async () => {
    const { gateway: { link, clock }, ended } = await start();
    link.last.answer(asking(undefined, "later"));
    await settle();
    await clock.advance(249);
    assert.equal(link.reached.length, 1);
    await clock.advance(1);
    assert.equal(link.reached.length, 2);
    assert.equal(link.last.request.params["requestState"], "later");
    assert.ok(!("inputResponses" in link.last.request.params));
    link.last.answer({ result: DONE });
    await settle();
    assert.equal(ended[0]?.call.rounds, 0);
  });

  it("may not ask more often than the configuration says", async () => {
    const { gateway: { link }, client, ended } = await start({ bridge: { rounds: 2 } });
    for (let round = 0; round < 3; round++) {
      link.last.answer(asking({ q: { method: "roots/list" } }));
      await settle();
      await client.answer({ roots: [] });
    }
    assert.deepEqual([refusal(ended), client.asked.length, link.reached.length], [
      "BACKEND_PROTOCOL",
      2,
      3,
    ]);
  });

  it("may not ask what there is not, too much, nothing, or with a state without end", async () => {
    const many = Object.fromEntries(
      Array.from({ length: 65 }, (_, at) => [at, { method: "roots/list" }]),
    );
    const cases = [
      asking({ q: { method: "tools/list" } }),
      asking({ q: "roots/list" }),
      asking({ q: { method: "roots/list", params: 1 } }),
      asking([]),
      asking(many),
      asking({}),
      asking(undefined, "x".repeat(64 * 1024 + 1)),
      asking(undefined, 1),
      { result: '{"resultType":"task"}', type: "task" } as const,
    ];
    for (const reply of cases) {
      const { gateway: { link }, client, ended } = await start();
      link.last.answer(reply);
      await settle();
      assert.equal(refusal(ended), "BACKEND_PROTOCOL", reply.result.slice(0, 80));
      assert.deepEqual([client.asked.length, link.reached.length], [0, 1]);
    }
  });

  it("may ask only in the middle of three methods", async () => {
    for (
      const [method, code] of [["prompts/get", undefined], ["resources/read", undefined]] as const
    ) {
      const gateway = new Scripted("modern");
      const client = new Client();
      const ended = await gateway.call(gateway.session(), client, { method });
      gateway.link.last.answer(asking({ q: { method: "roots/list" } }));
      await settle();
      await client.answer({ roots: [] });
      assert.deepEqual([refusal(ended), gateway.link.reached.length], [code, 2]);
    }
    const gateway = new Scripted("modern");
    const ended = await gateway.call(gateway.session(), {}, {
      method: "completion/complete",
      params: { ref: { type: "ref/prompt", name: "b__t" } },
    });
    gateway.link.last.answer(asking({ q: { method: "roots/list" } }));
    await settle();
    assert.equal(refusal(ended), "BACKEND_PROTOCOL");
  });
});

describe("a legacy client that does not answer a modern backend", () => {
  const question = asking({ q: { method: "sampling/createMessage", params: {} } });

  it("without the capability is told so in a result, and is not asked", async () => {
    for (
      const [capabilities, params] of [
        [{ roots: {} }, {}],
        [{ sampling: {} }, { tools: [] }],
      ] as const
    ) {
      const { gateway, client, ended } = await start({}, capabilities);
      gateway.link.last.answer(asking({ q: { method: "sampling/createMessage", params } }));
      await settle();
      assert.equal(told(ended)["isError"], true);
      assert.match(textOf(told(ended)), /did not declare that it can answer "sampling/);
      assert.deepEqual([client.asked.length, gateway.link.reached.length], [0, 1]);
    }
  });

  it("that declared forms only is not sent to a URL", async () => {
    const { gateway: { link }, client, ended } = await start({}, { elicitation: {} });
    const params = { mode: "url", url: "https://example.com" };
    link.last.answer(asking({ q: { method: "elicitation/create", params } }));
    await settle();
    assert.equal(told(ended)["isError"], true);
    assert.equal(client.asked.length, 0);
  });

  it("is told of an error in its answer, of no stream, and of an answer that is none", async () => {
    const unreachable = new SentinelError("CLIENT_UNREACHABLE", "x", { reason: "no open stream" });
    for (
      const [reply, expected] of [
        [{ error: { code: -1, message: "I will not" } }, /error: I will not/],
        [unreachable, /no open stream/],
        [{ result: "[]" }, /not an object/],
      ] as const
    ) {
      const { gateway, client, ended } = await start();
      gateway.link.last.answer(question);
      await settle();
      client.answers[0]?.(reply);
      await settle();
      assert.match(textOf(told(ended)), expected);
      assert.deepEqual(gateway.rounds(), { "legacy-to-modern failed": 1 });
      assert.equal(ended[0]?.call.answer !== undefined && "isError" in ended[0].call.answer, true);
    }
  });

  it("gets an error of the protocol for prompts and resources", async () => {
    for (const method of ["prompts/get", "resources/read"]) {
      const gateway = new Scripted("modern");
      const ended = await gateway.call(gateway.session({ capabilities: {} }), {}, { method });
      gateway.link.last.answer(question);
      await settle();
      assert.equal(refusal(ended), "CLIENT_UNREACHABLE");
    }
  });

  it("in time has all questions withdrawn, and the call ends", async () => {
    const { gateway, client, ended } = await start({ bridge: { answer_timeout: "2m" } });
    gateway.link.last.answer(asking(TWO));
    await settle();
    await client.answer({ action: "accept" });
    await gateway.clock.advance(119_999);
    assert.equal(ended.length, 0);
    await gateway.clock.advance(1);
    assert.match(textOf(told(ended)), /no answer within 120000 ms/);
    assert.ok(client.asked[1]?.signal.aborted);
    assert.deepEqual(gateway.rounds(), { "legacy-to-modern expired": 1 });
    assert.equal(gateway.link.reached.length, 1);
  });

  it("but cancels ends questions, pauses and requests", async () => {
    const asked = await start();
    asked.gateway.link.last.answer(asking(TWO));
    await settle();
    asked.session.calls.get("1")?.cancel("enough");
    await settle();
    assert.equal(asked.ended[0]?.outcome.kind, "accepted");
    assert.ok(asked.client.asked.every(({ signal }) => signal.aborted));
    assert.equal(asked.gateway.link.reached.length, 1);

    const paused = await start();
    paused.gateway.link.last.answer(asking(undefined, "later"));
    await settle();
    paused.session.calls.get("1")?.cancel("enough");
    await paused.gateway.clock.advance(1000);
    assert.deepEqual([paused.ended.length, paused.gateway.link.reached.length], [1, 1]);

    const again = await start();
    again.gateway.link.last.answer(asking({ q: { method: "roots/list" } }));
    await settle();
    await again.client.answer({ roots: [] });
    again.session.calls.get("1")?.cancel("enough");
    await settle();
    assert.equal(again.gateway.link.last.cancelled, "enough");
    assert.equal(again.ended[0]?.outcome.kind, "accepted");
  });

  it("because a rule forbids the question is told so", async () => {
    const deny = { name: "deny", ask: () => ({ deny: "no" }) };
    const { gateway: { link }, client, ended } = await start({ interceptors: [deny] });
    link.last.answer(question);
    await settle();
    assert.match(textOf(told(ended)), /policy of the gateway forbids/);
    assert.equal(client.asked.length, 0);
  });
});

describe("an error -32021 of a modern backend", () => {
  const missing = (requiredCapabilities: JsonObject) => ({
    error: { code: -32021, message: "m", data: { requiredCapabilities } },
  });

  it("is the client's when the client lacks the capability", async () => {
    for (
      const [capabilities, required] of [
        [{}, { sampling: {} }],
        [{ elicitation: {} }, { elicitation: { url: {} } }],
      ] as const
    ) {
      const { gateway: { link }, ended } = await start({}, capabilities);
      link.last.answer(missing(required));
      await settle();
      const { outcome } = ended[0] as Ended;
      assert.ok(outcome.kind === "refused");
      assert.equal(outcome.error.code, "CAPABILITY_MISSING");
      assert.deepEqual(outcome.error.details.more, { requiredCapabilities: required });
      assert.equal(outcome.error.http, 200);
    }
  });

  it("is the backend's when the client has it", async () => {
    const { gateway: { link }, ended } = await start({}, { elicitation: {} });
    link.last.answer(missing({ elicitation: { form: {} } }));
    await settle();
    assert.equal(refusal(ended), "BACKEND_PROTOCOL");
  });
});
