import assert from "node:assert/strict";
import type { IncomingMessage, ServerResponse } from "node:http";
import { describe, it } from "node:test";
import { ANONYMOUS } from "../../../src/core/auth/principal.ts";
import { buildCatalog } from "../../../src/core/catalog/catalog.ts";
import type { JsonObject } from "../../../src/core/mcp/json.ts";
import { startCore } from "../../support/core.ts";
import { bodyOf, type HttpFixture, serveHttp } from "../../support/http_fixture.ts";
import { HttpSession, type Rpc } from "../../support/http_session.ts";
import { resource, sourceOf, template, tool } from "./support.ts";

const UI = "io.modelcontextprotocol/ui";
const SETTINGS = { mimeTypes: ["text/html;profile=mcp-app"] };
const showing = (resourceUri: string): JsonObject => ({ _meta: { ui: { resourceUri } } });

/** A server with one tool that shows its results in a resource of its own. */
async function appServer(name: string, isListed: boolean): Promise<HttpFixture & { uri: string }> {
  const uri = `ui://${name}/main.html`;
  const results: Readonly<Record<string, unknown>> = {
    "initialize": {
      protocolVersion: "2025-11-25",
      capabilities: { tools: {}, resources: {}, extensions: { [UI]: SETTINGS } },
      serverInfo: { name, version: "1" },
    },
    "tools/list": { tools: [tool("draw", showing(uri))] },
    "resources/list": { resources: isListed ? [resource(uri)] : [] },
    "resources/templates/list": { resourceTemplates: [] },
    "tools/call": { content: [{ type: "text", text: name }], ...showing(uri) },
  };
  const read = (asked: unknown) => ({
    contents: [{ uri: asked, mimeType: SETTINGS.mimeTypes[0], text: `<p>${name}</p>` }],
  });
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (request.method !== "POST") return void response.writeHead(405).end();
    const { id, method = "", params } = JSON.parse(await bodyOf(request)) as Rpc;
    if (id === undefined) return void response.writeHead(202).end();
    const result = method === "resources/read" ? read(params?.uri) : results[method];
    const body = result === undefined
      ? { jsonrpc: "2.0", id, error: { code: -32601, message: "Method not found" } }
      : { jsonrpc: "2.0", id, result };
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
  };
  return { ...await serveHttp(answer, "/mcp"), uri };
}

describe("resources that tools show their results in", () => {
  it("are the same in the list, the call and the read, for each of two backends", async () => {
    await using a = await appServer("a", true);
    await using b = await appServer("b", false);
    const backend = ({ url }: HttpFixture) => ({ url: url.href, era: "legacy" as const });
    const gateway = await startCore({ backends: { a: backend(a), b: backend(b) } });
    try {
      const session = await HttpSession.open(gateway.core.fetch);
      const { capabilities } = session.initialized["result"];
      assert.deepEqual(capabilities.extensions, { [UI]: SETTINGS });
      const { result } = await session.request("tools/list");
      for (const [name, { uri }] of Object.entries({ a, b })) {
        const listed = (result.tools as JsonObject[]).find((one) =>
          one["name"] === `${name}__draw`
        );
        assert.deepEqual(listed?.["_meta"], showing(uri)["_meta"]);
        const called = await session.call(`${name}__draw`);
        assert.deepEqual(called["result"]._meta, showing(uri)["_meta"]);
        const readBack = await session.request("resources/read", { uri });
        assert.deepEqual(readBack["result"].contents, [
          { uri, mimeType: SETTINGS.mimeTypes[0], text: `<p>${name}</p>` },
        ]);
      }
    } finally {
      await gateway.stop();
    }
  });

  const shown = (uri: string) => [tool("draw", showing(uri))];
  const backendOf = (uri: string, backends: Parameters<typeof sourceOf>[0], roles?: JsonObject) => {
    const principal = roles === undefined
      ? ANONYMOUS
      : { ...ANONYMOUS, roles: ["reader"], roleKey: "reader" };
    const source = sourceOf(backends, roles === undefined ? {} : { roles: { reader: roles } });
    return buildCatalog(source).view(undefined, principal)?.resource(uri)?.backend;
  };

  it("are the backend's whose tool comes first, before a template of another", () => {
    const uri = "ui://x/main";
    const wide = { found: { templates: [template("{+anything}")] } };
    const mine = { found: { tools: shown(uri) } };
    assert.equal(backendOf(uri, { wide, mine, other: mine }), "mine");
    assert.equal(backendOf("ui://x/other", { wide, mine }), "wide");
  });

  it("are another's where it lists them", () => {
    const uri = "ui://x/main";
    const lists = { found: { resources: [resource(uri)] } };
    assert.equal(backendOf(uri, { mine: { found: { tools: shown(uri) } }, lists }), "lists");
  });

  it("also have the name that older servers write", () => {
    const old = { found: { tools: [tool("draw", { _meta: { "ui/resourceUri": "ui://o" } })] } };
    assert.equal(backendOf("ui://o", { old, other: old }), "old");
  });

  it("are no way to what is not shown, nor to what is no interface", () => {
    const uri = "ui://x/main";
    const mine = { found: { tools: shown(uri) } };
    const other = { found: { tools: [tool("t")] } };
    assert.equal(backendOf(uri, { mine, other }, { tools: ["*"] }), undefined);
    assert.equal(backendOf(uri, { mine, other }, { tools: ["*"], resources: ["ui://*"] }), "mine");
    assert.equal(
      backendOf(uri, { mine, other }, { tools: ["x"], resources: ["ui://*"] }),
      undefined,
    );
    const file = { found: { tools: shown("file:///etc/passwd") } };
    assert.equal(backendOf("file:///etc/passwd", { file, other }), undefined);
    for (const broken of [null, 7, [], { ui: null }, { ui: { resourceUri: 7 } }]) {
      const bad = { found: { tools: [tool("t", { _meta: broken })] } };
      assert.equal(backendOf(uri, { bad, other }), undefined);
    }
  });
});
