import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { fixtureBackend, startCore, type TestCore } from "../../support/core.ts";
import { PipeClient } from "../../support/pipe_client.ts";

const ELICIT = {
  method: "elicitation/create",
  params: { message: "Who?", requestedSchema: { type: "object", properties: {} } },
};

describe("pipe front", () => {
  let gateway: TestCore;
  const clients: PipeClient[] = [];

  before(async () => {
    gateway = await startCore({
      backends: { own: fixtureBackend({ instances: "per-session" }), shared: fixtureBackend() },
    });
  });
  after(() => gateway.stop());

  async function connect(capabilities: unknown = {}, revision?: string): Promise<PipeClient> {
    const client = new PipeClient();
    clients.push(client);
    void gateway.core.attach(client);
    await client.initialize(capabilities, revision);
    return client;
  }

  it("a session opens with the pipe and ends with it", async () => {
    const client = new PipeClient();
    const attached = gateway.core.attach(client);
    const answer = await client.initialize();
    assert.equal(answer["result"].serverInfo.title, "MCP Sentinel");
    client.close();
    await attached;
    assert.equal(gateway.core.snapshot().sessions, 0);
  });

  it("what is not a message is answered with an error, and the pipe goes on", async () => {
    const client = await connect();
    client.write("garbage");
    const refused = await client.when(({ error }) => error !== undefined);
    assert.equal(refused["error"].code, -32700);
    assert.equal(refused.id, null);
    assert.deepEqual((await client.request(1, "ping"))["result"], {});
  });

  it("a second initialize is refused", async () => {
    const client = await connect();
    const again = await client.request(2, "initialize", {
      protocolVersion: "2025-11-25",
      capabilities: {},
    });
    assert.equal(again["error"].code, -32600);
  });

  it("a question of a backend reaches the client whose call asked it, and the answer goes back", async () => {
    const many = await Promise.all(Array.from({ length: 5 }, () => connect({ elicitation: {} })));
    const calls = many.map((client, index) => {
      void client.when(({ method }) => method === "elicitation/create").then(({ id }) =>
        client.write({ jsonrpc: "2.0", id, result: { action: "accept", content: { index } } })
      );
      return client.request(1, "tools/call", { name: "own__ask", arguments: ELICIT });
    });
    const answers = await Promise.all(calls);
    answers.forEach((answer, index) => {
      assert.deepEqual(JSON.parse(answer["result"].content[0].text as string), {
        action: "accept",
        content: { index },
      });
    });
  });

  it("a question nobody may be asked is refused at once", async () => {
    const client = await connect({ elicitation: {} });
    const shared = await client.request(1, "tools/call", {
      name: "shared__ask",
      arguments: ELICIT,
    });
    assert.match(shared["result"].content[0].text as string, /32601|cannot/i);
    const unable = await connect({});
    const refused = await unable.request(1, "tools/call", { name: "own__ask", arguments: ELICIT });
    assert.match(refused["result"].content[0].text as string, /-32601/);
  });

  it("log messages are filtered by the session's level", async () => {
    const client = await connect();
    await client.request(1, "logging/setLevel", { level: "error" });
    await client.request(2, "tools/call", {
      name: "own__log",
      arguments: { level: "info", data: "quiet" },
    });
    await client.request(3, "tools/call", {
      name: "own__log",
      arguments: { level: "critical", data: "loud" },
    });
    const logs = client.received.filter(({ method }) => method === "notifications/message");
    assert.deepEqual(logs.map(({ params }) => params.data), ["loud"]);
    const wrong = await client.request(4, "logging/setLevel", { level: "shouting" });
    assert.equal(wrong["error"].code, -32602);
  });

  it("a changed list is announced once, and only to sessions that see the change", async () => {
    const client = await connect();
    await client.request(1, "tools/call", { name: "shared__grow", arguments: { name: "fresh" } });
    await client.when(({ method }) => method === "notifications/tools/list_changed");
    const { tools } = (await client.request(2, "tools/list"))["result"];
    assert.ok(tools.some(({ name }: { name: string }) => name === "shared__fresh"));
    assert.equal(
      client.received.filter(({ method }) => method === "notifications/tools/list_changed").length,
      1,
    );
  });

  it("a client of an old revision gets only content it knows", async () => {
    const old = await connect({}, "2024-11-05");
    const answer = await old.request(1, "tools/call", {
      name: "shared__link",
      arguments: { uri: "fixture://far" },
    });
    assert.deepEqual(answer["result"].content, [{ type: "text", text: "linked <fixture://far>" }]);
    const latest = await connect();
    const kept = await latest.request(1, "tools/call", {
      name: "shared__link",
      arguments: { uri: "fixture://far" },
    });
    assert.equal(kept["result"].content[0].type, "resource_link");
  });
});
