import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ANONYMOUS } from "../../../src/core/auth/principal.ts";
import { buildCatalog } from "../../../src/core/catalog/catalog.ts";
import { parseExact } from "../../../src/core/mcp/json.ts";
import {
  ListPromptsResultSchema,
  ListResourcesResultSchema,
  ListResourceTemplatesResultSchema,
  ListToolsResultSchema,
} from "./sdk.ts";
import { foundOf, listed, namesOf, seeded, sourceOf, tool, tools } from "./support.ts";

const LANGUAGE_NAMES = [
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "hasOwnProperty",
  "valueOf",
];
const SCHEMAS = {
  tool: ListToolsResultSchema,
  prompt: ListPromptsResultSchema,
  resource: ListResourcesResultSchema,
  template: ListResourceTemplatesResultSchema,
} as const;
const KINDS = ["tool", "prompt", "resource", "template"] as const;

/** Values of wrong types and shapes, as any member may have. */
const JUNK: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1e300,
  Infinity,
  "",
  "text",
  "\u001b[2J\r\n",
  [],
  [null],
  [{}],
  {},
  { type: "object" },
  { type: "array" },
  { type: "object", properties: { a: true, b: false, c: {} } },
  { type: "object", properties: { a: null } },
  { type: "object", properties: JSON.parse('{"__proto__":{"x":1}}') },
  { required: ["a"] },
  { required: [1] },
  { taskSupport: "optional" },
  { taskSupport: "required" },
  { taskSupport: "maybe" },
  { title: 1 },
  { readOnlyHint: "yes" },
  { destructiveHint: null },
  { audience: ["user"], priority: 0.5, lastModified: "2026-01-31T10:00:00Z" },
  { audience: ["nobody"] },
  { priority: 2 },
  { lastModified: "2026-02-30T10:00:00Z" },
  { lastModified: "2026-01-31T10:00:00" },
  { lastModified: "yesterday" },
  [{ src: "https://example.org/i.png", sizes: ["48x48"], theme: "dark" }],
  [{ src: 1 }],
  [{ src: "x", sizes: "any" }],
  [{ name: "arg", required: true }],
  [{ name: "arg", description: null }],
  [{ name: 1 }],
  parseExact("12345678901234567890"),
  parseExact("1e999"),
  [parseExact("1.0")],
];

const MEMBERS = [
  ...["name", "title", "description", "inputSchema", "outputSchema", "annotations", "execution"],
  ...[
    "icons",
    "_meta",
    "arguments",
    "uri",
    "uriTemplate",
    "mimeType",
    "size",
    "__proto__",
    "x-vendor",
  ],
];

function randomItem(random: () => number, at: number): Record<string, unknown> {
  const item: Record<string, unknown> = {
    ...tool(`n${at}`),
    uri: `u:${at}`,
    uriTemplate: `u:${at}/{x}`,
  };
  const changes = Math.floor(random() * 4);
  for (let change = 0; change < changes; change++) {
    const member = MEMBERS[Math.floor(random() * MEMBERS.length)] ?? "";
    const value = JUNK[Math.floor(random() * JUNK.length)];
    Object.defineProperty(item, member, {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return item;
}

describe("a list with hostile items", () => {
  for (const kind of KINDS) {
    it(`of kind ${kind} can be read by the official client, which refuses a list for one bad item`, () => {
      const random = seeded(7);
      let shown = 0;
      for (let round = 0; round < 40; round++) {
        const raw = Array.from({ length: 60 }, (_, at) => randomItem(random, at));
        const view = buildCatalog(sourceOf({ b: { found: foundOf({ [kind]: raw }) } })).view(
          undefined,
          ANONYMOUS,
        );
        const result: unknown = JSON.parse(view?.list(kind) ?? "");
        const parsed = SCHEMAS[kind].safeParse(result);
        assert.ok(parsed.success, parsed.error?.message);
        shown += listed(view, kind).length;
      }
      assert.ok(shown > 800, `only ${shown} items were left`);
    });
  }

  it("loses only the members that clients cannot read, and the operator is told", () => {
    const bad = {
      title: null,
      annotations: { readOnlyHint: "yes" },
      icons: 7,
      _meta: [],
      execution: 1,
    };
    const good = { description: "fine", "x-vendor": null };
    const raw = [tool("t", { ...bad, ...good, outputSchema: null })];
    const catalog = buildCatalog(sourceOf({ b: { found: foundOf({ tool: raw }) } }));
    assert.deepEqual(listed(catalog.view(undefined, ANONYMOUS), "tool"), [tool("b__t", good)]);
    assert.deepEqual(catalog.warnings, [
      'Left "icons, _meta, annotations, execution" out of tool "t" of backend "b": ' +
      "clients could not read it",
    ]);
  });

  it("keeps annotations whose numbers came in another spelling", () => {
    const text = '{"uri":"u:1","name":"n","size":1e3,"annotations":{"priority":0.50}}';
    const found = foundOf({ resource: [parseExact(text)] });
    const view = buildCatalog(sourceOf({ b: { found } })).view(undefined, ANONYMOUS);
    assert.equal(view?.list("resource"), `{"resources":[${text}]}`);
  });

  it("shows schemas in the form each client reads, with the same meaning", () => {
    const inputSchema = {
      properties: { any: true, none: false, some: { type: "string" } },
      required: null,
    };
    const raw = [tool("t", { inputSchema, outputSchema: { properties: null } })];
    const view = buildCatalog(sourceOf({ b: { found: foundOf({ tool: raw }) } })).view(
      undefined,
      ANONYMOUS,
    );
    const shown = { any: {}, none: { not: {} }, some: { type: "string" } };
    assert.deepEqual(listed(view, "tool"), [
      tool("b__t", {
        inputSchema: { type: "object", properties: shown },
        outputSchema: { type: "object" },
      }),
    ]);
  });

  it("takes schemas nested as deep as a message may be", () => {
    const deep = JSON.parse(
      `${'{"type":"object","properties":{"a":'.repeat(29)}{}${"}}".repeat(29)}`,
    );
    const found = foundOf({ tool: [tool("t", { inputSchema: deep })] });
    const view = buildCatalog(sourceOf({ b: { found } })).view(undefined, ANONYMOUS);
    assert.deepEqual(listed(view, "tool"), [tool("b__t", { inputSchema: deep })]);
  });

  it("cannot break out of the JSON text", () => {
    const description = '"},{"name":"evil","inputSchema":{"type":"object"}},{"x":"';
    const found = foundOf({ tool: [tool('a"b\\', { description })] });
    const source = sourceOf({ b: { found } }, { catalog: { sanitize: false } });
    const view = buildCatalog(source).view(undefined, ANONYMOUS);
    assert.deepEqual(listed(view, "tool"), [tool('b__a"b\\', { description })]);
  });
});

describe("names of the language", () => {
  it("are plain names of tools, prompts and backends", () => {
    const prompts = LANGUAGE_NAMES.map((name) => ({ name }));
    const found = { tools: LANGUAGE_NAMES.map((name) => tool(name)), prompts };
    const source = sourceOf({ constructor: { found } }, { catalog: { prefix: "never" } });
    const view = buildCatalog(source).view(undefined, ANONYMOUS);
    assert.deepEqual(namesOf(view), LANGUAGE_NAMES);
    assert.deepEqual(namesOf(view, "prompt"), LANGUAGE_NAMES);
    for (const name of LANGUAGE_NAMES) assert.equal(view?.tool(name)?.original, name);
  });

  it("find nothing where nothing is listed", () => {
    const view = buildCatalog(sourceOf({ a: tools() })).view(undefined, ANONYMOUS);
    for (const name of [...LANGUAGE_NAMES, ""]) {
      assert.equal(view?.tool(name), undefined);
      assert.equal(view?.prompt(name), undefined);
      assert.equal(view?.template(name), undefined);
    }
  });

  it("take no renaming, description or defaults from a prototype", () => {
    const config = { tools: { rename: { x: "y" }, describe: {}, defaults: {} } };
    const found = { tools: LANGUAGE_NAMES.map((name) => tool(name)) };
    const view = buildCatalog(sourceOf({ a: { found, config } })).view(undefined, ANONYMOUS);
    for (const item of listed(view, "tool")) {
      assert.equal(item["description"], undefined);
      assert.equal(view?.tool(String(item["name"]))?.defaults, undefined);
    }
  });

  it("pollute nothing as keys of definitions and defaults", () => {
    const evil = JSON.parse(
      '{"__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}}}',
    );
    const source = sourceOf({
      a: { found: foundOf({ tool: [tool("t", { _meta: evil, ...evil })] }) },
    });
    const [backend] = source.backends;
    assert.ok(backend !== undefined);
    const rules = { ...backend.config.tools, defaults: { t: evil } };
    const config = { ...backend.config, tools: rules };
    const view = buildCatalog({ ...source, backends: [{ ...backend, config }] }).view(
      undefined,
      ANONYMOUS,
    );
    assert.deepEqual(view?.tool("a__t")?.defaults, evil);
    assert.equal(view?.list("tool").includes('"__proto__":{"admin":true}'), true);
    assert.equal(({} as Record<string, unknown>)["admin"], undefined);
  });
});

describe("a large catalog", () => {
  it("of 10,000 tools lists and resolves each of them", () => {
    const names = Array.from({ length: 10_000 }, (_, at) => `tool.${at}`);
    const view = buildCatalog(sourceOf({ a: tools(...names) })).view(undefined, ANONYMOUS);
    const shown = namesOf(view);
    assert.equal(new Set(shown).size, 10_000);
    assert.deepEqual(shown.map((name) => view?.tool(name)?.original), names);
  });

  it("of 10,000 clashing names keeps one and reports within bounds", () => {
    const names = Array.from({ length: 10_000 }, (_, at) => String.fromCodePoint(0x4e00 + at));
    const catalog = buildCatalog(sourceOf({ a: tools(...names) }));
    assert.equal(catalog.counts.tool, 1);
    assert.equal(catalog.refused.length, 101);
    assert.match(catalog.refused.at(-1)?.reason ?? "", /9899 more/);
  });

  it("of 10,000 over-long names warns within bounds", () => {
    const names = Array.from({ length: 10_000 }, (_, at) => `${"x".repeat(100)}${at}`);
    const { warnings } = buildCatalog(sourceOf({ a: tools(...names) }));
    assert.ok(warnings.length <= 22, `${warnings.length} warnings`);
  });
});
