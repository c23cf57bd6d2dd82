import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ANONYMOUS } from "../../../src/core/auth/principal.ts";
import { rereadAfter } from "../../../src/core/catalog/cache_hints.ts";
import { buildCatalog } from "../../../src/core/catalog/catalog.ts";
import { readCatalog } from "../../../src/core/catalog/read.ts";
import type { BackendCatalog, CacheHints } from "../../../src/core/catalog/types.ts";
import { parseExact } from "../../../src/core/mcp/json.ts";
import type { JsonObject } from "../../../src/core/mcp/json.ts";
import { foundOf, sourceOf, tool } from "./support.ts";

/** What is read of a modern backend whose pages of tools and prompts say this. */
async function readHints(
  tools: readonly JsonObject[],
  prompts: JsonObject = {},
  era: "legacy" | "modern" = "modern",
): Promise<CacheHints | undefined> {
  const request = (method: string, { cursor }: JsonObject): Promise<JsonObject> => {
    if (method === "prompts/list") return Promise.resolve({ prompts: [], ...prompts });
    const at = Number(cursor ?? 0);
    const more = at + 1 < tools.length ? { nextCursor: String(at + 1) } : {};
    return Promise.resolve({ tools: [], ...tools[at], ...more });
  };
  const offer = { capabilities: { tools: {}, prompts: {} }, instructions: undefined, era };
  return (await readCatalog(request, offer, "b")).cache;
}

const hints = (ttlMs: unknown, cacheScope: unknown = "public"): JsonObject => ({
  ttlMs,
  cacheScope,
});

describe("what a backend says of caching", () => {
  it("is the strictest of all pages and lists", async () => {
    assert.deepEqual(await readHints([hints(5000)], hints(9000)), {
      ttlMs: 5000,
      scope: "public",
    });
    assert.deepEqual(await readHints([hints(5000), hints(70, "private")], hints(9000)), {
      ttlMs: 70,
      scope: "private",
    });
  });

  it("is nothing when no page says it, and not at all when one does not", async () => {
    assert.equal(await readHints([{}]), undefined);
    assert.deepEqual(await readHints([hints(5000)], {}), { ttlMs: 0, scope: "private" });
  });

  it("counts only where it can be meant: a whole number of milliseconds, at most a day", async () => {
    const unusable = [-1, 1.5, "5000", null, Infinity, parseExact("12345678901234567890")];
    for (const ttlMs of unusable) assert.equal(await readHints([hints(ttlMs)]), undefined);
    const day = hints(1e12);
    assert.equal((await readHints([day], day))?.ttlMs, 86_400_000);
    assert.equal((await readHints([hints(5, "everyone")], hints(5)))?.scope, "private");
  });

  it("is not looked for in the legacy era", async () => {
    assert.equal(await readHints([hints(5000)], hints(5000), "legacy"), undefined);
  });
});

describe("how long lists of a view may be kept", () => {
  const saying = (cache?: CacheHints): BackendCatalog => ({
    ...foundOf({ tool: [tool("t")] }),
    cache,
  });
  const PUBLIC: CacheHints = { ttlMs: 60_000, scope: "public" };
  const setup = {
    roles: { all: { tools: ["*"] }, ours: { tools: ["a__*"] } },
    toolsets: { ours: { tools: ["a__*"] } },
  };
  const cacheOf = (
    backends: Parameters<typeof sourceOf>[0],
    { roles, toolset }: { roles?: readonly string[]; toolset?: string } = {},
  ) => {
    const principal = roles === undefined
      ? ANONYMOUS
      : { ...ANONYMOUS, roles, roleKey: roles.join() };
    return buildCatalog(sourceOf(backends, setup)).view(toolset, principal)?.cache;
  };

  it("is the strictest of what the backends say", () => {
    const other = saying({ ttlMs: 1000, scope: "private" });
    assert.deepEqual(cacheOf({ a: { found: saying(PUBLIC) } }), PUBLIC);
    assert.deepEqual(cacheOf({ a: { found: saying(PUBLIC) }, b: { found: other } }), other.cache);
  });

  it("is what the configuration says of a backend that says nothing, or has not answered", () => {
    const config = { cache_ttl: "30s" };
    for (const found of [saying(), undefined]) {
      const silent = found === undefined ? { config } : { config, found };
      assert.deepEqual(cacheOf({ a: silent }), { ttlMs: 30_000, scope: "private" });
    }
    assert.deepEqual(cacheOf({ a: { found: saying() } }), { ttlMs: 0, scope: "private" });
  });

  it("is not at all without backends", () => {
    assert.deepEqual(cacheOf({}), { ttlMs: 0, scope: "private" });
  });

  it("is private wherever it depends on who asks, and counts only what is shown", () => {
    const backends = {
      a: { found: saying(PUBLIC) },
      b: { found: saying({ ttlMs: 5, scope: "private" }) },
    };
    assert.deepEqual(cacheOf(backends, { toolset: "ours" }), PUBLIC);
    assert.deepEqual(cacheOf(backends, { roles: ["ours"] }), { ttlMs: 60_000, scope: "private" });
    assert.deepEqual(cacheOf(backends, { roles: ["all"] }), { ttlMs: 5, scope: "private" });
  });

  it("is private in a list that interceptors looked at, whatever they left out", () => {
    const source = sourceOf({ a: { found: saying(PUBLIC) } });
    const view = buildCatalog(source).view(undefined, ANONYMOUS);
    const scopeOf = (shows?: () => boolean): unknown => {
      const text = view?.list("tool", { cursor: undefined, era: "modern", shows }) ?? "{}";
      return (JSON.parse(text) as JsonObject)["cacheScope"];
    };
    assert.deepEqual([scopeOf(), scopeOf(() => true), scopeOf(() => false), scopeOf()], [
      "public",
      "private",
      "private",
      "public",
    ]);
  });

  it("is told with each list", () => {
    const view = buildCatalog(sourceOf({ a: { found: saying(PUBLIC) } })).view(
      undefined,
      ANONYMOUS,
    );
    const page = JSON.parse(
      view?.list("prompt", { cursor: undefined, era: "modern" }) ?? "",
    ) as JsonObject;
    assert.deepEqual([page["ttlMs"], page["cacheScope"]], [60_000, "public"]);
  });
});

describe("when a backend is read again", () => {
  const after = (ttlMs: number | undefined, fraction?: number) => {
    const cache: CacheHints | undefined = ttlMs === undefined
      ? undefined
      : { ttlMs, scope: "private" };
    return rereadAfter({ ...foundOf({}), cache }, fraction);
  };

  it("is at the end of the time it says, with jitter, but not more than once a minute", () => {
    assert.equal(after(120_000), 120_000);
    assert.equal(after(120_000, 0.5), 126_000);
    assert.equal(after(1), 60_000);
    assert.equal(after(86_400_000, 0.999), 95_031_360);
  });

  it("is never because of hints that there are not", () => {
    assert.deepEqual([after(undefined), after(0)], [undefined, undefined]);
  });
});
