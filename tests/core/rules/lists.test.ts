import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fixtureBackend, startCore, type TestCore } from "../../support/core.ts";
import { HttpSession, messagesOf } from "../../support/http_session.ts";
import { proves } from "../../support/proves.ts";
import { REPOSITORY } from "../../support/runtime.ts";

type Item = Readonly<Record<string, unknown>>;

async function names(session: HttpSession, method: string, member: string, key = "name") {
  const { result } = await session.request(method);
  return (result[member] as Item[]).map((item) => item[key]);
}

/** An answer without what differs for each call, as bytes. */
async function bytesOf(session: HttpSession, method: string, params: Item, name: string) {
  const text = await (await session.send(method, params, 7)).text();
  const [message] = await messagesOf(new Response(text, { headers: { "content-type": "x" } }));
  const request = String(message?.["error"]?.data?.request);
  return text.replaceAll(request, "REQUEST").replaceAll(name, "NAME");
}

describe("rules on lists", () => {
  let core: TestCore;
  let session: HttpSession;

  before(async () => {
    core = await startCore({
      backends: { one: fixtureBackend(), two: fixtureBackend() },
      catalog: { prefix: "always" },
      rules: [
        { name: "mine", on: "list", when: 'tool.name == "two__wait"', action: "allow" },
        { name: "no-waiting", on: "list", when: 'tool.original == "wait"', action: "deny" },
        {
          name: "no-two",
          on: "list",
          when: 'tool.backend == "two" && tool.kind == "prompt"',
          action: "deny",
        },
        { name: "no-one", on: "list", when: 'tool.name == "fixture://one"', action: "deny" },
        { name: "no-items", on: "list", when: 'tool.kind == "template"', action: "deny" },
        {
          name: "hidden-item",
          on: "list",
          when: 'tool.name == "fixture://item/7"',
          action: "deny",
        },
      ],
    });
    session = await HttpSession.open(core.core.fetch);
    await session.request("tools/list");
  });

  after(() => core.stop());

  it("hide items of every kind", async () => {
    const tools = await names(session, "tools/list", "tools");
    assert.ok(tools.includes("one__echo") && tools.includes("two__wait"));
    assert.ok(!tools.includes("one__wait"));
    assert.deepEqual(await names(session, "prompts/list", "prompts"), ["one__greet"]);
    assert.deepEqual(await names(session, "resources/list", "resources", "uri"), []);
    assert.deepEqual(
      await names(session, "resources/templates/list", "resourceTemplates", "uriTemplate"),
      [],
    );
  });

  proves("U3", "a hidden target is unknown, to the byte", async () => {
    const pairs = [
      ["tools/call", "one__wait", "one__none", (name: string) => ({ name })],
      ["prompts/get", "two__greet", "two__other", (name: string) => ({ name })],
      ["completion/complete", "two__greet", "two__other", (name: string) => ({
        ref: { type: "ref/prompt", name },
        argument: { name: "who", value: "x" },
      })],
    ] as const;
    for (const [method, hidden, unknown, params] of pairs) {
      const one = await bytesOf(session, method, params(hidden), hidden);
      assert.equal(one, await bytesOf(session, method, params(unknown), unknown), method);
      assert.match(one, /"code":-32602/);
    }
    for (const method of ["resources/read", "resources/subscribe"]) {
      for (const uri of ["fixture://item/7", "fixture://item/%37", "fixture://x/../item/7"]) {
        const hidden = await bytesOf(session, method, { uri }, uri);
        const none = await bytesOf(session, method, { uri: "other://x" }, "other://x");
        if (method === "resources/read") assert.match(hidden, /not found/i, uri);
        assert.equal(hidden, none, `${method} ${uri}`);
      }
    }
  });

  it("a call to what is shown goes on", async () => {
    assert.ok((await session.call("one__echo", { a: 1 }))["result"]);
    const read = await session.request("resources/read", { uri: "fixture://item/8" });
    assert.equal(read["error"], undefined);
  });
});

describe("rules on long lists", () => {
  it("page through what is shown only, and a cursor of a hidden item is unknown", async () => {
    const tools = Array.from({ length: 1500 }, (_, index) => ({
      name: `t${index}`,
      inputSchema: { type: "object" },
      annotations: { readOnlyHint: index % 2 === 0 },
    }));
    const core = await startCore({
      backends: {
        one: fixtureBackend({
          args: [join(REPOSITORY, "tests/fixtures/typed_backend.mjs")],
          env: { TOOLS: JSON.stringify(tools) },
        }),
      },
      rules: [{ name: "odd", on: "list", when: "!tool.annotations.readOnlyHint", action: "deny" }],
    });
    try {
      const session = await HttpSession.open(core.core.fetch);
      const { result } = await session.request("tools/list");
      assert.equal(result.tools.length, 750);
      assert.equal(result.nextCursor, undefined);
      assert.ok(
        result.tools.every(({ annotations }: Item) => (annotations as Item)["readOnlyHint"]),
      );
    } finally {
      await core.stop();
    }
  });

  it("what cannot be judged is hidden, the rest is shown", async () => {
    const core = await startCore({
      backends: { one: fixtureBackend() },
      catalog: { prefix: "always" },
      rules: [{
        name: "odd",
        on: "list",
        when: 'tool.original == "echo" && tool.annotations.nothing == 1',
        action: "deny",
      }],
    });
    try {
      const session = await HttpSession.open(core.core.fetch);
      const tools = await names(session, "tools/list", "tools");
      assert.ok(tools.includes("one__wait") && !tools.includes("one__echo"));
      assert.equal((await session.call("one__echo"))["error"].code, -32602);
      assert.ok(
        core.log.some(({ event, fields }) =>
          event === "interceptor.failed" && fields["name"] === "odd"
        ),
      );
    } finally {
      await core.stop();
    }
  });
});
