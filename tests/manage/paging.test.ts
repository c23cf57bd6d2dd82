import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import type { Capability, SessionStatus } from "../../src/contract/manage/mod.ts";
import { type Json, startManagement, type TestManagement, TOKENS } from "../support/management.ts";
import { MemoryStateStore } from "../../src/stores/memory/state_store.ts";

const COUNT = 10_000;
const AT = "2026-01-01T00:00:00.000Z";

function capability(index: number): Capability {
  const kind = index % 2 === 0 ? "tool" : "prompt";
  const name = `a__${String(index).padStart(6, "0")}`;
  const none = { toolsets: [], roles: [], findings: [] };
  return { kind, name, backend: "a", original: name, hash: "0", ...none };
}

function session(number: number): SessionStatus & { readonly number: number } {
  return {
    number,
    id: String(number).padStart(12, "0"),
    transport: "streamable_http",
    protocol: "2025-11-25",
    openedAt: AT,
    idleSeconds: 0,
    calls: number % 10,
    inFlight: 0,
    streams: 0,
    restored: [],
    lost: [],
  };
}

describe("pages of ten thousand", () => {
  let management: TestManagement;
  afterEach(() => management.stop());

  /** Follows `next` to the end; gives the items and the number of pages. */
  async function readAll(path: string, between: (page: number) => void = () => {}) {
    const items: Json[] = [];
    let pages = 0;
    let after: string | undefined;
    do {
      const url = new URL(path, "http://gateway");
      if (after !== undefined) url.searchParams.set("after", after);
      const { status, json } = await management.ask("GET", url.pathname + url.search, {
        token: TOKENS.read,
      });
      assert.equal(status, 200, JSON.stringify(json));
      items.push(...json.items);
      after = json.next;
      between(++pages);
    } while (after !== undefined);
    return { items, pages };
  }

  test("a list comes once, in order, whatever changes in between", async () => {
    let all = Array.from({ length: COUNT }, (_, index) => capability(index));
    management = await startManagement({ control: { capabilities: () => all } });
    const path = "/manage/v1/capabilities?limit=1000";
    const { items, pages } = await readAll(path);
    assert.equal(pages, 10);
    assert.deepEqual(
      items.map(({ kind, name }) => `${kind} ${name}`),
      all.map(({ kind, name }) => `${kind} ${name}`).toSorted(),
    );
    // Half of what has been shown goes, and so does the item the page ended with.
    const changed = await readAll(path, (page) => {
      if (page === 1) all = all.filter(({ kind, name }) => kind === "tool" || name > "a__001999");
    });
    assert.equal(new Set(changed.items.map(({ name }) => name)).size, COUNT);
  });

  test("a filter is the server's, and the last page is the one without `next`", async () => {
    const all = Array.from({ length: COUNT }, (_, index) => capability(index));
    management = await startManagement({ control: { capabilities: () => all } });
    const { items, pages } = await readAll("/manage/v1/capabilities?limit=500&filter=kind:prompt");
    assert.equal(items.length, COUNT / 2);
    assert.equal(pages, 10);
    const none = await readAll("/manage/v1/capabilities?filter=name:nothing");
    assert.deepEqual(none, { items: [], pages: 1 });
    const few = await readAll("/manage/v1/capabilities?limit=9&filter=name:a__00001*");
    assert.deepEqual([few.items.length, few.pages], [10, 2]);
  });

  test("names that are longer than a query parameter may be have pages too", async () => {
    const all = Array.from({ length: 20 }, (_, index) => ({
      ...capability(0),
      kind: "resource" as const,
      name: `file:///${String(index).padStart(2, "0")}/${"x".repeat(5000)}`,
    }));
    management = await startManagement({ control: { capabilities: () => all } });
    const { items, pages } = await readAll("/manage/v1/capabilities?limit=7");
    assert.deepEqual([items.length, pages], [20, 3]);
  });

  test("sessions go by when they were opened", async () => {
    const all = Array.from({ length: COUNT }, (_, index) => session(index + 1));
    management = await startManagement({
      control: { sessions: (after) => all.filter(({ number }) => number > after) },
    });
    const { items } = await readAll("/manage/v1/sessions?limit=1000");
    assert.deepEqual(items.map(({ id }) => Number(id)), all.map(({ number }) => number));
    assert.equal("number" in items[0], false);
    const busy = await readAll("/manage/v1/sessions?limit=100&filter=calls:>8");
    assert.equal(busy.items.length, COUNT / 10);
  });

  test("limits go by when they came into use", async () => {
    const all = Array.from({ length: COUNT }, (_, index) => ({
      number: 2 * index + 1,
      caller: `caller ${index % 10}`,
      name: `a__${index}`,
      limit: "60/min",
      burst: 20,
      used: 1,
      rejected: 0,
      nextMs: 0,
    }));
    management = await startManagement({
      control: { limits: (after) => all.filter(({ number }) => number > after) },
    });
    const { items, pages } = await readAll("/manage/v1/limits?limit=1000");
    assert.equal(pages, 10);
    assert.deepEqual(items.map(({ name }) => name), all.map(({ name }) => name));
    const some = await readAll("/manage/v1/limits?limit=100&filter=caller:*7");
    assert.equal(some.items.length, COUNT / 10);
  });

  test("a target with a switch of the file and one of an operator is listed twice", async () => {
    management = await startManagement({ config: { kill: { tools: ["x", "y"] } } });
    const { control } = management.gateway.core;
    const act = { actor: { name: "oncall" } };
    for (const name of ["x", "z"]) await control.kill({ scope: "tools", name, reason: "r" }, act);
    const { items, pages } = await readAll("/manage/v1/kill-switches?limit=1");
    assert.equal(pages, 4);
    assert.deepEqual(items.map(({ name, from }) => `${name} ${from}`), [
      "x config",
      "x operator",
      "y config",
      "z operator",
    ]);
  });

  test("the event log comes without gap or repetition, also filtered", async () => {
    const state = new MemoryStateStore({ maxEvents: 20_000 });
    management = await startManagement({ state });
    const first = state.bounds().last;
    for (let index = 0; index < COUNT; index++) {
      const severity = index % 1000 === 0 ? "error" : "info";
      state.append({ at: AT, event: "backend.ready", severity, fields: { index } });
    }
    const { items } = await readAll(`/manage/v1/events?limit=1000&after=${first}`);
    assert.deepEqual(items.map(({ fields }) => fields.index), [...Array(COUNT).keys()]);
    const errors = await readAll(`/manage/v1/events?after=${first}&filter=severity:error`);
    assert.equal(errors.items.length, 10);
  });

  test("a page of the event log says what is not kept any more", async () => {
    const state = new MemoryStateStore({ maxEvents: 100 });
    management = await startManagement({ state });
    for (let index = 0; index < 1000; index++) {
      state.append({ at: AT, event: "backend.ready", severity: "info", fields: {} });
    }
    const { oldest, last } = state.bounds();
    const page = async (after: number) => {
      const target = `/manage/v1/events?limit=10&after=${after}`;
      return (await management.ask("GET", target, { token: TOKENS.read })).json;
    };
    const { items, lost } = await page(5);
    assert.equal(items[0].cursor, String(oldest));
    assert.equal(lost, oldest - 6);
    assert.equal((await page(oldest - 1)).lost, undefined);
    assert.equal((await page(0)).lost, undefined);
    const end = await page(last);
    assert.deepEqual([end.items, end.next, end.last], [[], undefined, String(last)]);
  });
});
