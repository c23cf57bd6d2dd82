import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as v from "valibot";
import { ConfigSchema } from "../../../src/contract/mod.ts";
import { buildCatalog } from "../../../src/core/catalog/catalog.ts";
import { CatalogChanges } from "../../../src/core/runtime/catalog_changes.ts";
import { Registry } from "../../../src/telemetry/registry.ts";

type Tools = Readonly<Record<string, string>>;

/** A catalog of backends that offer these tools, by name and description. */
function catalogOf(offers: Readonly<Record<string, Tools>>) {
  const names = Object.keys(offers);
  const config = v.parse(ConfigSchema, {
    backends: Object.fromEntries(names.map((name) => [name, { url: "http://127.0.0.1:9/mcp" }])),
  });
  const backends = names.map((name) => ({
    name,
    config: config.backends[name] as (typeof config.backends)[string],
    found: {
      capabilities: { tools: {} },
      instructions: undefined,
      tools: Object.entries(offers[name] ?? {}).map(([tool, description]) => ({
        name: tool,
        description,
        inputSchema: { type: "object" },
      })),
      prompts: [],
      resources: [],
      templates: [],
      refused: [],
    },
  }));
  const { catalog, toolsets, roles } = config;
  const server = { serverName: "test", version: "1", instructions: undefined };
  return buildCatalog({ catalog, ...server, toolsets, roles, backends });
}

function setUp() {
  const telemetry = new Registry();
  const changes = new CatalogChanges(telemetry);
  const counts = () =>
    Object.fromEntries(
      telemetry.read("sentinel_catalog_changes_total")
        .map(({ labels, value }) => [Object.values(labels).join(" "), value]),
    );
  return {
    look: (offers: Readonly<Record<string, Tools>>) => changes.look(catalogOf(offers)),
    counts,
  };
}

describe("CatalogChanges", () => {
  it("counts what appears, goes and changes, of backends that were seen before", () => {
    const { look, counts } = setUp();
    look({ one: { a: "a", b: "b" } });
    assert.deepEqual(counts(), {});
    look({ one: { a: "other", c: "c", d: "d" }, two: { x: "x" } });
    assert.deepEqual(counts(), { "one added": 2, "one removed": 1, "one definition": 1 });
    look({ one: { a: "other", c: "c", d: "d" }, two: {} });
    assert.deepEqual(counts(), {
      "one added": 2,
      "one removed": 1,
      "one definition": 1,
      "two added": 0,
      "two removed": 1,
      "two definition": 0,
    });
  });

  it("counts tools that come back, and not those of a backend that is not configured any more", () => {
    const { look, counts } = setUp();
    look({ one: { a: "a" } });
    look({ one: {} });
    look({ one: { a: "a" } });
    assert.deepEqual([counts()["one added"], counts()["one removed"]], [1, 1]);
    look({});
    assert.equal(counts()["one removed"], 1);
  });
});
