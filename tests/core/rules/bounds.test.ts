import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { type ConfigInput, fixtureBackend, startCore, type TestCore } from "../../support/core.ts";
import { HttpSession } from "../../support/http_session.ts";
import { proves } from "../../support/proves.ts";

type Rules = NonNullable<ConfigInput["rules"]>;

/** Patterns that take a backtracking engine longer than anybody waits. */
const HOSTILE = ["(a+)+$", "(.*a){20}$", "^(\\\\w+\\\\s?)*$", "(a|aa)+$", "(x+x+)+y"];
const SUBJECT = `${"a".repeat(50_000)}!`;

describe("rules and what callers can make them do", () => {
  const cores: TestCore[] = [];

  async function start(rules: Rules) {
    const core = await startCore({
      backends: { one: fixtureBackend() },
      catalog: { prefix: "always" },
      rules,
    });
    cores.push(core);
    const session = await HttpSession.open(core.core.fetch);
    await session.request("tools/list");
    return { core, session };
  }

  after(async () => {
    for (const core of cores) await core.stop();
  });

  proves("U3", "no written pattern takes more than linear time (T12)", async () => {
    const { session } = await start(HOSTILE.map((pattern, index) => ({
      name: `p${index}`,
      when: `args.text.matches("${pattern}")`,
      action: "warn",
    })));
    const answer = await session.call("one__echo", { text: SUBJECT });
    assert.ok(answer["result"], JSON.stringify(answer).slice(0, 300));
  }, { timeout: 20_000 });

  proves("U3", "no pattern of a caller does, and those that grow are refused (T12)", async () => {
    const { session } = await start([{
      name: "dynamic",
      when: "args.text.matches(args.pattern)",
      action: "warn",
    }]);
    for (const pattern of ["(a+)+$", "(.*a){20}", "^(\\w+\\s?)*$"]) {
      const { error } = await session.call("one__echo", { text: SUBJECT, pattern });
      const counted = pattern.includes("{");
      assert.equal(error?.data.rule, counted ? "dynamic" : undefined, pattern);
    }
    for (const pattern of ["(", "a".repeat(101), "a{1000}", "(?<=a)b"]) {
      const { error } = await session.call("one__echo", { text: "a", pattern });
      assert.equal(error?.data.rule, "dynamic", pattern.slice(0, 20));
    }
    for (let index = 0; index < 300; index++) {
      const { result } = await session.call("one__echo", { text: "a", pattern: `b${index}` });
      assert.ok(result);
    }
  }, { timeout: 60_000 });

  proves("U3", "nested loops over large arguments end, and deny", async () => {
    const list = Array.from({ length: 40_000 }, (_, index) => index);
    const loops = {
      all: "args.l.all(x, args.l.all(y, y >= 0.0))",
      exists: "args.l.exists(x, args.l.exists(y, y < 0.0))",
      failing: "args.l.exists(x, args.l.exists(y, y.nothing))",
      mapped: "args.l.map(x, args.l.map(y, y)).size() > 0",
      filtered: "args.l.filter(x, args.l.filter(y, false).size() > 0).size() > 0",
      one: "args.l.exists_one(x, args.l.exists_one(y, y == 1.0))",
      swallowed: "args.l.all(x, args.l.all(y, y >= 0.0)) || true",
    };
    for (const [name, when] of Object.entries(loops)) {
      const { session } = await start([{ name, when, action: "warn" }]);
      const delay = monitorEventLoopDelay({ resolution: 5 });
      delay.enable();
      const { error } = await session.call("one__echo", { l: list });
      delay.disable();
      assert.equal(error?.data.rule, name, name);
      // Without a bound the first of them runs for minutes.
      assert.ok(delay.max / 1e6 < 5000, `${name} held the loop up for ${delay.max / 1e6} ms`);
    }
  }, { timeout: 120_000 });

  it("a megabyte of arguments is judged", async () => {
    const items = Array.from({ length: 3000 }, (_, id) => ({ id, text: "x".repeat(320), big: 1 }));
    const text = JSON.stringify({ items }).replace('"big":1', '"big":123456789012345678901');
    const { session } = await start([
      { name: "found", when: 'args.items.exists(i, i.text == "needle")', action: "deny" },
      { name: "hide", when: "true", action: "redact", fields: ["**.text"] },
    ]);
    const params = `{"name":"one__echo","arguments":${text}}`;
    const body = `{"jsonrpc":"2.0","id":3,"method":"tools/call","params":${params}}`;
    const answer = await (await session.post(body)).json();
    const echoed = String(answer.result?.content[0].text);
    assert.ok(echoed.includes("«redacted: rule hide»") && !echoed.includes("xxxx"));
  });
});
