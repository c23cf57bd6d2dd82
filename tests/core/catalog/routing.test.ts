import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ANONYMOUS } from "../../../src/core/auth/principal.ts";
import { buildCatalog } from "../../../src/core/catalog/catalog.ts";
import type { Catalog, View } from "../../../src/core/catalog/types.ts";
import { foundOf, listed, namesOf, resource, seeded, sourceOf, template, tool } from "./support.ts";

const LETTERS = ["a", "A", "_", ".", "/", "x".repeat(40), "é"];

function randomName(random: () => number): string {
  const length = 1 + Math.floor(random() * 4);
  const letters = Array.from({ length }, () => LETTERS[Math.floor(random() * LETTERS.length)]);
  return letters.join("");
}

/** Three backends that share some of their names, with and without prefixes and sanitizing. */
function randomCatalog(random: () => number, names: readonly string[]): Catalog {
  const backend = (own: readonly string[]) => ({
    config: { tools: { deny: ["A*"], rename: { [own[0] ?? ""]: own[1] ?? "" } } },
    found: foundOf({
      tool: own.map((name) => tool(name)),
      prompt: own.map((name) => ({ name })),
      resource: own.map((name) => resource(`u:${name}`)),
      template: own.map((name) => template(`u:${name}{x}`)),
    }),
  });
  const backends = {
    a: backend(names.slice(0, 20)),
    b: backend(names.slice(10, 30)),
    a_: backend(names.slice(20)),
  };
  const some = { tools: ["*a*"], prompts: ["a*"], resources: ["u:a*"], deny: ["*_"] };
  const catalog = { prefix: random() < 0.5 ? "always" : "never", sanitize: random() < 0.5 };
  return buildCatalog(sourceOf(backends, { catalog, toolsets: { some } }));
}

function assertListedResolves(view: View | undefined): void {
  for (const name of namesOf(view)) assert.equal(view?.tool(name)?.exposed, name);
  for (const name of namesOf(view, "prompt")) assert.equal(view?.prompt(name)?.exposed, name);
  for (const { uri } of listed(view, "resource")) {
    assert.equal(view?.resource(String(uri))?.original, uri);
  }
  for (const { uriTemplate } of listed(view, "template")) {
    assert.equal(view?.template(String(uriTemplate))?.original, uriTemplate);
  }
}

function assertResolvedIsListed(view: View | undefined, names: Iterable<string>): void {
  const toolNames = new Set(namesOf(view));
  const promptNames = new Set(namesOf(view, "prompt"));
  const templates = new Set(listed(view, "template").map(({ uriTemplate }) => uriTemplate));
  for (const name of names) {
    assert.equal(view?.tool(name) !== undefined, toolNames.has(name), name);
    assert.equal(view?.prompt(name) !== undefined, promptNames.has(name), name);
    assert.equal(view?.template(name) !== undefined, templates.has(name), name);
  }
}

describe("lists and routing", () => {
  it("agree: what is listed resolves, and what resolves is listed", () => {
    const random = seeded(11);
    for (let round = 0; round < 60; round++) {
      const names = Array.from({ length: 40 }, () => randomName(random));
      const catalog = randomCatalog(random, names);
      const whole = catalog.view(undefined, ANONYMOUS);
      const candidates = [
        ...names,
        ...names.map((name) => `a__${name}`),
        ...names.map((name) => `u:${name}{x}`),
        ...namesOf(whole),
        ...namesOf(whole, "prompt"),
      ];
      for (const view of [whole, catalog.view("some", ANONYMOUS)]) {
        assertListedResolves(view);
        assertResolvedIsListed(view, candidates);
      }
    }
  });
});
