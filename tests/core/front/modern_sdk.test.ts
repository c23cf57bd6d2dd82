/** The official client of both eras, over real HTTP, onto legacy backends. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { fixtureBackend, startCore, type TestCore } from "../../support/core.ts";
import { MODERN, type Served, served } from "../../support/modern_http.ts";
import {
  ClientV2,
  type ClientV2Options,
  StreamableHTTPClientTransportV2,
} from "../../support/sdk_v2.ts";

type Negotiation = NonNullable<ClientV2Options["versionNegotiation"]>["mode"];

describe("the official client of both eras", () => {
  let gateway: TestCore;
  let server: Served;

  before(async () => {
    gateway = await startCore({
      backends: {
        first: fixtureBackend({ era: "legacy" }),
        second: fixtureBackend({ era: "legacy" }),
      },
      toolsets: { small: { tools: ["first__echo"] } },
    });
    server = await served(gateway);
  });
  after(async () => {
    await gateway.stop();
    await server.end();
  });

  async function connect(mode: Negotiation, path = ""): Promise<ClientV2> {
    const client = new ClientV2({ name: "test", version: "1" }, {
      ...(mode === undefined ? {} : { versionNegotiation: { mode } }),
    });
    await client.connect(new StreamableHTTPClientTransportV2(new URL(server.url + path)));
    return client;
  }

  const MODES: Readonly<Record<string, readonly [Negotiation, string]>> = {
    "finding out by itself": ["auto", MODERN],
    "pinned to the modern revision": [{ pin: MODERN }, MODERN],
    "of the legacy era": ["legacy", "2025-11-25"],
  };

  for (const [name, [mode, revision]] of Object.entries(MODES)) {
    it(`${name} lists, calls, gets and reads`, async () => {
      const client = await connect(mode);
      assert.equal(client.getNegotiatedProtocolVersion(), revision);
      const { tools } = await client.listTools();
      assert.ok(tools.some((tool) => tool.name === "second__echo"));
      const result = await client.callTool({ name: "second__echo", arguments: { a: [1, "ü"] } });
      assert.deepEqual(result.content, [{ type: "text", text: '{"a":[1,"ü"]}' }]);
      const { prompts } = await client.listPrompts();
      assert.ok(prompts.some((prompt) => prompt.name === "first__greet"));
      const { messages } = await client.getPrompt({ name: "first__greet" });
      assert.equal(messages.length, 1);
      const { contents } = await client.readResource({ uri: "fixture://one" });
      assert.equal(contents.length, 1);
      await assert.rejects(client.callTool({ name: "nothing" }), { code: -32602 });
      await client.close();
    });
  }

  it("hears the progress of its own calls", async () => {
    const client = await connect("auto");
    const steps: number[] = [];
    await client.callTool({ name: "first__progress", arguments: { steps: 3 } }, {
      onprogress: ({ progress }) => void steps.push(progress),
    });
    assert.deepEqual(steps, [1, 2, 3]);
    await client.close();
  });

  it("sees a toolset and nothing else on its path", async () => {
    const client = await connect("auto", "/small");
    const { tools } = await client.listTools();
    assert.deepEqual(tools.map((tool) => tool.name), ["first__echo"]);
    await assert.rejects(client.callTool({ name: "second__echo" }), { code: -32602 });
    await client.close();
  });

  it("leaves nothing behind", () => {
    assert.equal(gateway.core.inFlight(), 0);
    const modern = gateway.log.filter(({ event }) => event === "session.opened");
    // The legacy client alone has a session.
    assert.equal(modern.length, 1);
  });
});
