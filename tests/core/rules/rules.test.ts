import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import type { Interceptor } from "../../../src/core/mod.ts";
import {
  type ConfigInput,
  type CoreParts,
  fixtureBackend,
  startCore,
  type TestCore,
} from "../../support/core.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { HttpSession, type Rpc } from "../../support/http_session.ts";
import { proves } from "../../support/proves.ts";

type Rules = NonNullable<ConfigInput["rules"]>;

/** What the fixture's tool `echo` was called with. */
function echoed({ result }: Rpc): unknown {
  return JSON.parse(String(result?.content?.[0]?.text));
}

describe("rules", () => {
  const cores: TestCore[] = [];

  async function start(rules: Rules, more: Partial<ConfigInput> = {}, parts: CoreParts = {}) {
    const core = await startCore({
      backends: { one: fixtureBackend() },
      catalog: { prefix: "always" },
      rules,
      ...more,
    }, parts);
    cores.push(core);
    const session = await HttpSession.open(core.core.fetch);
    await session.request("tools/list");
    return { core, session };
  }

  after(async () => {
    for (const core of cores) await core.stop();
  });

  proves("U3", "deny a call: typed, named, never sent", async () => {
    const message = "DROP TABLE is not allowed through the gateway.";
    const { core, session } = await start([{
      name: "no-drop",
      when: 'tool.backend == "one" && has(args.query) && args.query.matches("(?i)drop\\\\s+table")',
      action: "deny",
      message,
    }]);
    const { error } = await session.call("one__echo", { query: "DROP   table x" });
    assert.equal(error.code, -31030);
    const { request, ...data } = error.data;
    assert.match(request, /^[0-9a-f-]{36}$/);
    assert.deepEqual(data, {
      code: "POLICY_DENIED",
      backend: "one",
      reason: message,
      executed: "no",
      rule: "no-drop",
    });
    assert.equal(error.message, `Cannot call "one__echo": ${message}`);
    assert.deepEqual(echoed(await session.call("one__echo", { query: "select" })), {
      query: "select",
    });
    const denials = core.telemetry.read("sentinel_denials_total")
      .filter(({ labels, value }) => labels["reason"] === "rule" && value > 0);
    assert.equal(denials.length, 1);
    const [match] = core.telemetry.read("sentinel_rule_matches_total");
    assert.deepEqual([match?.labels, match?.value], [{ rule: "no-drop", action: "deny" }, 1]);
  });

  it("are evaluated in order, and allow ends them", async () => {
    const { session } = await start([
      { name: "mine", when: 'args.who == "me"', action: "allow" },
      { name: "others", when: "true", action: "deny" },
    ]);
    assert.deepEqual(echoed(await session.call("one__echo", { who: "me" })), { who: "me" });
    const { error } = await session.call("one__echo", { who: "you" });
    assert.equal(error.data.rule, "others");
  });

  it("that cannot be evaluated deny, unless has() guards them", async () => {
    const { core, session } = await start([{
      name: "unguarded",
      when: "args.missing == 1",
      action: "warn",
    }]);
    const { error } = await session.call("one__echo", { a: 1 });
    assert.deepEqual(
      [error.data.code, error.data.rule, error.data.executed],
      ["POLICY_DENIED", "unguarded", "no"],
    );
    assert.doesNotMatch(error.message, /missing/);
    const [failed] = core.log.filter(({ event }) => event === "interceptor.failed");
    assert.match(String(failed?.fields["reason"]), /No such key: missing/);
    const guarded = await start([{
      name: "guarded",
      when: "has(args.missing) && args.missing == 1",
      action: "deny",
    }]);
    assert.deepEqual(echoed(await guarded.session.call("one__echo", { a: 1 })), { a: 1 });
  });

  it("warn: the call goes on, counted, and told at most once a second", async () => {
    const clock = new FakeClock();
    const { core, session } = await start(
      [{ name: "look", when: "true", action: "warn" }],
      {},
      { clock },
    );
    const warned = () => core.log.filter(({ event }) => event === "rule.warned");
    for (let times = 0; times < 5; times++) await session.call("one__echo", {});
    assert.equal(warned().length, 1);
    assert.equal(warned()[0]?.fields["rule"], "look");
    await clock.advance(1000);
    await session.call("one__echo", {});
    assert.equal(warned()[1]?.fields["more"], 4);
    assert.equal(core.telemetry.read("sentinel_rule_matches_total")[0]?.value, 6);
  });

  it("redact arguments: exact, at any depth, by wildcard, through lists", async () => {
    const { session } = await start([{
      name: "keys",
      when: "true",
      action: "redact",
      fields: ["top", "**.token", "user.*_key"],
    }]);
    const covered = "«redacted: rule keys»";
    const args = {
      top: { a: 1 },
      token: "t",
      user: { ssh_key: 1, name: "n", list: [{ token: 2 }, { other: [{ token: 3 }] }] },
      ["__proto__x"]: { top: 1 },
    };
    assert.deepEqual(echoed(await session.call("one__echo", args)), {
      top: covered,
      token: covered,
      user: {
        ssh_key: covered,
        name: "n",
        list: [{ token: covered }, { other: [{ token: covered }] }],
      },
      ["__proto__x"]: { top: 1 },
    });
  });

  it("redact results, structured or as JSON in a text, and leave other texts alone", async () => {
    const { session } = await start([{
      name: "keys",
      on: "result",
      when: 'tool.name == "one__say"',
      action: "redact",
      fields: ["**.token"],
    }]);
    const result = {
      content: [
        { type: "text", text: '{"token":"t","id":12345678901234567890}' },
        { type: "text", text: "{ token: no JSON }" },
      ],
      structuredContent: { deep: [{ token: "t" }] },
    };
    const line = JSON.stringify({ jsonrpc: "2.0", id: "$ID", result }).replace('"$ID"', "$ID");
    const { result: seen } = await session.call("one__say", { line });
    const covered = "«redacted: rule keys»";
    assert.deepEqual(seen.structuredContent, { deep: [{ token: covered }] });
    assert.equal(seen.content[0].text, `{"token":"${covered}","id":12345678901234567890}`);
    assert.equal(seen.content[1].text, "{ token: no JSON }");
  });

  proves("U3", "transform arguments, checked by the next rule and by the schema", async () => {
    const { session } = await start([
      {
        name: "cap",
        when: "has(args.limit)",
        action: "transform",
        set: { "args.limit": "min(args.limit, 100)", "args.meta.by": "identity.id" },
      },
      { name: "seen", when: "has(args.limit) && args.limit > 100", action: "deny" },
    ]);
    assert.deepEqual(echoed(await session.call("one__echo", { limit: 5000, q: "x" })), {
      limit: 100,
      q: "x",
      meta: { by: "anonymous" },
    });
    assert.deepEqual(echoed(await session.call("one__echo", { limit: 7 })), {
      limit: 7,
      meta: { by: "anonymous" },
    });
    const { error } = await session.call("one__echo", { limit: 5, meta: "text" });
    assert.equal(error.data.rule, "cap");
  });

  it("see results, may deny and transform them: then the call may have run", async () => {
    const { session } = await start([
      {
        name: "secretive",
        on: "result",
        when: 'result.content.exists(c, c.text.contains("classified"))',
        action: "deny",
      },
      {
        name: "stamp",
        on: "result",
        when: 'method == "tools/call"',
        action: "transform",
        set: { "result._meta.seen": "true" },
      },
    ]);
    const { error } = await session.call("one__echo", { a: "classified" });
    assert.deepEqual([error.data.rule, error.data.executed], ["secretive", "unknown"]);
    const { result } = await session.call("one__echo", { a: 1 });
    assert.deepEqual(result._meta, { seen: true });
  });

  it("delay a call, and a cancelled one no longer waits", async () => {
    const clock = new FakeClock();
    const { session } = await start(
      [{ name: "slow", when: "has(args.slow)", action: "delay", for: "30s" }],
      { interceptors: { timeout: "1s" } },
      { clock },
    );
    let ended = false;
    const call = session.call("one__echo", { slow: 1 }).finally(() => ended = true);
    await session.call("one__echo", {});
    await clock.advance(29_999);
    assert.equal(ended, false);
    await clock.advance(1);
    assert.deepEqual(echoed(await call), { slow: 1 });
    const sent = session.send("tools/call", { name: "one__echo", arguments: { slow: 2 } }, 77);
    await session.call("one__echo", {});
    const pending = clock.pending;
    await session.notify("notifications/cancelled", { requestId: 77 });
    await sent;
    assert.ok(clock.pending < pending, "the timer is gone");
  });

  it("inject faults with the errors that backends cause", async () => {
    const faults = ["BACKEND_LOST", "BACKEND_TIMEOUT", "CIRCUIT_OPEN", "RATE_LIMITED"] as const;
    const { session } = await start(faults.map((error) => ({
      name: error.toLowerCase(),
      when: `args.fault == "${error}"`,
      action: "fault",
      error,
    })));
    for (const fault of faults) {
      const { error } = await session.call("one__echo", { fault });
      assert.equal(error.data.code, fault);
      assert.equal(error.data.rule, fault.toLowerCase());
      assert.equal(error.data.executed, "no");
    }
  });

  it("may want an approval, which is a refusal for now", async () => {
    const { session } = await start([{
      name: "two-eyes",
      when: "tool.annotations.destructiveHint",
      action: "approve",
    }]);
    const { error } = await session.call("one__echo", {});
    assert.deepEqual(
      [error.code, error.data.code, error.data.rule, error.data.executed],
      [-31032, "APPROVAL_REQUIRED", "two-eyes", "no"],
    );
  });

  it("look at prompts, resources and completions too", async () => {
    const { session } = await start([
      { name: "p", when: 'tool.kind == "prompt" && args.who == "x"', action: "deny" },
      { name: "r", when: 'tool.name == "fixture://secret"', action: "deny" },
    ]);
    const prompt = (who: string) =>
      session.request("prompts/get", { name: "one__greet", arguments: { who } });
    assert.equal((await prompt("x"))["error"].data.rule, "p");
    assert.equal((await prompt("y"))["error"], undefined);
    for (const uri of ["fixture://secret", "fixture://%73ecret", "FIXTURE://secret"]) {
      assert.equal((await session.request("resources/read", { uri }))["error"].data.rule, "r", uri);
    }
    const dots = await session.request("resources/read", { uri: "fixture://a/../secret" });
    assert.equal(dots["error"].data.code, "POLICY_DENIED");
    assert.equal(
      (await session.request("resources/read", { uri: "fixture://one" }))["error"],
      undefined,
    );
  });

  it("see who calls, in which session, and the time", async () => {
    const { session } = await start([{
      name: "facts",
      when: 'identity.id == "anonymous" && size(identity.roles) == 0 && session.transport == ' +
        '"streamable_http" && session.protocol == "2025-11-25" && session.client.startsWith("test") ' +
        '&& session.toolset == "" && request.id.size() == 36 && method == "tools/call" ' +
        '&& tool.original == "echo" && tool.kind == "tool" ' +
        '&& now > timestamp("2020-01-01T00:00:00Z") && args.n <= 3 && args.n == 3',
      action: "deny",
    }]);
    assert.equal((await session.call("one__echo", { n: 3 }))["error"].data.rule, "facts");
  });

  it("cannot be fooled by members that are names of the language", async () => {
    const { session } = await start([{
      name: "bad",
      when: 'has(args.q) && args.q == "bad"',
      action: "deny",
    }]);
    for (const extra of [{ constructor: "x" }, { ["__proto__"]: 1 }, { big: 1 }]) {
      const text = JSON.stringify({ q: "bad", ...extra }).replace(
        '"big":1',
        '"big":123456789012345678',
      );
      const body =
        `{"jsonrpc":"2.0","id":9,"method":"tools/call","params":{"name":"one__echo","arguments":${text}}}`;
      const answer = await (await session.post(body)).json();
      assert.equal(answer.error?.data.rule, "bad", text);
    }
    const nested = { q: "good", constructor: { name: "x" } };
    assert.deepEqual(echoed(await session.call("one__echo", nested)), nested);
  });

  it("changed by a reload hold for calls that start afterwards", async () => {
    const clock = new FakeClock();
    const given = { backends: { one: fixtureBackend() }, catalog: { prefix: "always" as const } };
    const slow = { name: "slow", when: "true", action: "delay", for: "10s" } as const;
    const { core, session } = await start([slow], {}, { clock });
    const running = session.call("one__echo", { a: 1 });
    await session.request("tools/list");
    core.source.write({ ...given, rules: [{ name: "none", when: "true", action: "deny" }] });
    await core.core.control.reload({ actor: { name: "test" } });
    assert.equal((await session.call("one__echo", {}))["error"].data.rule, "none");
    await clock.advance(10_000);
    assert.deepEqual(echoed(await running), { a: 1 });
    core.source.write({ ...given, rules: [{ name: "bad", when: "1 +", action: "deny" }] });
    await assert.rejects(core.core.control.reload({ actor: { name: "test" } }), {
      code: "CONFIG_INVALID",
    });
    assert.equal((await session.call("one__echo", {}))["error"].data.rule, "none");
  });

  it("that do not compile at the start let nothing pass", async () => {
    const { core, session } = await start([{ name: "bad", when: "1 +", action: "allow" }]);
    const { error } = await session.call("one__echo", {});
    assert.deepEqual([error.data.code, error.data.rule], ["POLICY_DENIED", "bad"]);
    assert.ok(core.log.some(({ event }) => event === "interceptor.failed"));
  });

  it("cost nothing where there are none: an answer passes as it came", async () => {
    const seen: unknown[] = [];
    const watch: Interceptor = { name: "watch", list: ({ items }) => void seen.push(items.length) };
    const { session } = await start([], {}, { interceptors: [watch] });
    const odd = '{"content":[{"type":"text","text":"\\u0041"}],"n":1.50}';
    const line = `{"jsonrpc":"2.0","id":$ID,"result":${odd}}`;
    const response = await session.send("tools/call", { name: "one__say", arguments: { line } });
    assert.ok((await response.text()).includes(odd));
    assert.ok(seen.length > 0);
  });
});
