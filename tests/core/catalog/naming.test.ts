import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ANONYMOUS } from "../../../src/core/auth/principal.ts";
import { buildCatalog } from "../../../src/core/catalog/catalog.ts";
import { namesOf, sourceOf, tool, tools } from "./support.ts";

function refusedOf(catalog: ReturnType<typeof buildCatalog>): string[][] {
  return catalog.refused.map(({ backend, name, reason }) => [backend, name, reason]);
}

describe("names of the catalog", () => {
  it("have the alias, or the name of the backend, before them", () => {
    const catalog = buildCatalog(sourceOf({
      github: { ...tools("search"), config: { alias: "gh" } },
      sqlite: tools("query"),
    }));
    assert.deepEqual(namesOf(catalog.view(undefined, ANONYMOUS)), ["gh__search", "sqlite__query"]);
  });

  it("use the separator of the configuration", () => {
    const source = sourceOf({ a: tools("b") }, { catalog: { separator: "-" } });
    assert.deepEqual(namesOf(buildCatalog(source).view(undefined, ANONYMOUS)), ["a-b"]);
  });

  it("stay the backend's own with prefix = never", () => {
    const source = sourceOf({ a: tools("x"), b: tools("y") }, { catalog: { prefix: "never" } });
    assert.deepEqual(namesOf(buildCatalog(source).view(undefined, ANONYMOUS)), ["x", "y"]);
  });

  it("are routed by table: a separator within a name changes nothing", () => {
    const source = sourceOf({ a: tools("b__c", "__"), a__b: tools("d") });
    const view = buildCatalog(source).view(undefined, ANONYMOUS);
    assert.deepEqual(namesOf(view), ["a__b__c", "a____", "a__b__d"]);
    assert.equal(view?.tool("a__b__c")?.backend, "a");
    assert.equal(view?.tool("a__b__c")?.original, "b__c");
    assert.equal(view?.tool("a__b__d")?.backend, "a__b");
  });

  it("are sanitized, and lead to the original", () => {
    const view = buildCatalog(sourceOf({ a: tools("x.y/z ü😀") })).view(undefined, ANONYMOUS);
    assert.deepEqual(namesOf(view), ["a__x_y_z___"]);
    assert.equal(view?.tool("a__x_y_z___")?.original, "x.y/z ü😀");
    assert.equal(view?.tool("a__x.y/z ü😀"), undefined);
  });

  it("keep all characters with sanitize = false", () => {
    const source = sourceOf({ a: tools("x.y/z ü") }, { catalog: { sanitize: false } });
    assert.deepEqual(namesOf(buildCatalog(source).view(undefined, ANONYMOUS)), ["a__x.y/z ü"]);
  });

  it("are cut to the limit with a hash, told, and the same in each build", () => {
    const long = "x".repeat(100);
    const build = () =>
      buildCatalog(sourceOf({ a: tools(long, `${long}y`, `${long}.`, `${long}_`) }));
    const catalog = build();
    const names = namesOf(catalog.view(undefined, ANONYMOUS));
    assert.equal(new Set(names).size, 4);
    for (const name of names) assert.match(name, /^a__x{52}_[0-9a-f]{8}$/);
    assert.deepEqual(namesOf(build().view(undefined, ANONYMOUS)), names);
    assert.equal(catalog.view(undefined, ANONYMOUS)?.tool(names[0] ?? "")?.original, long);
    assert.equal(catalog.warnings.filter((text) => text.startsWith("Renamed tool")).length, 4);
  });

  it("of exactly the limit are not cut", () => {
    const catalog = buildCatalog(sourceOf({ a: tools("x".repeat(61)) }));
    assert.deepEqual(namesOf(catalog.view(undefined, ANONYMOUS)), [`a__${"x".repeat(61)}`]);
  });

  it("are never cut in the middle of a character", () => {
    const source = sourceOf({ a: tools(`${"x".repeat(51)}${"😀".repeat(10)}`) }, {
      catalog: { sanitize: false },
    });
    const [name = ""] = namesOf(buildCatalog(source).view(undefined, ANONYMOUS));
    assert.match(name, /^a__x{51}_[0-9a-f]{8}$/);
  });

  it("that clash are refused for the later one, and the reason names both", () => {
    const source = sourceOf({
      a: tools("x.y", "x/y"),
      b: { ...tools("x_y"), config: { alias: "a" } },
    });
    const catalog = buildCatalog(source);
    assert.deepEqual(namesOf(catalog.view(undefined, ANONYMOUS)), ["a__x_y"]);
    assert.equal(catalog.view(undefined, ANONYMOUS)?.tool("a__x_y")?.original, "x.y");
    const clash = 'which comes first, would both show "a__x_y"';
    assert.deepEqual(refusedOf(catalog), [
      ["a", "x/y", `backend "a" and backend "a", ${clash}: "x/y" and "x.y"`],
      ["b", "x_y", `backend "b" and backend "a", ${clash}: "x_y" and "x.y"`],
    ]);
  });

  it("clash without prefixes in the order of the configuration", () => {
    const source = sourceOf({ z: tools("search"), a: tools("search", "other") }, {
      catalog: { prefix: "never" },
    });
    const catalog = buildCatalog(source);
    assert.deepEqual(namesOf(catalog.view(undefined, ANONYMOUS)), ["search", "other"]);
    assert.equal(catalog.view(undefined, ANONYMOUS)?.tool("search")?.backend, "z");
    assert.equal(catalog.refused.length, 1);
  });

  it("of prompts follow the same scheme, apart from tools", () => {
    const prompts = [{ name: "p.q" }, { name: "p/q" }, { name: "t" }];
    const catalog = buildCatalog(sourceOf({ a: { found: { prompts, tools: [tool("t")] } } }));
    const view = catalog.view(undefined, ANONYMOUS);
    assert.deepEqual(namesOf(view, "prompt"), ["a__p_q", "a__t"]);
    assert.equal(view?.prompt("a__t")?.kind, "prompt");
    assert.equal(view?.tool("a__t")?.kind, "tool");
    assert.deepEqual(catalog.refused.map(({ kind }) => kind), ["prompt"]);
  });

  it("that a configured rename or separator makes unusable are refused", () => {
    const renamed = sourceOf({
      a: { ...tools("x", "y"), config: { tools: { rename: { x: "x\ny" } } } },
    }, {
      catalog: { sanitize: false },
    });
    const catalog = buildCatalog(renamed);
    assert.deepEqual(namesOf(catalog.view(undefined, ANONYMOUS)), ["a__y"]);
    assert.match(catalog.refused[0]?.reason ?? "", /^it cannot be shown as "a__x\\u000ay": /);
  });

  it("that exceed the limit behind the client's prefix are told with a remedy", () => {
    const source = sourceOf({ playwright: tools("x".repeat(36), "y".repeat(34), "z") });
    const { warnings } = buildCatalog(source);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? "", /tool names of backend "playwright".* 2 exceed 64/);
    assert.match(warnings[0] ?? "", /"mcp__mcp-sentinel__"/);
    const [, room] = /alias to at most (\d+) characters/.exec(warnings[0] ?? "") ?? [];
    const short = sourceOf({
      playwright: {
        ...tools("x".repeat(36), "y".repeat(34), "z"),
        config: { alias: "p".repeat(Number(room)) },
      },
    });
    assert.deepEqual(buildCatalog(short).warnings, []);
  });

  it("are not measured against the client's prefix when there is none", () => {
    const source = sourceOf({ a: tools("x".repeat(61)) }, { catalog: { client_prefix: "" } });
    assert.deepEqual(buildCatalog(source).warnings, []);
  });
});
