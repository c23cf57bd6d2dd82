import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { JsonObject } from "../../../src/core/mcp/json.ts";
import { SealedStates } from "../../../src/core/bridge/sealed_state.ts";
import { systemRandom } from "../../../src/hosts/random.ts";
import { MemorySessionStore } from "../../../src/stores/memory/session_store.ts";
import type { SessionStore } from "../../../src/ports/session_store.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { DONE, FORM, Scripted, type SetUp, type TestRound } from "./scripted.ts";

const ARGS = { arguments: { a: 1 } };
const INNER = 'opaque "\u{1F600}" . state\n';
const QUESTIONS = { who: { method: "elicitation/create", params: FORM } };

function asking(inputRequests: unknown, requestState?: unknown, more: JsonObject = {}) {
  const result = { resultType: "input_required", inputRequests, requestState, ...more };
  return { result: JSON.stringify(result), type: "input_required" } as const;
}

/** The key and the seal are real work, which no fake clock moves. */
async function answered(round: TestRound): Promise<TestRound> {
  await round.answered;
  return round;
}

async function reachedAgain({ link }: Scripted, count: number): Promise<void> {
  await link.until(count);
  assert.equal(link.reached.length, count);
}

async function ask(options: SetUp = {}, state: string | undefined = INNER) {
  const gateway = new Scripted("modern", options);
  const round = await gateway.request(ARGS);
  gateway.link.last.answer(asking(QUESTIONS, state, { _meta: { v: 1 } }));
  await answered(round);
  return { gateway, round };
}

describe("a modern backend that asks a modern client", () => {
  it("gets its own state back with the answers as they are", async () => {
    const { gateway, round } = await ask();
    assert.deepEqual(round.result?.["inputRequests"], QUESTIONS);
    assert.deepEqual(round.result?.["_meta"], { v: 1 });
    assert.notEqual(round.token, INNER);

    const inputResponses = { who: { action: "accept" }, unknown: 7 };
    await gateway.request({ ...ARGS, requestState: round.token, inputResponses });
    await reachedAgain(gateway, 2);
    assert.deepEqual(gateway.link.last.request.params, {
      ...ARGS,
      name: "t",
      requestState: INNER,
      inputResponses,
    });
    assert.deepEqual([gateway.parked.size, gateway.ended.length], [0, 1]);
  });

  it("without a state has its result passed as the text it was", async () => {
    const gateway = new Scripted("modern");
    const round = await gateway.request(ARGS);
    const reply = asking(QUESTIONS);
    gateway.link.last.answer(reply);
    await answered(round);
    const [outcome] = round.outcomes;
    assert.equal(outcome?.kind === "result" && outcome.result, reply.result);
    await gateway.request({ ...ARGS, inputResponses: { who: { action: "decline" } } });
    await reachedAgain(gateway, 2);
    assert.ok(!("requestState" in gateway.link.last.request.params));
  });

  it("is told what the client declared, and the level of this request", async () => {
    const gateway = new Scripted("modern");
    const capabilities = { elicitation: { url: {} }, experimental: {} };
    await gateway.request(
      { ...ARGS, _meta: { traceparent: "00", "io.modelcontextprotocol/logLevel": "info" } },
      gateway.modern({ capabilities, logLevel: "info" }),
    );
    const { client, params } = gateway.link.last.request;
    assert.deepEqual(client?.capabilities, { elicitation: { form: {}, url: {} } });
    assert.equal(client?.logLevel, "info");
    assert.deepEqual(params["_meta"], { traceparent: "00" });
  });

  it("gets nothing when the state is forged, old, somebody else's or of another call", async () => {
    const { gateway, round } = await ask({ bridge: { answer_timeout: "2m" } });
    const { token } = round;
    const good = { ...ARGS, requestState: token };
    const flipped = token.replace(
      /^(sealed\.\d+\.)(.)/,
      (_, head: string, digit: string) => head + (digit === "0" ? "1" : "0"),
    );
    const later = token.replace(/^sealed\.(\d+)/, (_, at: string) => `sealed.${Number(at) + 1}`);
    const attempts: readonly (() => Promise<TestRound>)[] = [
      () => gateway.request(good, gateway.modern({ principal: "bert" })),
      () => gateway.request({ ...good, arguments: { a: 2 } }),
      () => gateway.request({ ...good, requestState: INNER }),
      () => gateway.request({ ...good, requestState: flipped }),
      () => gateway.request({ ...good, requestState: later }),
      () => gateway.request({ ...good, requestState: `${token}x` }),
      () => gateway.request({ ...good, requestState: "" }),
      () => gateway.request({ ...good, requestState: 7 }),
      () => gateway.request(good, gateway.modern(), "prompts/get"),
    ];
    for (const [at, attempt] of attempts.entries()) {
      const refused = await answered(await attempt());
      assert.equal(refused.error?.code, "INVALID_PARAMS", String(at));
      assert.match(refused.error?.message ?? "", /start again$/);
    }
    assert.equal(gateway.link.reached.length, 1);

    await gateway.request(good);
    await reachedAgain(gateway, 2);
    await gateway.clock.advance(120_000);
    const late = await answered(await gateway.request(good));
    assert.equal(late.error?.code, "INVALID_PARAMS");
    assert.equal(gateway.link.reached.length, 2);
  });

  it("has questions and answers looked at by interceptors", async () => {
    const { gateway, round } = await ask({
      interceptors: [{
        name: "looks",
        ask: ({ params }) => ({ params: { ...params, message: "changed" } }),
        reply: ({ method, result }) => ({ result: { ...result, method } }),
      }],
    });
    assert.deepEqual(round.result?.["inputRequests"], {
      who: { method: "elicitation/create", params: { ...FORM, message: "changed" } },
    });
    const inputResponses = {
      who: { action: "accept" },
      where: { roots: [] },
      what: { role: "assistant" },
    };
    await gateway.request({ ...ARGS, requestState: round.token, inputResponses });
    await reachedAgain(gateway, 2);
    assert.deepEqual(gateway.link.last.request.params["inputResponses"], {
      who: { action: "accept", method: "elicitation/create" },
      where: { roots: [], method: "roots/list" },
      what: { role: "assistant", method: "sampling/createMessage" },
    });
  });

  it("is not answered where a rule forbids the question or the answer", async () => {
    const { round } = await ask({ interceptors: [{ name: "d", ask: () => ({ deny: "no" }) }] });
    assert.equal(round.result?.["isError"], true);
    assert.equal(round.result?.["resultType"], "complete");

    const { gateway, round: asked } = await ask({
      interceptors: [{ name: "d", reply: () => ({ deny: "no" }) }],
    });
    const retry = await gateway.request({
      ...ARGS,
      requestState: asked.token,
      inputResponses: { who: { action: "accept" } },
    });
    assert.equal((await answered(retry)).result?.["isError"], true);
    assert.equal(gateway.link.reached.length, 1);
  });

  it("may not ask what the client did not declare, nor what there is not", async () => {
    const gateway = new Scripted("modern");
    const poor = await gateway.request(ARGS, gateway.modern({ capabilities: {} }));
    gateway.link.last.answer(asking(QUESTIONS));
    assert.equal((await answered(poor)).result?.["isError"], true);
    const odd = await gateway.request(ARGS);
    gateway.link.last.answer(asking({ q: { method: "tools/list" } }));
    assert.equal((await answered(odd)).error?.code, "BACKEND_PROTOCOL");
  });

  it("passes -32021 only when the client lacks what it wants", async () => {
    const error = (requiredCapabilities: JsonObject) => ({
      error: { code: -32021, message: "m", data: { requiredCapabilities } },
    });
    const gateway = new Scripted("modern");
    const poor = await gateway.request(ARGS, gateway.modern({ capabilities: {} }));
    gateway.link.last.answer(error({ roots: {} }));
    assert.equal((await answered(poor)).error?.code, "CAPABILITY_MISSING");
    assert.equal(poor.error?.http, 400);
    const rich = await gateway.request(ARGS);
    gateway.link.last.answer(error({ roots: {} }));
    assert.equal((await answered(rich)).error?.code, "BACKEND_PROTOCOL");
    gateway.link.last.answer({ result: DONE });
  });
});

describe("SealedStates", () => {
  it("opens what it sealed, of any text, for the same binding", async () => {
    const states = statesOf(new FakeClock());
    for (const state of ["", ".", INNER, "sealed.1.2", "\ud800", "\r\n", "x".repeat(65_536)]) {
      assert.equal(await states.open(await states.seal(state, "b", 10), "b"), state);
    }
    await assert.rejects(states.open(await states.seal("s", "b", 10), "c"), {
      code: "INVALID_PARAMS",
    });
  });

  it("opens nothing of another gateway", async () => {
    const clock = new FakeClock();
    const [one, two] = [statesOf(clock), statesOf(clock)];
    await assert.rejects(two.open(await one.seal("s", "b", 10), "b"), { code: "INVALID_PARAMS" });
  });

  it("opens what a replica sealed, or an earlier run", async () => {
    const clock = new FakeClock();
    const store = new MemorySessionStore({ clock, random: systemRandom });
    const [one, two] = [statesOf(clock, store), statesOf(clock, store)];
    const sealed = await one.seal("s", "b", 10);
    assert.equal(await two.open(sealed, "b"), "s");
    await clock.advance(10);
    await assert.rejects(two.open(sealed, "b"), { code: "INVALID_PARAMS" });
  });

  it("goes on by itself while the store is away, and opens that afterwards too", async () => {
    const clock = new FakeClock();
    const shared = new MemorySessionStore({ clock, random: systemRandom });
    let isAway = true;
    const away = {
      secret: (name: string) => isAway ? Promise.reject(new Error("away")) : shared.secret(name),
    };
    const [one, two] = [statesOf(clock, away), statesOf(clock, shared)];
    const alone = await one.seal("alone", "b", 10);
    assert.equal(await one.open(alone, "b"), "alone");
    isAway = false;
    const both = await one.seal("both", "b", 10);
    assert.equal(await two.open(both, "b"), "both");
    assert.equal(await one.open(alone, "b"), "alone");
    await assert.rejects(two.open(alone, "b"), { code: "INVALID_PARAMS" });
  });
});

function statesOf(
  clock: FakeClock,
  store: Pick<SessionStore, "secret"> = new MemorySessionStore({ clock, random: systemRandom }),
): SealedStates {
  return new SealedStates({ clock, random: systemRandom, store });
}
