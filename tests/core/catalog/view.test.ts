import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ANONYMOUS } from "../../../src/core/auth/principal.ts";
import { SentinelError } from "../../../src/contract/mod.ts";
import { buildCatalog } from "../../../src/core/catalog/catalog.ts";
import type { View } from "../../../src/core/catalog/types.ts";
import { listed, namesOf, pageOf, resource, sourceOf, template, tool, tools } from "./support.ts";

function many(count: number, from = 0): string[] {
  return Array.from({ length: count }, (_, at) => `t${from + at}`);
}

function refusal(run: () => unknown): SentinelError {
  try {
    run();
  } catch (error) {
    if (error instanceof SentinelError) return error;
    throw error;
  }
  throw new TypeError("nothing was thrown");
}

describe("the lists of a view", () => {
  it("come in pages of 1,000 that together are the list", () => {
    const view = buildCatalog(sourceOf({ a: tools(...many(2500)) })).view(undefined, ANONYMOUS);
    const first = pageOf(view, "tool");
    const second = pageOf(view, "tool", first.next);
    const third = pageOf(view, "tool", second.next);
    assert.deepEqual([first, second, third].map(({ items }) => items.length), [1000, 1000, 500]);
    assert.equal(third.next, undefined);
    assert.deepEqual(namesOf(view), many(2500).map((name) => `a__${name}`));
  });

  it("have no further page after exactly 1,000 items", () => {
    const view = buildCatalog(sourceOf({ a: tools(...many(1000)) })).view(undefined, ANONYMOUS);
    assert.equal(pageOf(view, "tool").next, undefined);
  });

  it("are empty lists when there is nothing", () => {
    const view = buildCatalog(sourceOf({})).view(undefined, ANONYMOUS);
    assert.equal(view?.list("tool"), '{"tools":[]}');
    assert.equal(view?.list("prompt"), '{"prompts":[]}');
    assert.equal(view?.list("resource"), '{"resources":[]}');
    assert.equal(view?.list("template"), '{"resourceTemplates":[]}');
  });

  it("begin a new page before it grows beyond 4 MB", () => {
    const big = many(200).map((name) => tool(name, { description: "x".repeat(60_000) }));
    const view = buildCatalog(sourceOf({ a: { found: { tools: big } } })).view(
      undefined,
      ANONYMOUS,
    );
    const { items, next } = pageOf(view, "tool");
    assert.equal(items.length, 66);
    assert.equal(typeof next, "string");
    assert.equal(listed(view, "tool").length, 200);
  });

  it("are serialised once: the same text for each caller", () => {
    const catalog = buildCatalog(sourceOf({ a: tools(...many(1500)) }));
    const view = catalog.view(undefined, ANONYMOUS);
    assert.equal(catalog.view(undefined, ANONYMOUS), view);
    assert.equal(view?.list("tool"), view?.list("tool"));
  });
});

describe("a cursor", () => {
  const prompts = many(1500).map((name) => ({ name }));
  const source = sourceOf({
    a: { found: { tools: many(1500).map((name) => tool(name)), prompts } },
  });
  const before = buildCatalog(source);
  const cursor = pageOf(before.view(undefined, ANONYMOUS), "tool").next ?? "";

  it("is opaque text that can stand in a URL", () => {
    assert.match(cursor, /^[A-Za-z0-9_-]+$/);
  });

  it("that is not ours is refused, the empty one included", () => {
    const view = before.view(undefined, ANONYMOUS);
    const middle = Math.floor(cursor.length / 2);
    const flipped = cursor.slice(0, middle) + (cursor[middle] === "A" ? "B" : "A") +
      cursor.slice(middle + 1);
    const foreign = [
      "",
      "0",
      "1000",
      "null",
      "%",
      "W10",
      "eyJhIjoxfQ",
      "😀",
      `${cursor}=`,
      ` ${cursor}`,
    ];
    const forged = btoa('["tool","a__t5",1]');
    for (const text of [...foreign, flipped, forged, "A".repeat(1_000_000)]) {
      const error = refusal(() => view?.list("tool", { cursor: text, era: "legacy" }));
      assert.equal(error.code, "INVALID_PARAMS", text.slice(0, 50));
      assert.ok(error.message.length < 200);
    }
  });

  it("of one list is refused by another", () => {
    const error = refusal(() =>
      before.view(undefined, ANONYMOUS)?.list("prompt", { cursor, era: "legacy" })
    );
    assert.equal(error.code, "INVALID_PARAMS");
  });

  it("continues after its item in a changed catalog", () => {
    const changed = sourceOf({ new: tools("first"), a: tools(...many(1200, 500)) });
    const { items } = pageOf(
      buildCatalog(changed, before).view(undefined, ANONYMOUS),
      "tool",
      cursor,
    );
    assert.deepEqual([items[0]?.["name"], items.length], ["a__t1000", 700]);
  });

  it("is refused when its item is gone", () => {
    const view = buildCatalog(sourceOf({ a: tools(...many(10)) }), before).view(
      undefined,
      ANONYMOUS,
    );
    assert.equal(
      refusal(() => view?.list("tool", { cursor, era: "legacy" })).code,
      "INVALID_PARAMS",
    );
  });

  it("of the last item leads to an empty page", () => {
    const view = buildCatalog(sourceOf({ a: tools(...many(1000)) }), before).view(
      undefined,
      ANONYMOUS,
    );
    assert.deepEqual(pageOf(view, "tool", cursor), { items: [], next: undefined });
  });

  it("carries any URI", () => {
    const resources = many(1001).map((name) => resource(`file:///ü😀/${name}`));
    const view = buildCatalog(sourceOf({ a: { found: { resources } } })).view(undefined, ANONYMOUS);
    assert.equal(listed(view, "resource").length, 1001);
  });
});

describe("the fingerprints of a view", () => {
  const found = {
    tools: [tool("t")],
    prompts: [{ name: "p" }],
    resources: [resource("u:1")],
    templates: [template("u:{x}")],
  };
  const of = (changed: Partial<typeof found>) =>
    buildCatalog(sourceOf({ a: { found: { ...found, ...changed } } })).view(undefined, ANONYMOUS)
      ?.fingerprints;

  it("change exactly for the list that changed; resources cover templates", () => {
    const base = of({});
    const changedIn = (other: View["fingerprints"] | undefined) =>
      (["tools", "prompts", "resources"] as const).filter((kind) => base?.[kind] !== other?.[kind]);
    assert.deepEqual(changedIn(of({})), []);
    assert.deepEqual(changedIn(of({ tools: [tool("t", { title: "T" })] })), ["tools"]);
    assert.deepEqual(changedIn(of({ tools: [] })), ["tools"]);
    assert.deepEqual(changedIn(of({ prompts: [{ name: "q" }] })), ["prompts"]);
    assert.deepEqual(changedIn(of({ resources: [] })), ["resources"]);
    assert.deepEqual(changedIn(of({ templates: [template("u:{y}")] })), ["resources"]);
  });

  it("change with the order", () => {
    const one = of({ tools: [tool("a"), tool("b")] });
    const other = of({ tools: [tool("b"), tool("a")] });
    assert.notEqual(one?.tools, other?.tools);
  });
});

describe("the resources of a view", () => {
  const one = (resources: string[], templates: string[]) => ({
    found: { resources: resources.map(resource), templates: templates.map(template) },
  });
  const view = buildCatalog(sourceOf({
    a: one(["db://users/1"], ["db://{table}/{id}", "{+anything}"]),
    b: one([], ["db://users/{id}", "db://{table}/{key}"]),
    c: one(["db://orders/9"], []),
  })).view(undefined, ANONYMOUS);

  it("are found exactly before any template", () => {
    assert.equal(view?.resource("db://users/1")?.backend, "a");
    assert.equal(view?.resource("db://orders/9")?.backend, "c");
  });

  it("are found by the most specific template", () => {
    assert.equal(view?.resource("db://users/2")?.backend, "b");
    assert.deepEqual(view?.resource("db://users/2"), {
      kind: "resource",
      backend: "b",
      original: "db://users/2",
      exposed: "db://users/2",
      defaults: undefined,
    });
  });

  it("are found in the order of the configuration among equal templates", () => {
    assert.equal(view?.resource("db://orders/1")?.backend, "a");
  });

  it("are found by the widest template last", () => {
    assert.equal(view?.resource("other://x")?.backend, "a");
  });

  it("that nothing matches go to the only backend with resources", () => {
    const lone = sourceOf({ a: one([], []), b: { found: { capabilities: { tools: {} } } }, c: {} });
    assert.equal(buildCatalog(lone).view(undefined, ANONYMOUS)?.resource("x:y")?.backend, "a");
    const two = sourceOf({ a: one([], []), b: one([], []) });
    assert.equal(buildCatalog(two).view(undefined, ANONYMOUS)?.resource("x:y"), undefined);
    const none = sourceOf({ b: { found: { capabilities: { tools: {} } } } });
    assert.equal(buildCatalog(none).view(undefined, ANONYMOUS)?.resource("x:y"), undefined);
  });

  it("of endless length are not matched against templates", () => {
    assert.equal(view?.resource(`db://users/${"1".repeat(10_000)}`), undefined);
  });
});
