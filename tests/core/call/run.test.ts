import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SentinelError } from "../../../src/contract/mod.ts";
import { Call, type CallInit, type Outcome, type Stage } from "../../../src/core/call/call.ts";
import { run } from "../../../src/core/call/run.ts";

const DONE: Outcome = { kind: "result", result: "{}" };

function call(): Call {
  return new Call({ id: "1", method: "test" } as unknown as CallInit);
}

describe("run", () => {
  it("goes on until a stage answers, and no further", async () => {
    const ran: string[] = [];
    const stage = (name: string, outcome?: Outcome): Stage => () => {
      ran.push(name);
      return outcome;
    };
    assert.equal(await run(call(), [stage("a"), stage("b", DONE), stage("c")]), DONE);
    assert.deepEqual(ran, ["a", "b"]);
  });

  it("turns a refusal into an outcome and a stranger into INTERNAL", async () => {
    const refused = new SentinelError("INVALID_PARAMS", "Unknown tool: x");
    const known = await run(call(), [() => {
      throw refused;
    }]);
    assert.deepEqual(known, { kind: "refused", error: refused });
    const stranger = await run(call(), [() => Promise.reject(new TypeError("secret detail"))]);
    assert.ok(stranger.kind === "refused");
    assert.equal(stranger.error.code, "INTERNAL");
    assert.ok(!stranger.error.message.includes("secret"));
  });

  it("has an outcome even when no stage answers", async () => {
    const outcome = await run(call(), []);
    assert.equal(outcome.kind === "refused" && outcome.error.code, "INTERNAL");
  });

  it("gives a cancelled call no answer, whatever its stages do", async () => {
    const cancelled = call();
    const stopped: string[] = [];
    const outcome = await run(cancelled, [
      () => {
        cancelled.onCancel((reason) => stopped.push(reason));
        cancelled.cancel("enough");
        cancelled.cancel("twice");
        throw new Error("aborted");
      },
    ]);
    assert.deepEqual(outcome, { kind: "accepted" });
    assert.deepEqual(stopped, ["enough"]);
  });

  it("stops what starts to wait after the cancellation", () => {
    const cancelled = call();
    cancelled.cancel("before");
    const stopped: string[] = [];
    cancelled.onCancel((reason) => stopped.push(reason));
    assert.deepEqual(stopped, ["before"]);
  });
});
