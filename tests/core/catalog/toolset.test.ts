import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ANONYMOUS } from "../../../src/core/auth/principal.ts";
import { buildCatalog } from "../../../src/core/catalog/catalog.ts";
import { listed, namesOf, resource, sourceOf, template, tool, tools } from "./support.ts";

describe("a toolset", () => {
  const backends = {
    gh: {
      found: {
        tools: [tool("read"), tool("merge")],
        prompts: [{ name: "p" }],
        resources: [resource("repo://a"), resource("file:///x")],
        templates: [template("repo://{name}")],
      },
    },
    db: tools("read", "write"),
    away: {},
  };
  const toolsets = {
    readers: { tools: ["*__read"], prompts: [], resources: ["repo://*"], deny: ["repo://secret*"] },
    cautious: { tools: ["db__*"], prompts: [], resources: [], deny: ["*__write"] },
    files: { tools: [], prompts: [], resources: ["file:///*"] },
    github: { tools: ["gh__*"], prompts: [], resources: [] },
    all: {},
  };
  const catalog = buildCatalog(sourceOf(backends, { toolsets }));

  it("shows and resolves only what its patterns match", () => {
    const view = catalog.view("readers", ANONYMOUS);
    assert.deepEqual(namesOf(view), ["gh__read", "db__read"]);
    assert.equal(view?.tool("gh__merge"), undefined);
    assert.deepEqual(namesOf(view, "prompt"), []);
    assert.equal(view?.prompt("gh__p"), undefined);
    assert.deepEqual(listed(view, "resource"), [resource("repo://a")]);
    assert.equal(view?.resource("file:///x"), undefined);
  });

  it("does not let a template or a lone backend read what it hides", () => {
    const view = catalog.view("readers", ANONYMOUS);
    assert.equal(view?.resource("repo://other")?.backend, "gh");
    assert.equal(view?.resource("repo://secrets"), undefined);
    assert.equal(view?.resource("elsewhere://x"), undefined);
    assert.equal(catalog.view("github", ANONYMOUS)?.resource("repo://a"), undefined);
    assert.equal(catalog.view("github", ANONYMOUS)?.template("repo://{name}"), undefined);
  });

  it("hides what it denies, though it allows it", () => {
    assert.deepEqual(namesOf(catalog.view("cautious", ANONYMOUS)), ["db__read"]);
    assert.equal(catalog.view("cautious", ANONYMOUS)?.tool("db__write"), undefined);
  });

  it("reaches backends it shows something of, and those it could once they list something", () => {
    assert.deepEqual(catalog.view("readers", ANONYMOUS)?.backends, ["gh", "db", "away"]);
    assert.deepEqual(catalog.view("github", ANONYMOUS)?.backends, ["gh"]);
    assert.deepEqual(catalog.view("files", ANONYMOUS)?.backends, ["gh", "away"]);
  });

  it("shows everything by default", () => {
    assert.deepEqual(
      catalog.view("all", ANONYMOUS)?.fingerprints,
      catalog.view(undefined, ANONYMOUS)?.fingerprints,
    );
  });

  it("that does not exist has no view, whatever its name", () => {
    for (const name of ["none", "", "constructor", "__proto__", "toString", "readers "]) {
      assert.equal(catalog.view(name, ANONYMOUS), undefined, name);
    }
  });

  it("has one view, built once", () => {
    assert.equal(catalog.view("readers", ANONYMOUS), catalog.view("readers", ANONYMOUS));
  });

  it("has answered when one of its own backends has", () => {
    const early = buildCatalog(sourceOf({ gh: {}, db: tools("read") }, { toolsets }));
    assert.equal(early.view(undefined, ANONYMOUS)?.answered, true);
    assert.equal(early.view("github", ANONYMOUS)?.answered, false);
    assert.equal(buildCatalog(sourceOf({})).view(undefined, ANONYMOUS)?.answered, true);
    assert.equal(buildCatalog(sourceOf({ a: {} })).view(undefined, ANONYMOUS)?.answered, false);
  });
});
