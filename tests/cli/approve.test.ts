import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type HeldBackend, startHeldBackend } from "../support/held_backend.ts";
import { HttpSession } from "../support/http_session.ts";
import { type Operator, withOperator } from "./operator.ts";

interface Scene extends Operator {
  readonly tool: string;
  readonly prompt: string;
}

/** A gateway with a tool and a prompt that are held. */
async function withHeld(work: (scene: Scene) => Promise<void>): Promise<void> {
  const changing: HeldBackend = await startHeldBackend();
  try {
    await withOperator({ config: { backends: { h: changing.config } } }, async (operator) => {
      const { core } = operator.management.gateway;
      await (await HttpSession.open(core.fetch)).request("tools/list");
      await work({ ...operator, ...await changing.hold(core.control, "h") });
    });
  } finally {
    await changing.close();
  }
}

describe("commands on a changed definition", () => {
  it("list and show say that it is held, and what changed", () =>
    withHeld(async ({ run, tool }) => {
      assert.match((await run(["tools", "list"])).out, /h__t +h +held +its definition has changed/);
      const { out } = await run(["tools", "show", "h__t"]);
      assert.match(out, /trusted +as it came; first seen \d{4}-/);
      assert.match(out, /held since .*: its definition has changed/);
      assert.match(out, /changed \$\.description\n {4}- "before"\n {4}\+ "afterwards"\n/);
      assert.ok(out.includes(`waits: ${tool}`), out);
    }));

  it("approve shows the change, asks, and approves what was shown", () =>
    withHeld(async ({ run, tool }) => {
      const asked: string[] = [];
      const answering = (answer: string) => ({
        ask: (question: string) => {
          asked.push(question);
          return Promise.resolve(answer);
        },
      });
      const refused = await run(["tools", "approve", "h__t"], answering("n"));
      assert.equal(refused.code, 1);
      assert.match(refused.err, /- "before"\n {4}\+ "afterwards"/);
      assert.match(asked[0] ?? "", /^approve tool h__t as shown on .*\? \[y\/N\] $/);
      const done = await run(["tools", "approve", "h__t"], answering("y"));
      assert.equal(done.code, 0);
      assert.match(done.out, /^approved tool h__t on .*\n {2}sha256 [0-9a-f]{64}\n {2}undo: /);
      assert.ok(done.out.includes(tool));
      const again = await run(["tools", "approve", "h__t"], answering("y"));
      assert.equal(again.code, 1);
      assert.match(again.err, /tool h__t is not held/);
      assert.match((await run(["tools", "show", "h__t"])).out, /trusted +approved by oncall at /);
    }));

  it("where nobody is there to look, the hash says what was looked at", () =>
    withHeld(async ({ run, tool, prompt }) => {
      const blind = await run(["tools", "approve", "h__t"]);
      assert.equal(blind.code, 2);
      assert.match(blind.err, /nobody is here to look/);
      assert.ok(blind.err.includes(`--hash ${tool}`));
      const wrong = await run(["tools", "approve", "h__t", "--hash", "0".repeat(64)]);
      assert.equal(wrong.code, 1);
      assert.match(wrong.err, /another one now/);
      assert.equal((await run(["tools", "approve", "h__t", "--hash", tool])).code, 0);
      const told = await run(["tools", "approve", "h__p", "--prompt", "--hash", prompt, "--json"]);
      assert.equal(JSON.parse(told.out).schema, "mcp-sentinel/v1/approve");
      const missing = await run(["tools", "approve", "h__x", "--yes"]);
      assert.match(missing.err, /did you mean h__t\?/);
    }));
});
