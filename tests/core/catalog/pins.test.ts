import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { afterEach, describe, it } from "node:test";
import type { StateStore } from "../../../src/ports/state_store.ts";
import { MemoryStateStore } from "../../../src/stores/memory/state_store.ts";
import {
  type ChangingBackend,
  type Definition,
  startChangingBackend,
} from "../../support/changing_backend.ts";
import { type ConfigInput, startCore, type TestCore } from "../../support/core.ts";
import { HttpSession, type Rpc } from "../../support/http_session.ts";
import { proves } from "../../support/proves.ts";

const ACT = { actor: { name: "oncall", scope: "admin" } } as const;

const SEARCH = {
  name: "search",
  title: "Search",
  description: "Searches the index",
  inputSchema: {
    type: "object",
    properties: { mode: { type: "string", enum: ["fast", "deep"] } },
  },
  outputSchema: { type: "object", properties: { hits: { type: "integer" } } },
  annotations: { readOnlyHint: true },
  _meta: { "example/owner": "team" },
} satisfies Definition;
const FETCH = { name: "fetch", inputSchema: { type: "object" } } satisfies Definition;

/** Every way a definition can change that a person may not see. */
const CHANGES: Readonly<Record<string, Definition>> = {
  "one space in the description": { ...SEARCH, description: "Searches the  index" },
  "the title": { ...SEARCH, title: "search" },
  "an annotation": { ...SEARCH, annotations: { readOnlyHint: false } },
  "the output schema": { ...SEARCH, outputSchema: { type: "object" } },
  "the order of an enum": {
    ...SEARCH,
    inputSchema: {
      type: "object",
      properties: { mode: { type: "string", enum: ["deep", "fast"] } },
    },
  },
  "an icon": { ...SEARCH, icons: [{ src: "https://example.com/a.png" }] },
  "_meta": { ...SEARCH, _meta: { "example/owner": "other" } },
  "a member nobody knows": { ...SEARCH, "x-vendor": 1 },
};

/** The same definition with its members in another order, all the way down. */
function reordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reordered);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, member]) => [key, reordered(member)] as const);
  return Object.fromEntries(entries.toReversed());
}

describe("definition pins", () => {
  let backend: ChangingBackend;
  let gateway: TestCore;
  let state: StateStore;
  afterEach(async () => {
    await gateway.stop();
    await backend.close();
  });

  async function start(reaction: string, store: StateStore = new MemoryStateStore()) {
    backend = await startChangingBackend([SEARCH, FETCH]);
    state = store;
    return await open(reaction);
  }

  /** Starts a gateway over the same state. */
  async function open(reaction: string, more: ConfigInput = {}): Promise<HttpSession> {
    gateway = await startCore(configOf(reaction, more), { state });
    const session = await HttpSession.open(gateway.core.fetch);
    await session.request("tools/list");
    return session;
  }

  function configOf(reaction: string, more: ConfigInput = {}): ConfigInput {
    return {
      backends: { a: { url: backend.url, era: "legacy" } },
      catalog: { on_change: reaction as "warn" },
      ...more,
    };
  }

  const eventsOf = (name: string) =>
    gateway.log.filter(({ event }) => event === name).map(({ fields }) => fields);

  async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
    for (let tries = 0; !(await holds()); tries++) {
      assert.ok(tries < 1000, `never: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** Makes the gateway read the backend anew, and waits until it has. */
  async function reconnect(): Promise<void> {
    assert.equal((await gateway.core.control.reconnect("a", ACT)).outcome, "applied");
  }

  async function offer(...tools: readonly Definition[]): Promise<void> {
    backend.tools = tools;
    await reconnect();
  }

  async function listed(session: HttpSession): Promise<string[]> {
    const { result } = await session.request("tools/list");
    return (result.tools as { name: string }[]).map(({ name }) => name);
  }

  function capability(name = "a__search") {
    const found = gateway.core.control.capabilities().find((one) => one.name === name);
    assert.ok(found !== undefined, `no capability ${name}`);
    return found;
  }

  function assertHeld({ error }: Rpc): void {
    assert.equal(error?.code, -31031);
    assert.equal(error?.data.code, "DEFINITION_DRIFT");
    assert.equal(error?.data.executed, "no");
    assert.equal(error?.data.backend, "a");
  }

  it("trusts a definition as it comes, and remembers a hash that others can compute", async () => {
    await start("hold");
    const { pin, held } = capability("a__fetch");
    const canonical = '{"inputSchema":{"type":"object"},"name":"fetch"}';
    assert.equal(pin?.hash, createHash("sha256").update(canonical).digest("hex"));
    assert.equal(pin?.approvedBy, undefined);
    assert.equal(held, undefined);
    assert.deepEqual(eventsOf("definition.changed"), []);
  });

  proves(["X5"], "every change is seen, shown and held, and no change of order alone", async () => {
    const session = await start("hold");
    for (const [what, changed] of Object.entries(CHANGES)) {
      await offer(reordered(SEARCH) as Definition, FETCH);
      assert.deepEqual(await listed(session), ["a__search", "a__fetch"], what);
      await offer(changed, FETCH);
      assert.deepEqual(await listed(session), ["a__fetch"], what);
      assertHeld(await session.call("a__search"));
      assert.ok((capability().held?.changes.length ?? 0) > 0, what);
    }
    assert.deepEqual(backend.reached, []);
    assert.equal(eventsOf("definition.changed").length, Object.keys(CHANGES).length);
    assert.equal(eventsOf("definition.held").length, Object.keys(CHANGES).length);
    assert.equal((await session.call("a__fetch"))["error"], undefined);
  });

  proves(["X5"], "a change is told with where, before and after", async () => {
    await start("warn");
    await offer({ ...SEARCH, description: "Searches the web", "x-vendor": true }, FETCH);
    const [event] = eventsOf("definition.changed");
    assert.deepEqual(event?.["changes"], [
      {
        path: "$.description",
        change: "changed",
        before: '"Searches the index"',
        after: '"Searches the web"',
      },
      { path: "$.x-vendor", change: "added", after: "true" },
    ]);
    assert.equal(event?.["name"], "search");
    assert.equal(event?.["reaction"], "warn");
  });

  it("warn says it once and goes on with the new definition", async () => {
    const session = await start("warn");
    const { hash } = capability().pin ?? {};
    await offer({ ...SEARCH, title: "Other" }, FETCH);
    await reconnect();
    assert.equal(eventsOf("definition.changed").length, 1);
    assert.deepEqual(await listed(session), ["a__search", "a__fetch"]);
    assert.equal((await session.call("a__search"))["error"], undefined);
    assert.equal(capability().pin?.previous, hash);
    assert.deepEqual(eventsOf("definition.held"), []);
  });

  it("allow says nothing but counts", async () => {
    await start("allow");
    await offer({ ...SEARCH, title: "Other" }, FETCH);
    assert.deepEqual(eventsOf("definition.changed"), []);
    const [row] = gateway.telemetry.read("sentinel_tool_drift_total");
    assert.deepEqual([row?.labels, row?.value], [{ sentinel_backend: "a", reaction: "allow" }, 1]);
  });

  proves(["X5"], "what is held stays held over reconnects and a restart", async () => {
    await start("hold");
    await offer({ ...SEARCH, title: "Other" }, FETCH);
    await reconnect();
    assertHeld(await (await HttpSession.open(gateway.core.fetch)).call("a__search"));
    assert.equal(eventsOf("definition.held").length, 1);
    await gateway.stop();
    const session = await open("hold");
    assert.deepEqual(await listed(session), ["a__fetch"]);
    assertHeld(await session.call("a__search"));
    assert.deepEqual(capability().held?.changes, [
      { path: "$.title", change: "changed", before: '"Search"', after: '"Other"' },
    ]);
    const [held] = gateway.telemetry.read("sentinel_definitions_held");
    assert.equal(held, undefined, "gauges are set when they are read");
    assert.match(
      gateway.telemetry.expose("text/plain").text,
      /sentinel_definitions_held\{sentinel_backend="a"\} 1/,
    );
  });

  it("a change while the gateway was down is one", async () => {
    await start("hold");
    await gateway.stop();
    backend.tools = [{ ...SEARCH, description: "changed meanwhile" }, FETCH];
    assertHeld(await (await open("hold")).call("a__search"));
  });

  it("a definition that is as it was is released, a tool that comes back is known", async () => {
    const session = await start("hold");
    await offer({ ...SEARCH, title: "Other" }, FETCH);
    assertHeld(await session.call("a__search"));
    await offer(SEARCH, FETCH);
    assert.deepEqual(await listed(session), ["a__search", "a__fetch"]);
    await offer(FETCH);
    assert.equal((await session.call("a__search"))["error"].code, -32602);
    await offer({ ...SEARCH, title: "Other" }, FETCH);
    assertHeld(await session.call("a__search"));
  });

  proves(
    ["X5"],
    "an approval names what was looked at, and lets exactly that through",
    async () => {
      const session = await start("hold");
      const { control } = gateway.core;
      const approve = (hash: string, name = "a__search") =>
        control.approve({ kind: "tool", name, hash }, ACT);
      const trusted = capability().pin?.hash ?? "";
      assert.throws(() => approve(trusted), { code: "CONFLICT" });
      assert.throws(() => approve(trusted, "a__none"), { code: "NOT_FOUND" });
      await offer({ ...SEARCH, title: "Other" }, FETCH);
      const { hash: seen = "" } = capability().held ?? {};
      await offer({ ...SEARCH, title: "Worse" }, FETCH);
      assert.throws(() => approve(seen), { code: "CONFLICT" });
      assertHeld(await session.call("a__search"));
      const { hash = "" } = capability().held ?? {};
      const answer = approve(hash);
      assert.equal(answer.outcome, "applied");
      assert.equal(answer.hash, hash);
      assert.deepEqual(await listed(session), ["a__search", "a__fetch"]);
      assert.equal((await session.call("a__search"))["error"], undefined);
      const { pin, held } = capability();
      assert.equal(held, undefined);
      assert.deepEqual([pin?.hash, pin?.previous, pin?.approvedBy], [hash, trusted, "oncall"]);
      assert.equal(eventsOf("definition.approved").length, 1);
      const outcomes = gateway.journal.entries.flatMap((entry) =>
        entry.kind === "operation.outcome" && entry.operation.operation === "approve"
          ? [entry.operation.outcome]
          : []
      );
      assert.deepEqual(outcomes, ["rejected", "rejected", "rejected", "applied"]);
      await gateway.stop();
      assert.deepEqual(await listed(await open("hold")), ["a__search", "a__fetch"]);
    },
  );

  it("one key for two definitions is two acts", async () => {
    await start("hold");
    await offer({ ...SEARCH, title: "Other" }, FETCH);
    const { hash = "" } = capability().held ?? {};
    const act = { ...ACT, key: "k1" };
    const request = { kind: "tool", name: "a__search" } as const;
    const first = gateway.core.control.approve({ ...request, hash }, act);
    assert.deepEqual(gateway.core.control.approve({ ...request, hash }, act), first);
    const other = "0".repeat(64);
    assert.throws(() => gateway.core.control.approve({ ...request, hash: other }, act), {
      code: "CONFLICT",
    });
  });

  it("clients hear that a tool goes and comes back", async () => {
    const session = await start("hold");
    const heard = (async () => {
      const texts: string[] = [];
      for await (const chunk of (await session.get()).body ?? []) {
        texts.push(new TextDecoder().decode(chunk));
        if (texts.join("").split("tools/list_changed").length > 2) return;
      }
    })();
    await offer({ ...SEARCH, title: "Other" }, FETCH);
    const { hash = "" } = capability().held ?? {};
    gateway.core.control.approve({ kind: "tool", name: "a__search", hash }, ACT);
    await heard;
  });

  proves(["X5"], "a change that is announced is seen without being asked", async () => {
    const session = await start("hold");
    backend.tools = [{ ...SEARCH, title: "Other" }, FETCH];
    await backend.announce();
    await until("the tool is held", async () => (await session.call("a__search"))["error"]);
    assertHeld(await session.call("a__search"));
  });

  it("a call that waits for a backend that comes back changed never reaches it", async () => {
    const session = await start("hold");
    const { promise, resolve } = Promise.withResolvers<void>();
    backend.handshake = promise;
    backend.tools = [{ ...SEARCH, title: "Other" }, FETCH];
    backend.restart();
    const reconnected = gateway.core.control.reconnect("a", ACT);
    await until("it is starting", () => gateway.core.control.backend("a", 0).state === "starting");
    const waiting = [session.call("a__search"), session.call("a__fetch")];
    await new Promise((done) => setTimeout(done, 20));
    resolve();
    await reconnected;
    const [search, fetch] = await Promise.all(waiting);
    assertHeld(search as Rpc);
    assert.equal(fetch?.["error"], undefined);
    assert.deepEqual(backend.reached, ["fetch"]);
  });

  it("is judged before calls can use the connection its lists were read over", async () => {
    await start("hold");
    await offer({ ...SEARCH, title: "Other" }, FETCH);
    const names = gateway.log.map(({ event }) => event);
    assert.ok(names.indexOf("definition.held") < names.lastIndexOf("backend.ready"));
  });

  it("is told apart from unknown only for those who may see it", async () => {
    backend = await startChangingBackend([SEARCH, FETCH]);
    state = new MemoryStateStore();
    await open("hold", { toolsets: { few: { tools: ["a__fetch"] } } });
    await offer({ ...SEARCH, title: "Other" }, FETCH);
    const few = await HttpSession.open(gateway.core.fetch, { path: "/mcp/few" });
    const hidden = (await few.call("a__search"))["error"];
    const unknown = (await few.call("a__nothing"))["error"];
    assert.equal(hidden.code, -32602);
    assert.equal(hidden.message.replace("search", "nothing"), unknown.message);
    assert.deepEqual(capability().toolsets, []);
  });

  it("holds prompts too, also for completion", async () => {
    const session = await start("hold");
    backend.prompts = [{ name: "greet" }];
    await reconnect();
    backend.prompts = [{ name: "greet", description: "changed" }];
    await reconnect();
    assertHeld(await session.request("prompts/get", { name: "a__greet" }));
    const ref = { type: "ref/prompt", name: "a__greet" };
    const argument = { name: "who", value: "x" };
    assertHeld(await session.request("completion/complete", { ref, argument }));
    assert.deepEqual((await session.request("prompts/list"))["result"].prompts, []);
    const { hash = "" } = capability("a__greet").held ?? {};
    gateway.core.control.approve({ kind: "prompt", name: "a__greet", hash }, ACT);
    assert.equal((await session.request("prompts/get", { name: "a__greet" }))["error"], undefined);
  });

  it("a held name is not free for another backend", async () => {
    const session = await start("hold");
    const other = await startChangingBackend([SEARCH]);
    try {
      await gateway.stop();
      await open("hold", {
        backends: { a: { url: backend.url, era: "legacy" }, b: { url: other.url, era: "legacy" } },
        catalog: { on_change: "hold", prefix: "never" },
      });
      const again = await HttpSession.open(gateway.core.fetch);
      await offer({ ...SEARCH, title: "Other" }, FETCH);
      assertHeld(await again.call("search"));
      assert.deepEqual(other.reached, []);
    } finally {
      await other.close();
    }
    assert.ok(session);
  });

  it("a backend may have its own reaction, and a reload changes it", async () => {
    const session = await start("hold");
    await offer({ ...SEARCH, title: "Other" }, FETCH);
    assert.deepEqual(await listed(session), ["a__fetch"]);
    gateway.source.write({
      backends: { a: { url: backend.url, era: "legacy", on_change: "warn" } },
      catalog: { on_change: "hold" },
    });
    assert.equal((await gateway.core.control.reload(ACT)).outcome, "applied");
    assert.deepEqual(await listed(session), ["a__search", "a__fetch"]);
    gateway.source.write({
      backends: { a: { url: backend.url, era: "legacy" } },
      catalog: { on_change: "hold" },
    });
    await gateway.core.control.reload(ACT);
    assert.deepEqual(await listed(session), ["a__search", "a__fetch"]);
    await offer(SEARCH, FETCH);
    assertHeld(await session.call("a__search"));
  });

  it("says when a backend calls itself another name", async () => {
    await start("warn");
    backend.name = "somebody else";
    await reconnect();
    await reconnect();
    assert.deepEqual(eventsOf("backend.identity_changed"), [
      { backend: "a", before: "changing", after: "somebody else" },
    ]);
  });
});
