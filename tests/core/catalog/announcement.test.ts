import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ANONYMOUS } from "../../../src/core/auth/principal.ts";
import { buildCatalog } from "../../../src/core/catalog/catalog.ts";
import { ServerCapabilitiesSchema } from "./sdk.ts";
import { sourceOf } from "./support.ts";

describe("the capabilities of a view", () => {
  const capabilitiesOf = (...declared: Record<string, unknown>[]) => {
    const backends = declared.map((capabilities, at) => [`b${at}`, { found: { capabilities } }]);
    return buildCatalog(sourceOf(Object.fromEntries(backends))).view(undefined, ANONYMOUS)
      ?.capabilities;
  };

  it("are the union, with changes announced for each list", () => {
    assert.deepEqual(capabilitiesOf({ tools: {} }, { prompts: { listChanged: false } }, {}), {
      tools: { listChanged: true },
      prompts: { listChanged: true },
    });
  });

  it("have subscriptions, completions and logging when one backend has", () => {
    assert.deepEqual(
      capabilitiesOf({ resources: {} }, { resources: { subscribe: true }, logging: {} }),
      {
        resources: { listChanged: true, subscribe: true },
        logging: {},
      },
    );
    assert.deepEqual(capabilitiesOf({ tools: {}, completions: {} }), {
      tools: { listChanged: true },
      completions: {},
    });
  });

  it("leave out what is not bridged, and what is malformed", () => {
    const extras = { experimental: { x: {} }, tasks: {}, extensions: { "a/b": {} } };
    assert.deepEqual(capabilitiesOf({ tools: {}, ...extras }, { prompts: 7, logging: true }), {
      tools: { listChanged: true },
    });
  });

  it("have the extensions that pass, for clients of both eras", () => {
    const ui = { "io.modelcontextprotocol/ui": { mimeTypes: ["text/html"] } };
    const backends = {
      a: { found: { capabilities: { tools: {}, extensions: { ...ui, "vendor/x": {} } } } },
      b: { found: { era: "modern", capabilities: { logging: {} } } },
    } as const;
    const view = buildCatalog(sourceOf(backends)).view(undefined, ANONYMOUS);
    const expected = { tools: { listChanged: true }, logging: {}, extensions: ui };
    assert.deepEqual(view?.capabilities, expected);
    assert.deepEqual(view?.modernCapabilities, expected);
    assert.deepEqual(ServerCapabilitiesSchema.parse(view?.capabilities), expected);
  });

  it("can be read by the official client", () => {
    const capabilities = capabilitiesOf({ resources: { subscribe: true }, logging: {}, tools: {} });
    assert.deepEqual(ServerCapabilitiesSchema.parse(capabilities), capabilities);
  });

  it("announce all lists while no backend has answered", () => {
    const lists = {
      tools: { listChanged: true },
      prompts: { listChanged: true },
      resources: { listChanged: true },
    };
    assert.deepEqual(
      buildCatalog(sourceOf({ a: {} })).view(undefined, ANONYMOUS)?.capabilities,
      lists,
    );
    assert.deepEqual(buildCatalog(sourceOf({})).view(undefined, ANONYMOUS)?.capabilities, lists);
  });
});

describe("the instructions of a view", () => {
  const instructionsOf = (texts: Record<string, string | undefined>, configured?: string) => {
    const backends = Object.entries(texts).map((
      [name, instructions],
    ) => [name, { found: { instructions } }]);
    const setup = configured === undefined ? {} : { instructions: configured };
    return buildCatalog(sourceOf(Object.fromEntries(backends), setup)).view(undefined, ANONYMOUS)
      ?.instructions;
  };

  it("stand under a heading per backend, in the order of the configuration", () => {
    const texts = { zeta: "Use me first.", none: undefined, empty: " \n", alpha: "Then me.\n" };
    assert.equal(instructionsOf(texts), "## zeta\n\nUse me first.\n\n## alpha\n\nThen me.");
  });

  it("are absent when nobody has any", () => {
    assert.equal(instructionsOf({ a: undefined, b: "" }), undefined);
  });

  it("are the configured ones where there are any", () => {
    assert.equal(instructionsOf({ a: "Theirs." }, "Ours."), "Ours.");
  });

  it("stay within 8 kB, and a talkative backend does not silence the others", () => {
    const text = instructionsOf({ loud: "ü😀".repeat(50_000), quiet: "Still here." }) ?? "";
    assert.ok(new TextEncoder().encode(text).length <= 8000);
    assert.ok(text.isWellFormed());
    assert.match(text, /…\n\n## quiet\n\nStill here\.$/);
    const crowd = Array.from({ length: 300 }, (_, at) => [`b${at}`, "x".repeat(9000)]);
    const crowded = instructionsOf(Object.fromEntries(crowd)) ?? "";
    assert.ok(new TextEncoder().encode(crowded).length <= 8000);
  });

  it("lose characters that steer terminals", () => {
    assert.equal(
      instructionsOf({ a: "one\r\n\u001b[2Jtwo\u0000\u009b\tthree" }),
      "## a\n\none\n[2Jtwo\tthree",
    );
  });
});
