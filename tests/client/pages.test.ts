import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ManagementError } from "../../src/client/mod.ts";
import type { HttpHandler } from "../support/http_fixture.ts";
import { clientOf, json, refusal, scripted } from "./scripted.ts";

const entry = (name: string) => ({ backend: "files", kind: "tool", name, reason: "too long" });

function page(names: readonly string[], next?: string): HttpHandler {
  return json({ items: names.map(entry), revision: 1, ...(next === undefined ? {} : { next }) });
}

function queriesOf(seen: readonly { readonly url: string | undefined }[]) {
  return seen.map(({ url }) =>
    Object.fromEntries(new URL(url ?? "", "http://x").searchParams.entries())
  );
}

describe("a whole list", () => {
  it("comes from all pages, in order, with the same query", async () => {
    await using server = await scripted(page(["a", "b"], "k/1"), page([], "k2"), page(["c"]));
    const names: string[] = [];
    for await (
      const item of clientOf(server.url).all("refused", { query: { filter: "kind:tool" } })
    ) {
      names.push(item.name);
    }
    assert.deepEqual(names, ["a", "b", "c"]);
    const common = { limit: "1000", filter: "kind:tool" };
    assert.deepEqual(queriesOf(server.seen), [
      common,
      { ...common, after: "k/1" },
      { ...common, after: "k2" },
    ]);
  });

  it("asks for the next page only when it is needed", async () => {
    await using server = await scripted(page(["a", "b"], "1"), page(["c"], "2"), page(["d"]));
    for await (const item of clientOf(server.url).all("refused", { query: { limit: 2 } })) {
      if (item.name === "b") break;
    }
    assert.deepEqual(queriesOf(server.seen), [{ limit: "2" }]);
  });

  it("is not caught by a gateway whose pages go in a circle", async () => {
    await using server = await scripted(page(["a"], "1"));
    const names: string[] = [];
    const walk = async () => {
      for await (const item of clientOf(server.url).all("refused")) names.push(item.name);
    };
    await assert.rejects(
      walk(),
      (error) => error instanceof ManagementError && error.kind === "mismatch",
    );
    assert.deepEqual(names, ["a", "a"]);
  });

  it("fails where a page fails", async () => {
    await using server = await scripted(page(["a"], "1"), refusal(503, "OVERLOADED"));
    const all = clientOf(server.url).all("refused");
    assert.equal((await all.next()).value?.name, "a");
    await assert.rejects(all.next(), { kind: "server", code: "OVERLOADED" });
  });
});
