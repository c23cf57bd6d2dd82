import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { setImmediate } from "node:timers";
import type { BackendStatus } from "../../../src/contract/mod.ts";
import { fixtureBackend, startCore, type TestCore } from "../../support/core.ts";
import { HttpSession, type Rpc } from "../../support/http_session.ts";
import { proves } from "../../support/proves.ts";

describe("backends behind the core", () => {
  let gateway: TestCore | undefined;
  afterEach(() => gateway?.stop());

  async function start(
    input: Parameters<typeof startCore>[0],
  ): Promise<{ gateway: TestCore; session: HttpSession }> {
    gateway = await startCore(input);
    return { gateway, session: await HttpSession.open(gateway.core.fetch) };
  }

  function status(name: string): BackendStatus {
    const found = gateway?.core.snapshot().backends.find((backend) => backend.name === name);
    assert.ok(found !== undefined);
    return found;
  }

  /** Waits for a state by looking; bounded by the test's own time limit. */
  async function reaches(name: string, state: string): Promise<void> {
    while (status(name).state !== state) await new Promise((resolve) => setImmediate(resolve));
  }

  it("a backend that cannot start leaves the others alone and says why (T42)", async () => {
    const { gateway, session } = await start({
      backends: { bad: { command: "no-such-program-here" }, fix: fixtureBackend() },
    });
    const { tools } = (await session.request("tools/list"))["result"];
    assert.ok(tools.every(({ name }: Rpc) => (name as string).startsWith("fix__")));
    assert.equal((await session.call("fix__echo", { a: 1 }))["result"].content[0].text, '{"a":1}');
    assert.match(status("bad").lastError ?? "", /not found/i);
    assert.equal(gateway.core.snapshot().state, "degraded");
  });

  it("a list is an error, never an empty success, while nothing has ever answered", async () => {
    const { session } = await start({ backends: { bad: { command: "no-such-program-here" } } });
    for (
      const method of ["tools/list", "prompts/list", "resources/list", "resources/templates/list"]
    ) {
      const { error } = await session.request(method);
      assert.equal(error.code, -31024, method);
      assert.equal(error.data.code, "NO_BACKEND_READY");
      assert.equal(typeof error.data.retryAfterMs, "number");
      assert.match(error.data.reason as string, /bad: /);
    }
  });

  it("without any backend the lists are truly empty", async () => {
    const { session } = await start({});
    assert.deepEqual((await session.request("tools/list"))["result"].tools, []);
  });

  it("a disabled backend is not listed and not started", async () => {
    const { session } = await start({
      backends: { off: fixtureBackend({ enabled: false }), fix: fixtureBackend() },
    });
    assert.equal(status("off").state, "disabled");
    const { tools } = (await session.request("tools/list"))["result"];
    assert.ok(tools.every(({ name }: Rpc) => (name as string).startsWith("fix__")));
  });

  proves(
    "G8.4",
    "calls of a child that dies fail at once and say so; the child is back, others never noticed (T41)",
    async () => {
      const { session } = await start({
        backends: { one: fixtureBackend(), two: fixtureBackend() },
      });
      const waiting = Array.from({ length: 100 }, () => session.call("one__wait"));
      const other = session.call("two__echo", { still: "here" });
      const { pid } = status("one");
      void session.call("one__die", { code: 7 });
      for (const { error } of await Promise.all(waiting)) {
        assert.equal(error.code, -31021);
        assert.equal(error.data.code, "BACKEND_LOST");
        assert.equal(error.data.executed, "unknown");
        assert.equal(error.data.backend, "one");
      }
      assert.deepEqual((await other)["result"].content[0].text, '{"still":"here"}');
      await reaches("one", "ready");
      assert.notEqual(status("one").pid, pid);
      assert.equal(status("one").exitCode, 7);
      assert.equal((await session.call("one__echo", {}))["result"].content[0].text, "{}");
      assert.equal(status("two").restarts, 0);
    },
  );

  it("what a lying backend sends beside its answers is dropped and counted (T44)", async () => {
    const { session } = await start({ backends: { fix: fixtureBackend() } });
    const say = (line: string) => session.call("fix__say", { line });
    const answer = '{"jsonrpc":"2.0","id":$ID,"result":{"content":[]}}';
    await say(`{"jsonrpc":"2.0","id":987654,"result":{}}\nthis is noise\n${answer}\n${answer}`);
    await session.call("fix__echo");
    const { dropped } = status("fix");
    assert.deepEqual([dropped.foreign, dropped.duplicate, dropped.invalid], [1, 1, 1]);
    const malformed = await say('{"jsonrpc":"2.0","id":$ID,"error":"no object"}');
    assert.equal(malformed["error"].code, -32603);
  });

  it("an answer that comes after the timeout is late, and the caller was told what is known", async () => {
    const { session } = await start({ backends: { fix: fixtureBackend({ timeout: "300ms" }) } });
    const { error } = await session.call("fix__wait");
    assert.equal(error.code, -31022);
    assert.deepEqual([error.data.code, error.data.executed, error.data.backend], [
      "BACKEND_TIMEOUT",
      "unknown",
      "fix",
    ]);
    assert.equal(status("fix").inFlight, 0);
  });

  it("a call to a backend that is down fails fast and names the cause and the next try", async () => {
    const crash = { command: "node", args: ["-e", "console.error('no key'); process.exit(3)"] };
    // Asked for its era, it would be started twice.
    const once = { ...crash, era: "legacy", restart: { base: "10m", max: "10m" } } as const;
    const { session, gateway } = await start({
      backends: { fix: fixtureBackend(), bad: once },
    });
    await reaches("bad", "backoff");
    const bad = status("bad");
    assert.equal(bad.exitCode, 3);
    assert.deepEqual(bad.stderr, ["no key"]);
    assert.ok(bad.nextRetry !== undefined);
    assert.equal(
      (await session.request("resources/read", { uri: "fixture://one" }))["error"],
      undefined,
    );
    assert.ok(
      gateway.log.some(({ event, fields }) =>
        event === "backend.failed" && fields["backend"] === "bad"
      ),
    );
  });

  it("a tool renamed, described, given defaults and denied is so for list and call", async () => {
    const tools = {
      deny: ["die"],
      rename: { echo: "repeat" },
      describe: { repeat: "Says it again." },
      defaults: { repeat: { lang: "en" } },
    };
    const { session } = await start({ backends: { fix: fixtureBackend({ tools }) } });
    const listed = (await session.request("tools/list"))["result"].tools as Rpc[];
    assert.equal(
      listed.find(({ name }) => name === "fix__repeat")?.["description"],
      "Says it again.",
    );
    assert.ok(!listed.some(({ name }) => name === "fix__die" || name === "fix__echo"));
    assert.equal(
      (await session.call("fix__repeat", { a: 1 }))["result"].content[0].text,
      '{"lang":"en","a":1}',
    );
    assert.equal((await session.call("fix__die"))["error"].code, -32602);
  });

  it("instructions are merged under a heading for each backend", async () => {
    const { session } = await start({
      backends: {
        one: fixtureBackend({ env: { FIXTURE_INSTRUCTIONS: "Use me first." } }),
        two: fixtureBackend(),
      },
    });
    assert.match(session.initialized["result"].instructions as string, /one[^]*Use me first\./);
  });

  proves(
    "S1",
    "a snapshot is plain JSON with a revision that grows with every visible change",
    async () => {
      const { gateway, session } = await start({ backends: { fix: fixtureBackend() } });
      const before = gateway.core.snapshot();
      assert.deepEqual(JSON.parse(JSON.stringify(before)), before);
      await session.call("fix__grow", { name: "more" });
      await reaches("fix", "ready");
      while (gateway.core.snapshot().catalog.tools === before.catalog.tools) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      assert.ok(gateway.core.snapshot().revision > before.revision);
    },
  );
});
