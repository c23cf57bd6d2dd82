import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { ANONYMOUS } from "../../../src/core/auth/principal.ts";
import type { Backend } from "../../../src/core/backends/backend.ts";
import type { Interceptor } from "../../../src/core/rules/interceptor.ts";
import { type ChangingBackend, startChangingBackend } from "../../support/changing_backend.ts";
import { type ConfigInput, fixtureBackend } from "../../support/core.ts";
import { settle } from "../../support/fake_clock.ts";
import { type RecordingBackend, startRecordingBackend } from "../../support/recording_backend.ts";
import {
  holderOf,
  listenTo,
  open,
  startRuntime,
  type TestRuntime,
  until,
} from "./listen_support.ts";
import { startResourceBackend } from "./resource_backend.ts";

const LIMIT = { timeout: 20_000 };
const SUBSCRIPTION = "io.modelcontextprotocol/subscriptionId";
const UPDATED = "notifications/resources/updated";
const TOOLS_CHANGED = "notifications/tools/list_changed";
/** Longer than a backend's announcements are gathered. */
const GATHERED_MS = 200;

function tool(name: string) {
  return { name, inputSchema: { type: "object" } };
}

describe("a listen", () => {
  let test: TestRuntime;
  const backends: { close(): Promise<void> }[] = [];
  afterEach(async () => {
    await test.stop();
    for (const backend of backends.splice(0)) await backend.close();
  });

  async function recording(name: string): Promise<RecordingBackend> {
    const backend = await startRecordingBackend(name);
    backends.push(backend);
    return backend;
  }

  async function changing(): Promise<ChangingBackend> {
    const backend = await startChangingBackend([tool("one")]);
    backends.push(backend);
    return backend;
  }

  function at(url: string) {
    return { url, era: "legacy" } as const;
  }

  /** Requests about subscriptions that reached it. */
  function asked({ reached }: RecordingBackend): string[] {
    return reached.filter((line) => line.startsWith("resources/"));
  }

  it("is acknowledged first, with what is honoured, under its own id", LIMIT, async () => {
    const a = await recording("a");
    test = await startRuntime({ backends: { a: at(a.url) } });
    for (const [id, written] of [["1", "1"], ['"1"', '"1"'], ["90071992547409931", undefined]]) {
      const { listen, reader } = open(
        test.runtime,
        {
          toolsListChanged: true,
          promptsListChanged: false,
          resourceSubscriptions: ["a://doc", "a://item/1", "a://doc"],
          taskIds: ["t"],
        },
        { id: id as string },
      );
      assert.equal(reader.texts.length, 0, "nothing is sent before it is open");
      await until(() => reader.texts.length > 0);
      const [first] = reader.messages;
      assert.equal(first?.method, "notifications/subscriptions/acknowledged");
      assert.deepEqual(reader.acknowledged, {
        toolsListChanged: true,
        resourceSubscriptions: ["a://doc", "a://item/1"],
      });
      assert.ok(reader.texts[0]?.includes(`"${SUBSCRIPTION}":${written ?? id}`));
      listen.close("gone");
    }
  });

  it("promises no resource that its view or the backend has nothing for", LIMIT, async () => {
    const [a, b] = [await recording("a"), await recording("b")];
    const quiet = await changing();
    test = await startRuntime({
      backends: { a: at(a.url), b: at(b.url), quiet: at(quiet.url) },
      roles: { alpha: { resources: ["a://*"] } },
      toolsets: { nothing: { resources: [] } },
    });
    const wanted = { resourceSubscriptions: ["a://doc", "b://doc", "a://item/7", "x://y"] };
    const alpha = await listenTo(test.runtime, wanted, { principal: holderOf(["alpha"]) });
    assert.deepEqual(alpha.reader.acknowledged, {
      resourceSubscriptions: ["a://doc", "a://item/7"],
    });
    const none = await listenTo(test.runtime, wanted, { toolset: "nothing" });
    assert.deepEqual(none.reader.acknowledged, { resourceSubscriptions: [] });
    assert.deepEqual(asked(b), []);
    assert.deepEqual(asked(a).toSorted(), [
      "resources/subscribe a://doc",
      "resources/subscribe a://item/7",
    ]);
  });

  it("is told of the lists it asked for, when those it sees change", LIMIT, async () => {
    const backend = await changing();
    test = await startRuntime({
      backends: { c: at(backend.url) },
      toolsets: { first: { tools: ["c__one"] } },
    });
    const { runtime, clock } = test;
    const tools = await listenTo(runtime, { toolsListChanged: true });
    const prompts = await listenTo(runtime, { promptsListChanged: true });
    const narrow = await listenTo(runtime, { toolsListChanged: true }, { toolset: "first" });
    backend.tools = [tool("one"), tool("two")];
    await backend.announce();
    await until(() => clock.next !== undefined && clock.next <= GATHERED_MS);
    await clock.advance(GATHERED_MS);
    await until(() => tools.reader.texts.length > 1);
    assert.deepEqual(tools.reader.messages[1], {
      jsonrpc: "2.0",
      method: TOOLS_CHANGED,
      params: { _meta: { [SUBSCRIPTION]: 1 } },
    });
    await settle();
    for (const { reader } of [prompts, narrow]) assert.deepEqual(reader.told, []);
    assert.equal(tools.reader.texts.length, 2);
  });

  it("has its own stream, also beside another with the same id", LIMIT, async () => {
    const a = await recording("a");
    test = await startRuntime({ backends: { a: at(a.url) } });
    const one = await listenTo(test.runtime, { resourceSubscriptions: ["a://doc"] });
    const other = await listenTo(test.runtime, { resourceSubscriptions: ["a://item/1"] });
    await a.notify(UPDATED, { uri: "a://doc" });
    await until(() => one.reader.texts.length > 1);
    one.listen.close("gone");
    await a.notify(UPDATED, { uri: "a://item/1" });
    await until(() => other.reader.texts.length > 1);
    assert.deepEqual(one.reader.told, ["a://doc"]);
    assert.deepEqual(other.reader.told, ["a://item/1"]);
    assert.equal(one.reader.ended, false, "its front has ended it");
    assert.equal(test.runtime.listens.size, 1);
  });

  it("counts with sessions: a resource is subscribed once and until the last", LIMIT, async () => {
    const a = await recording("a");
    test = await startRuntime({ backends: { a: at(a.url) } });
    const { runtime } = test;
    const session = runtime.sessions.open("stdio", undefined, {
      id: "s",
      subject: "s",
      roles: undefined,
      roleKey: "",
    });
    const heard: string[] = [];
    session.channel = { attached: true, send: (text) => heard.push(text) > 0 };
    await runtime.world.backends.get("a")?.subscribe("a://doc", session);
    const one = await listenTo(runtime, { resourceSubscriptions: ["a://doc"] });
    const two = await listenTo(runtime, { resourceSubscriptions: ["a://doc"] });
    await a.notify(UPDATED, { uri: "a://doc" });
    await until(() => two.reader.texts.length > 1);
    for (const { reader } of [one, two]) assert.deepEqual(reader.told, ["a://doc"]);
    assert.equal(heard.length, 1);
    session.close("gone");
    one.listen.close("gone");
    await settle();
    assert.deepEqual(asked(a), ["resources/subscribe a://doc"]);
    two.listen.close("gone");
    await until(() => asked(a).length > 1);
    assert.deepEqual(asked(a), ["resources/subscribe a://doc", "resources/unsubscribe a://doc"]);
  });

  it("is told of an update that came before its acknowledgement, afterwards", LIMIT, async () => {
    // The fixture sends the update before it answers the request.
    test = await startRuntime({ backends: { fix: fixtureBackend({ era: "legacy" }) } });
    const { reader } = await listenTo(test.runtime, { resourceSubscriptions: ["fixture://one"] });
    await until(() => reader.texts.length > 1);
    assert.equal(reader.messages[0]?.method, "notifications/subscriptions/acknowledged");
    assert.deepEqual(reader.told, ["fixture://one"]);
  });

  it(
    "follows a reload: what it may not read is not told any more, and again when it may",
    LIMIT,
    async () => {
      const a = await recording("a");
      const configOf = (resources: readonly string[]): ConfigInput => ({
        backends: { a: at(a.url) },
        roles: { alpha: { tools: ["a__*"], resources: [...resources] } },
      });
      test = await startRuntime(configOf(["a://*"]));
      const wanted = {
        resourcesListChanged: true,
        resourceSubscriptions: ["a://doc", "a://item/1"],
      };
      const { reader } = await listenTo(test.runtime, wanted, { principal: holderOf(["alpha"]) });
      test.apply(configOf(["a://item/*"]));
      await until(() => asked(a).includes("resources/unsubscribe a://doc"));
      await a.notify(UPDATED, { uri: "a://doc" });
      await a.notify(UPDATED, { uri: "a://item/1" });
      await until(() => reader.told.includes("a://item/1"));
      test.apply(configOf(["a://*"]));
      await until(() => asked(a).filter((line) => line.endsWith("subscribe a://doc")).length === 3);
      await a.notify(UPDATED, { uri: "a://doc" });
      await until(() => reader.told.includes("a://doc"));
      const changed = "notifications/resources/list_changed";
      assert.deepEqual(reader.told, [changed, "a://item/1", changed, "a://doc"]);
    },
  );

  it("waits with a backend that is away, which is told when it is back", LIMIT, async () => {
    test = await startRuntime({ backends: { fix: fixtureBackend({ era: "legacy" }) } });
    const { runtime, clock } = test;
    const backend = runtime.world.backends.get("fix") as Backend;
    const link = await backend.link(runtime.sessions.open("stdio", undefined, ANONYMOUS));
    const params = { name: "die", arguments: { code: 1 } };
    link.request({ method: "tools/call", params, owner: "", timeoutMs: 1000 }).reply.catch(
      () => {},
    );
    await until(() => !backend.up);
    const wanted = { resourceSubscriptions: ["fixture://one"] };
    const { reader } = await listenTo(runtime, wanted);
    assert.deepEqual(reader.acknowledged, wanted);
    assert.equal(backend.up, false);
    while (!backend.up) {
      if (backend.state !== "starting") await clock.advance(1000);
      await settle();
    }
    await until(() => reader.texts.length > 1);
    assert.deepEqual(reader.told, ["fixture://one"]);
  });

  it("is not promised what a backend refuses, and waits for none for long", LIMIT, async () => {
    const uris = ["r://agreed", "r://refused", "r://unanswered"] as const;
    const server = await startResourceBackend(uris);
    backends.push(server);
    test = await startRuntime({ backends: { r: at(server.url) } });
    const some = await listenTo(test.runtime, { resourceSubscriptions: uris.slice(0, 2) });
    assert.deepEqual(some.reader.acknowledged, { resourceSubscriptions: ["r://agreed"] });
    const { reader } = open(test.runtime, { resourceSubscriptions: ["r://unanswered"] });
    await until(() => server.asked.includes("r://unanswered"));
    await settle();
    assert.equal(reader.texts.length, 0);
    await test.clock.advance(2000);
    assert.deepEqual(reader.acknowledged, { resourceSubscriptions: ["r://unanswered"] });
  });

  it("promises nothing that an interceptor hides", LIMIT, async () => {
    const a = await recording("a");
    const hides: Interceptor = {
      name: "hides",
      list: async ({ items }) => {
        await settle();
        return { keep: items.filter(({ name }) => !name.includes("item")) };
      },
    };
    test = await startRuntime({ backends: { a: at(a.url) } }, [hides]);
    const { reader } = await listenTo(test.runtime, {
      resourceSubscriptions: ["a://doc", "a://item/1"],
    });
    assert.deepEqual(reader.acknowledged, { resourceSubscriptions: ["a://doc"] });
    assert.deepEqual(asked(a), ["resources/subscribe a://doc"]);
  });
});
