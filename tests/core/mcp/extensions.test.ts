import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { bridgedExtensions, mergedExtensions } from "../../../src/core/mcp/extensions.ts";
import type { JsonObject } from "../../../src/core/mcp/json.ts";

const UI = "io.modelcontextprotocol/ui";
const declaring = (settings: unknown, more: JsonObject = {}): JsonObject => ({
  extensions: { [UI]: settings, ...more },
});

describe("the extensions of a client that a backend is told of", () => {
  it("are those of the table, with their settings", () => {
    const settings = { mimeTypes: ["text/html;profile=mcp-app"] };
    const others = { "io.modelcontextprotocol/tasks": {}, "vendor/x": {}, constructor: {} };
    assert.deepEqual(
      bridgedExtensions({ era: "modern", capabilities: declaring(settings, others) }, "legacy"),
      declaring(settings),
    );
  });

  it("are none where nothing usable is declared", () => {
    for (const extensions of [undefined, null, [], "x", {}, { [UI]: null }, { [UI]: true }]) {
      assert.deepEqual(
        bridgedExtensions({ era: "modern", capabilities: { extensions } }, "modern"),
        {},
      );
    }
  });

  it("have no settings that are too long", () => {
    const long = { mimeTypes: ["x".repeat(3000)] };
    assert.deepEqual(
      bridgedExtensions({ era: "modern", capabilities: declaring(long) }, "modern"),
      declaring({}),
    );
  });
});

describe("the extensions that clients are told of", () => {
  const of = (...declared: JsonObject[]) =>
    mergedExtensions(declared.map((capabilities) => ({ era: "legacy", capabilities })), "modern");

  it("are those of the table that one backend declares, settings merged", () => {
    assert.equal(of({}, { extensions: { "vendor/x": {} } }), undefined);
    assert.deepEqual(
      of(
        declaring({ mimeTypes: ["a", "b"], v: 1 }),
        {},
        declaring({ mimeTypes: ["b", "c"], v: 2, w: 3 }),
      ),
      { [UI]: { mimeTypes: ["a", "b", "c"], v: 1, w: 3 } },
    );
  });
});
