import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { SentinelError } from "../../../src/contract/mod.ts";
import type { Ask } from "../../../src/core/backends/link.ts";
import type { JsonObject } from "../../../src/core/mcp/json.ts";
import { askedBy, Asks } from "../../../src/core/session/asks.ts";
import { FakeClock } from "../../support/fake_clock.ts";

interface Sent {
  readonly id?: string;
  readonly method: string;
  readonly params: JsonObject;
}

const INSTANCE = "0123456789ab";

function setUp() {
  const clock = new FakeClock();
  const sent: Sent[] = [];
  const send = (text: string) => sent.push(JSON.parse(text) as Sent) > 0;
  return { clock, asks: new Asks(clock, "0123456789ab"), sent, send };
}

function question(overrides: Partial<Ask> = {}): Ask {
  return {
    method: "roots/list",
    params: {},
    signal: new AbortController().signal,
    progress: () => {},
    ...overrides,
  };
}

const reasonOf = (error: SentinelError) => error.details.reason;

describe("Asks", () => {
  it("names the replica that asks in ids and tokens of progress", () => {
    const { asks, sent, send } = setUp();
    void asks.put(question({ params: { _meta: { progressToken: 1 } } }), send).catch(() => {});
    const { id, params } = sent[0] as Sent;
    assert.equal(askedBy(id), INSTANCE);
    assert.deepEqual(params["_meta"], { progressToken: id });
    for (const other of [1, "1", "0123456789ab", "0123456789AB-1", undefined, {}]) {
      assert.equal(askedBy(other), undefined);
    }
    asks.close();
  });

  it("gives each question an id of its own and hands its answer over", async () => {
    const { asks, sent, send } = setUp();
    const [one, two] = [asks.put(question(), send), asks.put(question(), send)];
    assert.notEqual(sent[0]?.id, sent[1]?.id);
    assert.ok(
      asks.answer({
        kind: "response",
        id: JSON.stringify(sent[1]?.id),
        result: '{"roots":[2]}',
        error: undefined,
      }),
    );
    assert.ok(
      asks.answer({
        kind: "response",
        id: JSON.stringify(sent[0]?.id),
        result: undefined,
        error: '{"code":-1,"message":"no"}',
      }),
    );
    assert.deepEqual(await two, { result: '{"roots":[2]}' });
    assert.deepEqual(await one, { error: { code: -1, message: "no" } });
  });

  it("takes no answer twice and none it did not ask for", async () => {
    const { asks, sent, send } = setUp();
    const asked = asks.put(question(), send);
    const answer = {
      kind: "response",
      id: JSON.stringify(sent[0]?.id),
      result: "{}",
      error: undefined,
    } as const;
    assert.ok(asks.answer(answer));
    assert.ok(!asks.answer(answer));
    assert.ok(!asks.answer({ ...answer, id: "77" }));
    assert.ok(!asks.answer({ ...answer, id: undefined }));
    await asked;
  });

  it("is unreachable at once when nothing carries the question", async () => {
    const { asks } = setUp();
    await assert.rejects(asks.put(question(), () => false), { code: "CLIENT_UNREACHABLE" });
  });

  it("waits ten minutes for a person, then withdraws the question", async () => {
    const { asks, clock, sent, send } = setUp();
    const asked = asks.put(question(), send).catch(reasonOf);
    await clock.advance(10 * 60_000 - 1);
    assert.equal(sent.length, 1);
    await clock.advance(1);
    assert.equal(await asked, "no answer in time");
    assert.deepEqual(sent[1]?.params, { requestId: sent[0]?.id, reason: "no answer in time" });
    assert.equal(clock.pending, 0);
  });

  it("withdraws what the backend withdraws, also before it was sent", async () => {
    const { asks, sent, send, clock } = setUp();
    const controller = new AbortController();
    const asked = asks.put(question({ signal: controller.signal }), send).catch(reasonOf);
    controller.abort();
    assert.equal(await asked, "withdrawn");
    assert.equal(sent[1]?.method, "notifications/cancelled");
    assert.equal(
      await asks.put(question({ signal: AbortSignal.abort() }), send).catch(reasonOf),
      "withdrawn",
    );
    assert.equal(clock.pending, 0);
  });

  it("puts the backend's own progress token back", async () => {
    const { asks, sent, send } = setUp();
    const progress: JsonObject[] = [];
    const params = { _meta: { progressToken: "backend", kept: 1 } };
    const asked = asks.put(question({ params, progress: (step) => progress.push(step) }), send);
    const ours = sent[0] as Sent;
    assert.deepEqual(ours.params["_meta"], { progressToken: ours.id, kept: 1 });
    asks.progress({ progressToken: ours.id, progress: 1 });
    asks.progress({ progressToken: "backend", progress: 2 });
    assert.deepEqual(progress, [{ progressToken: "backend", progress: 1 }]);
    asks.close();
    await assert.rejects(asked, { code: "CLIENT_UNREACHABLE" });
  });

  it("refuses more open questions than the bound", async () => {
    const { asks, send } = setUp();
    const open = Array.from({ length: 64 }, () => asks.put(question(), send).catch(reasonOf));
    assert.equal(await asks.put(question(), send).catch(reasonOf), "too many questions are open");
    asks.close();
    assert.ok((await Promise.all(open)).every((reason) => reason === "its session ended"));
  });
});
