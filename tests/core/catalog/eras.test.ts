import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ANONYMOUS } from "../../../src/core/auth/principal.ts";
import { buildCatalog } from "../../../src/core/catalog/catalog.ts";
import { definitionOf } from "../../../src/core/catalog/entry.ts";
import type { ListSpeech } from "../../../src/core/catalog/parse.ts";
import type { BackendCatalog, ItemKind, Target, View } from "../../../src/core/catalog/types.ts";
import type { JsonObject } from "../../../src/core/mcp/json.ts";
import { ClientV2, StreamableHTTPClientTransportV2 } from "../../support/sdk_v2.ts";
import { ListToolsResultSchema } from "./sdk.ts";
import { foundOf, resource, sourceOf, template, tool } from "./support.ts";

const MODERN: ListSpeech = { era: "modern", mirrors: true };
const SERVER = {
  "io.modelcontextprotocol/serverInfo": {
    name: "mcp-sentinel",
    title: "MCP Sentinel",
    version: "1.2.3",
  },
};

function viewOf(found: BackendCatalog, config: JsonObject = {}): View {
  const view = buildCatalog(sourceOf({ a: { found, config } })).view(undefined, ANONYMOUS);
  assert.ok(view !== undefined);
  return view;
}

function modernPage(view: View, kind: ItemKind, cursor?: string): JsonObject {
  return JSON.parse(view.list(kind, { cursor, era: "modern" })) as JsonObject;
}

function toolIn(view: View, era: "legacy" | "modern"): JsonObject {
  const page = JSON.parse(view.list("tool", { cursor: undefined, era })) as { tools: JsonObject[] };
  assert.equal(page.tools.length, 1);
  return page.tools[0] as JsonObject;
}

describe("lists for modern clients", () => {
  const view = viewOf(foundOf({
    tool: [tool("t")],
    prompt: [{ name: "p" }],
    resource: [resource("u:1")],
    template: [template("u:{x}")],
  }));

  it("say what they are, how long they may be kept, and who answers", () => {
    assert.equal(
      view.list("tool", { cursor: undefined, era: "modern" }),
      '{"resultType":"complete","tools":[{"name":"a__t","inputSchema":{"type":"object"}}],' +
        `"ttlMs":0,"cacheScope":"private","_meta":${JSON.stringify(SERVER)}}`,
    );
    for (const kind of ["prompt", "resource", "template"] as const) {
      const { resultType, ttlMs, cacheScope, _meta } = modernPage(view, kind);
      assert.deepEqual([resultType, ttlMs, cacheScope, _meta], ["complete", 0, "private", SERVER]);
    }
    assert.deepEqual(JSON.parse(view.meta), SERVER);
  });

  it("leave those of legacy clients as they were", () => {
    assert.equal(view.list("prompt"), '{"prompts":[{"name":"a__p"}]}');
    view.list("prompt", { cursor: undefined, era: "modern" });
    assert.equal(view.list("prompt"), '{"prompts":[{"name":"a__p"}]}');
  });

  it("come in the same pages as those of legacy clients", () => {
    const tools = Array.from({ length: 1500 }, (_, at) => tool(`t${at}`));
    const many = viewOf(foundOf({ tool: tools }));
    const first = modernPage(many, "tool");
    const legacy = JSON.parse(many.list("tool")) as JsonObject;
    assert.equal(first["nextCursor"], legacy["nextCursor"]);
    const second = modernPage(many, "tool", String(first["nextCursor"]));
    assert.deepEqual([(second["tools"] as unknown[]).length, second["nextCursor"]], [
      500,
      undefined,
    ]);
    const page = { cursor: undefined, era: "modern" } as const;
    assert.equal(many.list("tool", page), many.list("tool", page));
  });

  it("can be read by the official client", async () => {
    const found = foundOf({
      tool: [
        tool("listed", { outputSchema: { type: "array", items: { type: "string" } } }),
        tool("any", { outputSchema: { anyOf: [{ type: "null" }, { type: "object" }] } }),
        tool("plain", {
          outputSchema: { type: "object" },
          execution: { taskSupport: "forbidden" },
        }),
      ],
      prompt: [{ name: "p" }],
      resource: [resource("u:1")],
      template: [template("u:{x}")],
    }, MODERN);
    const client = await clientOf(viewOf(found));
    try {
      const { tools } = await client.listTools();
      assert.deepEqual(tools.map(({ name }) => name), ["a__listed", "a__any", "a__plain"]);
      assert.equal((await client.listPrompts()).prompts.length, 1);
      assert.equal((await client.listResources()).resources.length, 1);
      assert.equal((await client.listResourceTemplates()).resourceTemplates.length, 1);
    } finally {
      await client.close();
    }
  });
});

/** The official client of the modern era, connected to nothing but the lists of a view. */
async function clientOf(view: View) {
  const kinds: Readonly<Record<string, ItemKind>> = {
    "tools/list": "tool",
    "prompts/list": "prompt",
    "resources/list": "resource",
    "resources/templates/list": "template",
  };
  const discovered = {
    resultType: "complete",
    supportedVersions: ["2026-07-28"],
    capabilities: view.modernCapabilities,
    ttlMs: 0,
    cacheScope: "private",
    _meta: JSON.parse(view.meta) as JsonObject,
  };
  const answer = async (request: Request): Promise<Response> => {
    const { id, method } = await request.json() as { id?: unknown; method: string };
    if (id === undefined) return new Response(null, { status: 202 });
    const kind = kinds[method];
    const result = kind === undefined
      ? JSON.stringify(discovered)
      : view.list(kind, { cursor: undefined, era: "modern" });
    const body = `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${result}}`;
    return new Response(body, { headers: { "content-type": "application/json" } });
  };
  const client = new ClientV2({ name: "test", version: "1" }, {
    versionNegotiation: { mode: { pin: "2026-07-28" } },
  });
  await client.connect(
    new StreamableHTTPClientTransportV2(new URL("http://gateway.test/mcp"), {
      fetch: (input, init) => answer(new Request(input, init)),
    }),
  );
  return client;
}

describe("an output schema whose root is no object", () => {
  const outputSchema = { type: "array", items: { $ref: "#/$defs/row" }, $defs: { row: {} } };

  it("stays as it is for modern clients and is wrapped for legacy ones", () => {
    const view = viewOf(foundOf({ tool: [tool("t", { outputSchema })] }, MODERN));
    assert.deepEqual(toolIn(view, "modern")["outputSchema"], outputSchema);
    assert.deepEqual(toolIn(view, "legacy")["outputSchema"], {
      type: "object",
      properties: {
        result: {
          type: "array",
          items: { $ref: "#/properties/result/$defs/row" },
          $defs: { row: {} },
        },
      },
      required: ["result"],
    });
    assert.equal(ListToolsResultSchema.safeParse(JSON.parse(view.list("tool"))).success, true);
  });

  it("of no type is wrapped when the backend is modern, and an object's when it is not", () => {
    const definition = tool("t", { outputSchema: { anyOf: [{ required: ["a"] }] } });
    const modern = viewOf(foundOf({ tool: [definition] }, MODERN));
    assert.deepEqual(toolIn(modern, "modern")["outputSchema"], definition["outputSchema"]);
    assert.deepEqual(Object.keys(toolIn(modern, "legacy")["outputSchema"] as object), [
      "type",
      "properties",
      "required",
    ]);
    const legacy = viewOf(foundOf({ tool: [definition] }));
    const asObject = { anyOf: [{ required: ["a"] }], type: "object" };
    assert.deepEqual(toolIn(legacy, "legacy")["outputSchema"], asObject);
    assert.deepEqual(toolIn(legacy, "modern")["outputSchema"], asObject);
  });

  it("costs a legacy backend the tool, as the era has none", () => {
    const { tools, refused } = foundOf({ tool: [tool("t", { outputSchema })] });
    assert.deepEqual([tools.length, refused.length], [0, 1]);
  });

  it("with a dialect that is no text costs the tool", () => {
    const bad = tool("t", { outputSchema: { type: "array", $schema: 7 } });
    assert.match(foundOf({ tool: [bad] }, MODERN).refused[0]?.reason ?? "", /\$schema/);
  });

  it("changes the fingerprint with the schema, for both eras at once", () => {
    const fingerprintOf = (schema: JsonObject) =>
      viewOf(foundOf({ tool: [tool("t", { outputSchema: schema })] }, MODERN)).fingerprints.tools;
    assert.notEqual(fingerprintOf({ type: "array" }), fingerprintOf({ type: "string" }));
    assert.equal(fingerprintOf({ type: "array" }), fingerprintOf({ type: "array" }));
  });

  it("leaves the definition as received, which is what is pinned", () => {
    const definition = tool("t", { outputSchema });
    const view = viewOf(foundOf({ tool: [definition] }, MODERN));
    assert.equal(definitionOf(view.tool("a__t") as Target), definition);
  });
});

describe("the task support of a tool", () => {
  const shown = (execution: JsonObject) => {
    const view = viewOf(foundOf({ tool: [tool("t", { execution })] }));
    return (["legacy", "modern"] as const).map((era) => toolIn(view, era)["execution"]);
  };

  it("is nothing that modern clients know", () => {
    assert.deepEqual(shown({ taskSupport: "forbidden" }), [
      { taskSupport: "forbidden" },
      undefined,
    ]);
    assert.deepEqual(shown({ taskSupport: "optional" }), [undefined, undefined]);
    assert.deepEqual(shown({ taskSupport: "forbidden", other: 1 }), [
      { taskSupport: "forbidden", other: 1 },
      { other: 1 },
    ]);
    assert.deepEqual(shown({ other: 1 }), [{ other: 1 }, { other: 1 }]);
  });
});

describe("annotations of headers that break the rules", () => {
  const header = (name: unknown, type = "string") => ({ type, "x-mcp-header": name });
  const annotated = tool("t", {
    inputSchema: {
      type: "object",
      properties: {
        good: header("Region"),
        bad: header("Authorization"),
        one: header("Twice"),
        two: header("TWICE"),
        inner: { anyOf: [{ ...header("Nested"), title: "kept" }] },
        value: { const: { "x-mcp-header": "Host" } },
      },
    },
  });
  const mended = {
    type: "object",
    properties: {
      good: header("Region"),
      bad: { type: "string" },
      one: { type: "string" },
      two: { type: "string" },
      inner: { anyOf: [{ type: "string", title: "kept" }] },
      value: { const: { "x-mcp-header": "Host" } },
    },
  };

  for (
    const speech of [
      { era: "legacy", mirrors: false },
      { era: "modern", mirrors: false },
    ] as const
  ) {
    it(`go, and the tool stays, where a ${speech.era} backend gets no headers`, () => {
      const view = viewOf(foundOf({ tool: [annotated] }, speech));
      assert.deepEqual(toolIn(view, "legacy")["inputSchema"], mended);
      assert.deepEqual(toolIn(view, "modern")["inputSchema"], mended);
      assert.deepEqual(definitionOf(view.tool("a__t") as Target)["inputSchema"], mended);
    });
  }

  it("cost the tool where a backend gets them", () => {
    const { tools, refused } = foundOf({ tool: [annotated] }, MODERN);
    assert.deepEqual([tools.length, refused.length], [0, 1]);
  });

  it("are no reason to touch a tool that has none", () => {
    const fine = tool("t", { inputSchema: { type: "object", properties: { a: header("A") } } });
    assert.equal(foundOf({ tool: [fine] }).tools[0], fine);
  });
});
