import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { SentinelError } from "../../../src/contract/mod.ts";
import type { Interceptor } from "../../../src/core/mod.ts";
import { masker } from "../../../src/config/mask.ts";
import {
  type ConfigInput,
  type CoreParts,
  fixtureBackend,
  startCore,
  type TestCore,
} from "../../support/core.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { eventsOf, HttpSession, type Rpc } from "../../support/http_session.ts";
import { proves } from "../../support/proves.ts";

function echoed({ result }: Rpc): unknown {
  return JSON.parse(String(result?.content?.[0]?.text));
}

describe("interceptors", () => {
  const cores: TestCore[] = [];

  async function start(
    interceptors: readonly Interceptor[],
    more: Partial<ConfigInput> = {},
    parts: CoreParts = {},
  ) {
    const core = await startCore({
      backends: { one: fixtureBackend() },
      catalog: { prefix: "always" },
      ...more,
    }, { ...parts, interceptors });
    cores.push(core);
    const session = await HttpSession.open(core.core.fetch, {
      capabilities: { elicitation: {}, roots: {} },
    });
    await session.request("tools/list");
    return { core, session };
  }

  after(async () => {
    for (const core of cores) await core.stop();
  });

  /** Adds its name to what passes, at once or later. */
  function marker(name: string, later = false): Interceptor {
    const mark = (value: Readonly<Record<string, unknown>>) => ({
      ...value,
      marks: [...(value["marks"] as string[] | undefined) ?? [], name],
    });
    return {
      name,
      call: ({ params, args }) => {
        const verdict = { params: { ...params, arguments: mark(args) } };
        return later ? Promise.resolve(verdict) : verdict;
      },
      result: ({ result }) => {
        const verdict = { result: mark(result) };
        return later ? Promise.resolve(verdict) : verdict;
      },
    };
  }

  proves("U2", "run in the order of the configuration, then in that of the program", async () => {
    const own = [marker("a"), marker("b", true), marker("c"), marker("d", true)];
    const { session } = await start(own, {
      interceptors: { order: ["c", "rules", "b", "redact"] },
      rules: [{
        name: "seen",
        when: 'args.marks != ["c"]',
        action: "deny",
      }],
    });
    const answer = await session.call("one__echo", {});
    assert.deepEqual(echoed(answer), { marks: ["c", "b", "a", "d"] });
    assert.deepEqual(answer["result"].marks, ["c", "b", "a", "d"]);
  });

  it("that nobody knows are refused at the start and by a reload", async () => {
    const wrong = { interceptors: { order: ["rules", "mine"] } };
    await assert.rejects(start([], wrong), (error: SentinelError) => {
      assert.equal(error.code, "CONFIG_INVALID");
      assert.match(error.message, /"mine"; known: rules, redact$/);
      return true;
    });
    const { core } = await start([{ name: "yours" }], { interceptors: { order: ["yours"] } });
    core.source.write({ backends: { one: fixtureBackend() }, ...wrong });
    await assert.rejects(core.core.control.reload({ actor: { name: "test" } }), {
      code: "CONFIG_INVALID",
    });
    assert.ok(core.log.some(({ event }) => event === "config.rejected"));
  });

  const BROKEN: Record<string, () => unknown> = {
    "throws": () => {
      throw new Error("the secret reason");
    },
    "rejects": () => Promise.reject(new Error("the secret reason")),
    "answers a number": () => 7,
    "answers null": () => null,
    "answers something else": () => ({ parms: {} }),
    "answers with a promise of something else": () => Promise.resolve("yes"),
    "changes the tool": () => ({ params: { name: "one__die", arguments: {} } }),
  };

  for (const [what, broken] of Object.entries(BROKEN)) {
    proves("U2", `one that ${what} lets no call pass`, async () => {
      const bad = { name: "bad", call: broken } as unknown as Interceptor;
      const { core, session } = await start([bad]);
      const { error } = await session.call("one__echo", {});
      assert.deepEqual(
        [error.code, error.data.code, error.data.rule, error.data.executed],
        [-31030, "POLICY_DENIED", "bad", "no"],
      );
      assert.doesNotMatch(JSON.stringify(error), /secret reason/);
      const [failed] = core.log.filter(({ event }) => event === "interceptor.failed");
      assert.deepEqual([failed?.fields["interceptor"], failed?.fields["phase"]], ["bad", "call"]);
      const [failures] = core.telemetry.read("sentinel_interceptor_failures_total")
        .filter(({ value }) => value > 0);
      assert.deepEqual([failures?.labels, failures?.value], [{ interceptor: "bad" }, 1]);
    });
  }

  proves("U2", "one that fails on a result withholds it: the call may have run", async () => {
    for (const broken of [BROKEN["throws"], BROKEN["rejects"], BROKEN["answers a number"]]) {
      const { session } = await start([{ name: "bad", result: broken } as unknown as Interceptor]);
      const { error } = await session.call("one__echo", { a: "hidden" });
      assert.deepEqual([error.data.rule, error.data.executed], ["bad", "unknown"]);
      assert.doesNotMatch(JSON.stringify(error), /hidden/);
    }
  });

  proves("U2", "one that takes too long is not waited for, and is told", async () => {
    const clock = new FakeClock();
    const reasons: unknown[] = [];
    const hangs: Interceptor = {
      name: "hangs",
      call: ({ signal }) => {
        signal.addEventListener("abort", () => reasons.push(signal.reason));
        return new Promise(() => {});
      },
    };
    const { session } = await start([hangs], { interceptors: { timeout: "3s" } }, { clock });
    const answers: Rpc[] = [];
    const call = session.call("one__echo", {}).then((answer) => answers.push(answer));
    await session.request("ping");
    await clock.advance(2999);
    assert.equal(answers.length, 0);
    await clock.advance(1);
    await call;
    assert.equal(answers[0]?.["error"].data.rule, "hangs");
    assert.deepEqual(reasons, ["late"]);
  });

  it("a cancelled call ends the wait", async () => {
    const { promise: gone, resolve } = Promise.withResolvers<unknown>();
    const hangs: Interceptor = {
      name: "hangs",
      call: ({ signal }) => {
        signal.addEventListener("abort", () => resolve(signal.reason));
        return new Promise(() => {});
      },
    };
    const { session } = await start([hangs]);
    const sent = session.send("tools/call", { name: "one__echo", arguments: {} }, 5);
    await session.request("ping");
    await session.notify("notifications/cancelled", { requestId: 5 });
    assert.equal(await gone, "gone");
    await sent;
  });

  it("may refuse with an error of the table, and note a decision", async () => {
    const own: Interceptor = {
      name: "busy",
      call: () => ({ error: new SentinelError("OVERLOADED", "Later", { retryAfterMs: 5 }) }),
    };
    const { session } = await start([own]);
    const { error } = await session.call("one__echo", {});
    assert.deepEqual([error.data.code, error.data.retryAfterMs], ["OVERLOADED", 5]);
    const denying = await start([{ name: "no", call: () => ({ deny: "not today" }) }]);
    const refused = await denying.session.call("one__echo", {});
    assert.equal(refused["error"].message, 'Cannot call "one__echo": not today');
    assert.equal(refused["error"].data.rule, "no");
  });

  it("that hide items hide them from calls too, at once or later", async () => {
    for (const later of [false, true]) {
      const own: Interceptor = {
        name: "hides",
        list: ({ items }) => {
          const verdict = { keep: items.filter(({ original }) => original !== "echo") };
          return later ? Promise.resolve(verdict) : verdict;
        },
      };
      const { session } = await start([own]);
      const { result } = await session.request("tools/list");
      const shown = result.tools.map(({ name }: Rpc) => name);
      assert.ok(shown.includes("one__wait") && !shown.includes("one__echo"));
      assert.equal((await session.call("one__echo"))["error"].message, "Unknown tool: one__echo");
    }
    const { session } = await start([{
      name: "bad",
      list: () => ({ keep: [{ name: "made up" }] }),
    } as unknown as Interceptor]);
    assert.equal((await session.request("tools/list"))["error"].data.rule, "bad");
    assert.equal((await session.call("one__echo"))["error"].message, "Unknown tool: one__echo");
  });

  proves("U2", "see questions of backends and the answers of clients", async () => {
    const seen: unknown[] = [];
    const own: Interceptor = {
      name: "both",
      ask: ({ method, backend, params }) => {
        seen.push([method, backend]);
        if (params["message"] === "password?") return { deny: "never" };
        return { params: { ...params, message: `${String(params["message"])} (asked by one)` } };
      },
      reply: ({ result }) => Promise.resolve({ result: { ...result, checked: true } }),
    };
    const backends = { one: fixtureBackend({ instances: "per-session" }) };
    const { session } = await start([own], { backends });
    const ask = async (message: string) => {
      const params = { method: "elicitation/create", params: { message } };
      const response = await session.send("tools/call", { name: "one__ask", arguments: params });
      if (response.headers.get("content-type") !== "text/event-stream") {
        return { asked: undefined, answer: await response.json() as Rpc };
      }
      let asked: Rpc | undefined;
      for await (const { data } of eventsOf(response)) {
        const message = data === "" ? {} : JSON.parse(data) as Rpc;
        if (message.method === "elicitation/create") {
          asked = message;
          await session.post({
            jsonrpc: "2.0",
            id: message.id,
            result: { action: "accept", content: {} },
          });
        } else if (message["result"] !== undefined) return { asked, answer: message };
      }
      throw new Error("no answer");
    };
    const { asked, answer } = await ask("name?");
    assert.equal(asked?.["params"].message, "name? (asked by one)");
    assert.deepEqual(echoed(answer), { action: "accept", content: {}, checked: true });
    const refused = await ask("password?");
    assert.equal(refused.asked, undefined);
    const told = echoed(refused.answer) as { code: number; message: string };
    assert.equal(told.code, -31030);
    assert.doesNotMatch(told.message, /never|both/);
    assert.deepEqual(seen[0], ["elicitation/create", "one"]);
  });

  it("measure what they take, by phase", async () => {
    const { core, session } = await start([{ name: "own", call: () => undefined }]);
    await session.call("one__echo", {});
    const counted = core.telemetry.read("sentinel_interceptor_duration_seconds")
      .filter(({ labels }) => labels["interceptor"] === "own");
    assert.deepEqual(counted.map(({ labels }) => labels["phase"]), ["call"]);
    assert.equal(counted[0]?.counts.reduce((sum, one) => sum + one, 0), 1);
  });

  it("that block the gateway are told, and what they say holds", async () => {
    const clock = new FakeClock();
    const slow: Interceptor = { name: "slow", call: () => void clock.advance(80) };
    const { core, session } = await start([slow], {}, { clock });
    assert.deepEqual(echoed(await session.call("one__echo", { a: 1 })), { a: 1 });
    const [told] = core.log.filter(({ event }) => event === "interceptor.failed");
    assert.equal(told?.fields["interceptor"], "slow");
    assert.match(String(told?.fields["reason"]), /80 ms; its verdict holds/);
  });
});

describe("redact", () => {
  const SECRET = 'p/w"1234567890';
  const parts = { mask: masker([SECRET, "31415926535"]) };

  async function saying(result: unknown, order = ["rules", "redact"]) {
    const core = await startCore({
      backends: { one: fixtureBackend() },
      catalog: { prefix: "always" },
      interceptors: { order },
    }, parts);
    try {
      const session = await HttpSession.open(core.core.fetch);
      await session.request("tools/list");
      const text = typeof result === "string" ? result : JSON.stringify(result);
      const line = `{"jsonrpc":"2.0","id":$ID,${text.slice(1)}`;
      return await (await session.send("tools/call", { name: "one__say", arguments: { line } }))
        .text();
    } finally {
      await core.stop();
    }
  }

  it("replaces known secrets wherever they stand, and leaves JSON behind", async () => {
    const text = await saying({
      result: {
        content: [{ type: "text", text: `user:${SECRET}@host` }],
        structuredContent: { [SECRET]: 31415926535, deep: [SECRET, encodeURIComponent(SECRET)] },
      },
    });
    const { result } = JSON.parse(text);
    assert.equal(result.content[0].text, "user:«secret»@host");
    assert.deepEqual(result.structuredContent, {
      "«secret»": "«secret»",
      deep: ["«secret»", "«secret»"],
    });
  });

  it("finds them in other spellings, and in errors", async () => {
    const escaped = '{"result":{"content":[{"type":"text","text":"p\\/w\\u00221234567890"}]}}';
    assert.match(await saying(escaped), /"text":"«secret»"/);
    const error = { error: { code: -32000, message: `no ${SECRET}`, data: { url: SECRET } } };
    const { error: told } = JSON.parse(await saying(error));
    assert.deepEqual([told.message, told.data], ["no «secret»", { url: "«secret»" }]);
  });

  it("passes on what has none as it came, and can be left out of the order", async () => {
    const odd = '{"result":{"content":[],"n":1.50,"s":"\\u0041\\/"}}';
    assert.ok((await saying(odd)).includes(odd.slice(1)));
    const { result } = JSON.parse(
      await saying({ result: { content: [{ type: "text", text: SECRET }] } }, ["rules"]),
    );
    assert.equal(result.content[0].text, SECRET);
  });
});
