import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ANONYMOUS } from "../../../src/core/auth/principal.ts";
import { buildCatalog } from "../../../src/core/catalog/catalog.ts";
import type { CatalogSource } from "../../../src/core/catalog/types.ts";
import { parseExact } from "../../../src/core/mcp/json.ts";
import { proves } from "../../support/proves.ts";
import { listed, namesOf, resource, sourceOf, template, tool, tools } from "./support.ts";

describe("buildCatalog()", () => {
  proves("G2.3", "makes one list of the tools of all backends, in the order of both", () => {
    const catalog = buildCatalog(sourceOf({
      zeta: tools("b", "a"),
      away: {},
      alpha: { found: { tools: [tool("c", { description: "sea", "x-vendor": { deep: [1] } })] } },
    }));
    const view = catalog.view(undefined, ANONYMOUS);
    assert.deepEqual(listed(view, "tool"), [
      tool("zeta__b"),
      tool("zeta__a"),
      tool("alpha__c", { description: "sea", "x-vendor": { deep: [1] } }),
    ]);
    assert.deepEqual(view?.tool("alpha__c"), {
      kind: "tool",
      backend: "alpha",
      original: "c",
      exposed: "alpha__c",
      defaults: undefined,
    });
    assert.deepEqual(catalog.refused, []);
  });

  it("counts what is shown, in all and per backend", () => {
    const catalog = buildCatalog(sourceOf({
      a: { found: { tools: [tool("x"), tool("y")], resources: [resource("u:1")] } },
      constructor: { found: { prompts: [{ name: "p" }], templates: [template("u:{x}")] } },
      away: {},
    }));
    assert.deepEqual(catalog.counts, { tool: 2, prompt: 1, resource: 1, template: 1 });
    assert.deepEqual(catalog.perBackend, {
      a: { tool: 2, prompt: 0, resource: 1, template: 0 },
      constructor: { tool: 0, prompt: 1, resource: 0, template: 1 },
      away: { tool: 0, prompt: 0, resource: 0, template: 0 },
    });
  });

  it("keeps numbers a double cannot carry, and every member", () => {
    const text = '{"name":"n","inputSchema":{"type":"object","maximum":12345678901234567890,' +
      '"minimum":1.50},"_meta":{"__proto__":{"x":1},"constructor":"c"}}';
    const found = { tools: [parseExact(text) as Record<string, unknown>] };
    const view = buildCatalog(sourceOf({ a: { found } })).view(undefined, ANONYMOUS);
    const shown = text.replace('"n"', '"a__n"');
    assert.equal(view?.list("tool"), `{"tools":[${shown}]}`);
  });

  it("hides tools by the backend's own names, and deny wins", () => {
    const config = { tools: { allow: ["read_*", "list"], deny: ["read_secret*"] } };
    const names = ["read_a", "read_secret", "list", "lists", "write"];
    const catalog = buildCatalog(sourceOf({ a: { ...tools(...names), config } }));
    assert.deepEqual(namesOf(catalog.view(undefined, ANONYMOUS)), ["a__read_a", "a__list"]);
    assert.deepEqual(catalog.refused, []);
    assert.equal(catalog.view(undefined, ANONYMOUS)?.tool("a__write"), undefined);
  });

  it("hides every tool with deny = *, also those file globs would let through", () => {
    const config = { tools: { deny: ["*"] } };
    const catalog = buildCatalog(sourceOf({ a: { ...tools("a/b", ".x", "A.b-c_d"), config } }));
    assert.deepEqual(namesOf(catalog.view(undefined, ANONYMOUS)), []);
  });

  it("frees the name of a hidden tool", () => {
    const source = sourceOf({
      a: { ...tools("x"), config: { tools: { deny: ["x"] } } },
      b: tools("x"),
    }, {
      catalog: { prefix: "never" },
    });
    assert.equal(buildCatalog(source).view(undefined, ANONYMOUS)?.tool("x")?.backend, "b");
  });

  it("renames, describes and fills in as configured, by the name after renaming", () => {
    const config = {
      alias: "gh",
      tools: {
        deny: ["delete_*"],
        rename: { search_code: "code_search" },
        describe: { code_search: "Ours only." },
        defaults: { code_search: { org: "example" } },
      },
    };
    const names = ["search_code", "delete_repo", "read"];
    const view = buildCatalog(sourceOf({ github: { ...tools(...names), config } })).view(
      undefined,
      ANONYMOUS,
    );
    assert.deepEqual(listed(view, "tool"), [
      tool("gh__code_search", { description: "Ours only." }),
      tool("gh__read"),
    ]);
    assert.deepEqual(view?.tool("gh__code_search"), {
      kind: "tool",
      backend: "github",
      original: "search_code",
      exposed: "gh__code_search",
      defaults: { org: "example" },
    });
  });

  it("shows the same items anew when only the configuration has changed", () => {
    const backend = tools("x");
    const textFor = (config: Record<string, unknown>) =>
      listed(
        buildCatalog(sourceOf({ a: { ...backend, config } })).view(undefined, ANONYMOUS),
        "tool",
      );
    assert.deepEqual(textFor({}), [tool("a__x")]);
    assert.deepEqual(textFor({ alias: "b" }), [tool("b__x")]);
    const described = tool("b__x", { description: "Ours." });
    assert.deepEqual(textFor({ alias: "b", tools: { describe: { x: "Ours." } } }), [described]);
    assert.deepEqual(textFor({}), [tool("a__x")]);
  });

  it("strips what would start tasks, and refuses tools that need them", () => {
    const tasks = (taskSupport: string) => ({ execution: { taskSupport } });
    const found = {
      tools: [
        tool("optional", tasks("optional")),
        tool("more", { execution: { taskSupport: "optional", other: 1 } }),
        tool("forbidden", tasks("forbidden")),
        tool("required", tasks("required")),
      ],
    };
    const catalog = buildCatalog(sourceOf({ a: { found } }));
    assert.deepEqual(listed(catalog.view(undefined, ANONYMOUS), "tool"), [
      tool("a__optional"),
      tool("a__more", { execution: { other: 1 } }),
      tool("a__forbidden", tasks("forbidden")),
    ]);
    assert.deepEqual(catalog.refused.map(({ name }) => name), ["required"]);
  });

  it("leaves URIs untouched; of two backends with one URI the first has it", () => {
    const found = { resources: [resource("u:1")], templates: [template("u:{x}")] };
    const catalog = buildCatalog(sourceOf({ a: { found }, b: { found } }));
    const view = catalog.view(undefined, ANONYMOUS);
    assert.deepEqual(listed(view, "resource"), [resource("u:1")]);
    assert.equal(view?.resource("u:1")?.backend, "a");
    assert.equal(view?.template("u:{x}")?.backend, "a");
    assert.deepEqual(
      catalog.refused.map(({ backend, kind, name }) => [backend, kind, name]),
      [["b", "resource", "u:1"], ["b", "template", "u:{x}"]],
    );
    assert.match(catalog.refused[0]?.reason ?? "", /backend "b".*backend "a"/);
  });

  it("passes on what could not be read", () => {
    const refused = [{ backend: "a", kind: "tool", name: "bad", reason: "it is bad" }] as const;
    assert.deepEqual(buildCatalog(sourceOf({ a: { found: { refused } } })).refused, refused);
  });
});

describe("the revision of a catalog", () => {
  const plain = () => sourceOf({ a: tools("x"), b: {} });
  const revisionAfter = (source: CatalogSource) =>
    buildCatalog(source, buildCatalog(plain())).revision;

  it("begins at one and stays while nothing visible changes", () => {
    assert.equal(buildCatalog(plain()).revision, 1);
    assert.equal(revisionAfter(plain()), 1);
    assert.equal(
      revisionAfter(sourceOf({ a: { ...tools("x"), config: { timeout: "1s" } }, b: {} })),
      1,
    );
  });

  const changes: Readonly<Record<string, CatalogSource>> = {
    "a tool comes": sourceOf({ a: tools("x", "y"), b: {} }),
    "a tool goes": sourceOf({ a: tools(), b: {} }),
    "a definition changes": sourceOf({
      a: { found: { tools: [tool("x", { title: "X" })] } },
      b: {},
    }),
    "a prompt comes": sourceOf({
      a: { found: { tools: [tool("x")], prompts: [{ name: "p" }] } },
      b: {},
    }),
    "a backend answers": sourceOf({ a: tools("x"), b: tools() }),
    "a backend is added": sourceOf({ a: tools("x"), b: {}, c: {} }),
    "a name leads elsewhere": sourceOf({
      a: { ...tools("z"), config: { tools: { rename: { z: "x" } } } },
      b: {},
    }),
    "defaults change": sourceOf({
      a: { ...tools("x"), config: { tools: { defaults: { x: { y: 1 } } } } },
      b: {},
    }),
    "capabilities change": sourceOf({
      a: { found: { tools: [tool("x")], capabilities: { tools: {}, logging: {} } } },
      b: {},
    }),
    "instructions change": sourceOf({
      a: { found: { tools: [tool("x")], instructions: "Be kind." } },
      b: {},
    }),
    "the server's instructions change": sourceOf({ a: tools("x"), b: {} }, {
      instructions: "Ours.",
    }),
    "a toolset comes": sourceOf({ a: tools("x"), b: {} }, { toolsets: { few: {} } }),
    "an item is refused": sourceOf({ a: tools("x", "x"), b: {} }),
  };
  for (const [change, source] of Object.entries(changes)) {
    it(`grows by one when ${change}`, () => assert.equal(revisionAfter(source), 2));
  }
});
