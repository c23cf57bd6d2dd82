import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SentinelError } from "../../../src/contract/mod.ts";
import { READ_BOUNDS, readCatalog } from "../../../src/core/catalog/read.ts";
import type { JsonObject } from "../../../src/core/mcp/json.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { InMemoryTransport, type JSONRPCMessage, McpServer } from "./sdk.ts";
import { resource, template, tool } from "./support.ts";

type Answer = JsonObject | SentinelError;

const ALL = { tools: {}, prompts: {}, resources: {} };
const TOOLS = { capabilities: { tools: {} }, instructions: undefined };

/** A backend that answers from a script, and what it was asked. */
function scripted(answer: (method: string, params: JsonObject) => Answer) {
  const asked: [string, JsonObject][] = [];
  const request = (method: string, params: JsonObject): Promise<JsonObject> => {
    asked.push([method, params]);
    const given = answer(method, params);
    return given instanceof SentinelError ? Promise.reject(given) : Promise.resolve(given);
  };
  return { request, asked };
}

/** How the link reports a JSON-RPC error. */
function errorAnswer(rpc: number): SentinelError {
  return new SentinelError("BACKEND_PROTOCOL", "It answered with an error", { more: { rpc } });
}

const UNKNOWN_METHOD = errorAnswer(-32601);

describe("readCatalog()", () => {
  it("asks only for lists the capabilities declare", async () => {
    const { request, asked } = scripted(() => ({ prompts: [{ name: "p" }] }));
    const offer = { capabilities: { prompts: {}, logging: {} }, instructions: "Be kind." };
    const found = await readCatalog(request, offer, "b");
    assert.deepEqual(asked, [["prompts/list", {}]]);
    assert.deepEqual(found, {
      era: "legacy",
      cache: undefined,
      ...offer,
      tools: [],
      prompts: [{ name: "p" }],
      resources: [],
      templates: [],
      refused: [],
    });
  });

  it("asks for nothing and finds nothing without capabilities", async () => {
    const { request, asked } = scripted(() => UNKNOWN_METHOD);
    const found = await readCatalog(request, { capabilities: {}, instructions: undefined }, "b");
    assert.deepEqual(asked, []);
    assert.deepEqual([found.tools, found.refused], [[], []]);
  });

  it("puts the pages of all four lists together in their order", async () => {
    const pages: Record<string, JsonObject> = {
      "tools/list first": { tools: [tool("a")], nextCursor: "2" },
      'tools/list "2"': { tools: [], nextCursor: "" },
      'tools/list ""': { tools: [tool("b")], nextCursor: null },
      "prompts/list first": { prompts: [{ name: "p" }] },
      "resources/list first": { resources: [resource("a:b")] },
      "resources/templates/list first": { resourceTemplates: [template("a:{b}")] },
    };
    const { request } = scripted((method, { cursor }) =>
      pages[`${method} ${JSON.stringify(cursor) ?? "first"}`] ?? UNKNOWN_METHOD
    );
    const found = await readCatalog(request, { capabilities: ALL, instructions: undefined }, "b");
    assert.deepEqual(found.tools, [tool("a"), tool("b")]);
    assert.deepEqual(found.prompts, [{ name: "p" }]);
    assert.deepEqual(found.resources, [resource("a:b")]);
    assert.deepEqual(found.templates, [template("a:{b}")]);
    assert.deepEqual(found.refused, []);
  });

  it("takes a method the backend does not know for an empty list", async () => {
    const { request } = scripted((method) =>
      method === "resources/list" ? { resources: [resource("a:b")] } : UNKNOWN_METHOD
    );
    const found = await readCatalog(request, { capabilities: ALL, instructions: undefined }, "b");
    assert.deepEqual(found.resources, [resource("a:b")]);
    assert.deepEqual(found.refused, []);
  });

  it("reports a list that fails and keeps the others", async () => {
    for (const broken of [errorAnswer(-32603), {}, { prompts: "many" }, { prompts: { 0: {} } }]) {
      const { request } = scripted((method) =>
        method === "tools/list" ? { tools: [tool("a")] } : broken
      );
      const offer = { capabilities: { tools: {}, prompts: {} }, instructions: undefined };
      const found = await readCatalog(request, offer, "b");
      assert.deepEqual(found.tools, [tool("a")]);
      assert.deepEqual(found.refused.map(({ kind, name }) => [kind, name]), [["prompt", "*"]]);
    }
  });

  it("serves the last good entries of a list that fails", async () => {
    const { request } = scripted((method) =>
      method === "tools/list" ? { tools: [tool("new")] } : errorAnswer(-32603)
    );
    const previous = {
      ...TOOLS,
      tools: [tool("old")],
      prompts: [{ name: "p" }],
      resources: [],
      templates: [],
      refused: [],
    };
    const capabilities = { tools: {}, prompts: {} };
    const found = await readCatalog(request, { ...TOOLS, capabilities, previous }, "b");
    assert.deepEqual(found.tools, [tool("new")]);
    assert.deepEqual(found.prompts, [{ name: "p" }]);
    assert.equal(found.refused.length, 1);
  });

  it("fails when no declared list can be read", async () => {
    const { request } = scripted(() => ({ tools: null }));
    await assert.rejects(readCatalog(request, TOOLS, "github"), (error: unknown) => {
      assert.ok(error instanceof SentinelError);
      assert.equal(error.code, "BACKEND_PROTOCOL");
      assert.equal(error.details.backend, "github");
      return true;
    });
  });

  it("passes on a lost connection at once", async () => {
    const lost = new SentinelError("BACKEND_LOST", "gone");
    const { request, asked } = scripted(() => lost);
    const read = readCatalog(request, { capabilities: ALL, instructions: undefined }, "b");
    await assert.rejects(read, lost);
    assert.equal(asked.length, 1);
  });

  it("ends a list whose cursor repeats, with what it has", async () => {
    const { request, asked } = scripted((_method, { cursor }) => ({
      tools: [tool(`after-${String(cursor)}`)],
      nextCursor: cursor === "a" ? "b" : "a",
    }));
    const found = await readCatalog(request, TOOLS, "b");
    assert.equal(asked.length, 3);
    assert.equal(found.tools.length, 3);
    assert.deepEqual(found.refused.map(({ name, reason }) => [name, reason]), [
      ["*", 'the rest of "tools/list" was not read: the cursor repeats'],
    ]);
  });

  it("ends a list that pages forever, by pages, items and bytes", async () => {
    let page = 0;
    const { request, asked } = scripted(() => {
      page++;
      const items = [tool(`t${page}`), tool(`u${page}`, { description: "x".repeat(1000) })];
      return { tools: items, nextCursor: `${page}` };
    });
    const read = async (bounds: Partial<typeof READ_BOUNDS>) => {
      asked.length = 0;
      const found = await readCatalog(
        request,
        { ...TOOLS, bounds: { ...READ_BOUNDS, ...bounds } },
        "b",
      );
      assert.equal(found.refused.length, 1);
      return [asked.length, found.tools.length, found.refused[0]?.name];
    };
    assert.deepEqual(await read({}), [1000, 2000, "*"]);
    assert.deepEqual(await read({ pages: 3 }), [3, 6, "*"]);
    assert.deepEqual(await read({ items: 7 }), [4, 7, "*"]);
    assert.deepEqual(await read({ bytes: 5000 }), [5, 9, "*"]);
  });

  it("ends a list that takes too long", async () => {
    const clock = new FakeClock();
    let page = 0;
    const request = async () => {
      await clock.advance(9000);
      page++;
      return { tools: [tool(`t${page}`)], nextCursor: `${page}` };
    };
    const found = await readCatalog(request, { ...TOOLS, clock }, "b");
    assert.equal(found.tools.length, 7);
    assert.match(found.refused[0]?.reason ?? "", /longer than 60000 ms/);
  });

  it("ends a list whose cursor is no usable text", async () => {
    for (const nextCursor of [7, {}, true, "x".repeat(8193)]) {
      const { request, asked } = scripted(() => ({ tools: [tool("a")], nextCursor }));
      const found = await readCatalog(request, TOOLS, "b");
      assert.deepEqual([asked.length, found.tools.length, found.refused.length], [1, 1, 1]);
    }
  });

  it("reads what a server of the official SDK offers", async () => {
    const server = new McpServer({ name: "real", version: "1.0.0" });
    server.registerTool("echo", { description: "Echoes" }, () => ({ content: [] }));
    server.registerPrompt("greet", {}, () => ({ messages: [] }));
    server.registerResource("readme", "file:///readme", {}, () => ({ contents: [] }));
    const [near, far] = InMemoryTransport.createLinkedPair();
    await server.connect(far);
    try {
      const found = await readCatalog(requestOver(near), { ...TOOLS, capabilities: ALL }, "real");
      assert.deepEqual(found.tools.map(({ name }) => name), ["echo"]);
      assert.deepEqual(found.prompts.map(({ name }) => name), ["greet"]);
      assert.deepEqual(found.resources.map(({ uri }) => uri), ["file:///readme"]);
      assert.deepEqual(found.refused, []);
    } finally {
      await server.close();
    }
  });
});

function requestOver(transport: InMemoryTransport) {
  let id = 0;
  return async (method: string, params: JsonObject): Promise<JsonObject> => {
    const answer = new Promise<JSONRPCMessage>((resolve) => transport.onmessage = resolve);
    await transport.send({ jsonrpc: "2.0", id: ++id, method, params });
    const message = await answer;
    if ("result" in message) return message.result;
    throw errorAnswer("error" in message ? message.error.code : 0);
  };
}
