import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Principal } from "../../../src/core/auth/principal.ts";
import { ANONYMOUS } from "../../../src/core/auth/principal.ts";
import { buildCatalog } from "../../../src/core/catalog/catalog.ts";
import type { View } from "../../../src/core/catalog/types.ts";
import {
  listed,
  namesOf,
  resource,
  seeded,
  sourceOf,
  template,
  tool,
  tools,
} from "../catalog/support.ts";
import { proves } from "../../support/proves.ts";

function holder(...roles: string[]): Principal {
  return { id: "i s", subject: "s", issuer: "i", roles, roleKey: roles.toSorted().join() };
}

const backends = {
  gh: {
    found: {
      instructions: "Ask GitHub.",
      capabilities: { tools: {}, resources: { subscribe: true }, logging: {} },
      tools: [tool("read"), tool("merge")],
      prompts: [{ name: "p" }],
      resources: [resource("repo://a"), resource("repo://hidden")],
      templates: [template("repo://{+path}")],
    },
  },
  db: { found: { ...tools("read", "write").found, instructions: "Ask the database." } },
  away: {},
};
const roles = {
  default: {},
  readers: { tools: ["*__read"], resources: ["repo://{+path}", "repo://a"] },
  writers: { tools: ["*"] },
  careful: { tools: ["db__*"], deny: ["*__merge", "repo://secret*"] },
};
const toolsets = { github: { tools: ["gh__*"], prompts: [], resources: [] } };
const catalog = buildCatalog(sourceOf(backends, { roles, toolsets }));

function viewOf(...names: string[]): View {
  return catalog.view(undefined, holder(...names)) as View;
}

describe("what a principal sees", () => {
  it("is everything without sign-in", () => {
    assert.deepEqual(namesOf(catalog.view(undefined, ANONYMOUS)), [
      "gh__read",
      "gh__merge",
      "db__read",
      "db__write",
    ]);
  });

  it("is nothing without a role, with an empty one, or with one that is not defined", () => {
    for (const names of [[], ["default"], ["nobody"], ["constructor"], ["__proto__"]]) {
      const view = viewOf(...names);
      for (const kind of ["tool", "prompt", "resource", "template"] as const) {
        assert.deepEqual(listed(view, kind), [], names.join());
      }
      assert.deepEqual(view.backends, [], names.join());
      assert.equal(view.tool("gh__read"), undefined);
      assert.equal(view.instructions, undefined);
    }
  });

  it("is the union of what the roles show", () => {
    assert.deepEqual(namesOf(viewOf("readers")), ["gh__read", "db__read"]);
    assert.deepEqual(namesOf(viewOf("careful")), ["db__read", "db__write"]);
    assert.deepEqual(namesOf(viewOf("careful", "readers")), ["gh__read", "db__read", "db__write"]);
  });

  it("is less what any of the roles denies, whatever another one shows", () => {
    assert.ok(namesOf(viewOf("writers")).includes("gh__merge"));
    assert.equal(viewOf("careful", "writers").tool("gh__merge"), undefined);
    assert.ok(viewOf("readers").resource("repo://secrets"));
    assert.equal(viewOf("careful", "readers").resource("repo://secrets"), undefined);
  });

  it("is no more than the toolset shows", () => {
    const view = catalog.view("github", holder("readers"));
    assert.deepEqual(namesOf(view), ["gh__read"]);
    assert.equal(view?.tool("db__read"), undefined);
    assert.equal(view?.resource("repo://a"), undefined);
    assert.equal(catalog.view("none", holder("readers")), undefined);
  });

  it("makes capabilities and instructions those of the backends it shows something of", () => {
    const { capabilities, instructions, backends } = viewOf("careful");
    assert.deepEqual(backends, ["db"]);
    assert.deepEqual(Object.keys(capabilities), ["tools", "prompts", "resources"]);
    assert.equal(instructions, "## db\n\nAsk the database.");
    assert.ok("logging" in viewOf("readers").capabilities);
  });

  it("leaves fingerprints of other roles alone when a backend changes", () => {
    const more = { ...backends, gh: { found: { ...backends.gh.found, tools: [tool("merge")] } } };
    const next = buildCatalog(sourceOf(more, { roles, toolsets }), catalog);
    const of = (view: View | undefined) => view?.fingerprints;
    assert.deepEqual(of(next.view(undefined, holder("careful"))), of(viewOf("careful")));
    assert.notDeepEqual(of(next.view(undefined, holder("readers"))), of(viewOf("readers")));
  });

  it("changes the revision with the roles", () => {
    const next = buildCatalog(
      sourceOf(backends, { roles: { ...roles, new: {} }, toolsets }),
      catalog,
    );
    assert.equal(next.revision, catalog.revision + 1);
    const same = buildCatalog(sourceOf(backends, { roles, toolsets }), catalog);
    assert.equal(same.revision, catalog.revision);
  });
});

describe("a URI that no list has", () => {
  it("goes through a template the role shows, unless a list has it and hides it", () => {
    const view = viewOf("readers");
    assert.equal(view.resource("repo://b/c")?.backend, "gh");
    assert.equal(view.resource("repo://hidden"), undefined);
    for (const same of ["REPO://hidden", "repo://hidde%6e"]) {
      assert.equal(view.resource(same), undefined, same);
    }
  });

  it("that is denied stays so in other spellings", () => {
    const view = viewOf("careful", "readers");
    for (
      const same of ["REPO://secrets", "repo://%73ecrets", "repo://secret//x"]
    ) {
      assert.equal(view.resource(same), undefined, same);
    }
  });

  const files = { found: { capabilities: { resources: {} }, tools: [tool("t")] } };

  it("cannot hide from a deny pattern behind repeated slashes", () => {
    const open = { tools: ["*"], resources: ["*"], deny: ["file:///etc/*"] };
    const view = buildCatalog(sourceOf({ files }, { roles: { open } }))
      .view(undefined, holder("open")) as View;
    assert.equal(view.resource("file:///pub//x")?.backend, "files");
    assert.equal(view.resource("file:////etc//passwd"), undefined);
  });

  it("cannot leave what a pattern allows by dot segments", () => {
    const open = { tools: ["*"], resources: ["file:///pub/*"] };
    const view = buildCatalog(sourceOf({ files }, { roles: { open } }))
      .view(undefined, holder("open")) as View;
    assert.equal(view.resource("file:///pub/a.txt")?.backend, "files");
    assert.equal(view.resource("file:///pub/..a/.b")?.backend, "files");
    for (const end of ["../etc", "./../etc", "%2e%2e/etc", "..%2fetc", "..\\etc", ".."]) {
      assert.equal(view.resource(`file:///pub/${end}`), undefined, end);
    }
  });
});

describe("views of role sets", () => {
  it("are built once while they are used, and right however many there are", () => {
    const many = Object.fromEntries(
      Array.from({ length: 400 }, (_, at) => [`r${at}`, { tools: [`b__t${at}`] }]),
    );
    const names = Array.from({ length: 400 }, (_, at) => `t${at}`);
    const wide = buildCatalog(sourceOf({ b: tools(...names) }, { roles: many }));
    const first = wide.view(undefined, holder("r0"));
    for (let at = 1; at < 400; at++) {
      assert.deepEqual(namesOf(wide.view(undefined, holder(`r${at}`))), [`b__t${at}`]);
      if (at % 100 === 0) assert.equal(wide.view(undefined, holder("r0")), first);
    }
    const dropped = wide.view(undefined, holder("r1"));
    assert.deepEqual(namesOf(dropped), ["b__t1"]);
    assert.equal(wide.view(undefined, holder("r1")), dropped);
  });

  it("without a role and without sign-in are not the same", () => {
    const nobody = { ...holder(), roleKey: ANONYMOUS.roleKey };
    assert.equal(namesOf(catalog.view(undefined, ANONYMOUS)).length, 4);
    assert.deepEqual(namesOf(catalog.view(undefined, nobody)), []);
  });

  proves(["G4.3", "G4.5"], "list exactly what they resolve, for generated roles", () => {
    const random = seeded(2026);
    let shown = 0;
    for (let round = 0; round < 300; round++) {
      const { source, defined, names } = generated(random);
      const own = Object.keys(defined).filter(() => random() < 0.5);
      const view = buildCatalog(source).view(undefined, holder(...own)) as View;
      const seen = new Set(namesOf(view));
      for (const name of names) {
        const allowed = model(own.map((role) => defined[role] as Patterns), name);
        assert.equal(seen.has(name), allowed, `${name} for ${own.join()}`);
        assert.equal(view.tool(name) !== undefined, allowed, `${name} for ${own.join()}`);
        if (allowed) shown++;
      }
    }
    assert.ok(shown > 300, `only ${shown} names were shown`);
  });
});

interface Patterns {
  readonly tools: readonly string[];
  readonly deny: readonly string[];
}

function generated(random: () => number) {
  const pick = <Item>(items: readonly Item[]) => items[Math.floor(random() * items.length)] as Item;
  const words = ["a", "b", "ab", "ba", "aab"];
  const word = () => pick(words);
  const pattern = () => pick([`${word()}__${word()}`, `${word()}*`, `*${word()}`, `*_${word()}*`]);
  const some = (most: number) => Array.from({ length: Math.floor(random() * (most + 1)) }, pattern);
  const offered = Object.fromEntries(
    words.map((backend) => [backend, tools(...words.filter(() => random() < 0.6))]),
  );
  const defined = Object.fromEntries(
    ["r", "s", "t"].map((name) => [name, { tools: some(3), deny: some(1) }]),
  );
  return {
    source: sourceOf(offered, { roles: defined }),
    defined: defined as Readonly<Record<string, Patterns>>,
    names: Object.entries(offered).flatMap(([backend, { found }]) =>
      found.tools.map(({ name }) => `${backend}__${String(name)}`)
    ),
  };
}

/** What the page of the configuration promises, in other words than the code. */
function model(own: readonly Patterns[], name: string): boolean {
  const fits = (pattern: string) =>
    new RegExp(`^${pattern.split("*").join(".*")}$`, "s").test(name);
  const denied = own.flatMap(({ deny }) => deny).some(fits);
  return !denied && own.flatMap((role) => role.tools).some(fits);
}
