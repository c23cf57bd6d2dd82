import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { SentinelError } from "../../../src/contract/mod.ts";
import type { MetricName } from "../../../src/contract/metrics.ts";
import type { ConfigInput } from "../../support/core.ts";
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

const LIMIT = { timeout: 20_000 };
const ISSUER = "https://issuer.test";
const JWT = { issuer: ISSUER, audience: "https://gateway.test", secret: "0".repeat(32) };
const KIND = "client_listen";

describe("listens", () => {
  let test: TestRuntime;
  let backend: RecordingBackend | undefined;
  afterEach(async () => {
    await test.stop();
    await backend?.close();
    backend = undefined;
  });

  function read(metric: MetricName): number | undefined {
    return test.telemetry.read(metric).find(({ labels }) => labels["kind"] === KIND)?.value;
  }

  function refusal(run: () => void): SentinelError {
    try {
      run();
    } catch (cause) {
      if (cause instanceof SentinelError) return cause;
    }
    throw new Error("it was not refused");
  }

  it("are refused when their parameters are not usable", async () => {
    test = await startRuntime({});
    const wrong: readonly unknown[] = [
      undefined,
      [],
      "tools",
      { toolsListChanged: 1 },
      { resourcesListChanged: null },
      { resourceSubscriptions: "a://doc" },
      { resourceSubscriptions: [1] },
      { resourceSubscriptions: ["x".repeat(2001)] },
      { resourceSubscriptions: Array.from({ length: 1001 }, (_, at) => `a://${at}`) },
    ];
    for (const notifications of wrong) {
      const error = refusal(() => open(test.runtime, notifications));
      assert.equal(error.code, "INVALID_PARAMS");
      assert.match(error.message, /^Cannot listen: /);
    }
    assert.equal(test.runtime.listens.size, 0);
    const { reader } = await listenTo(test.runtime, {});
    assert.deepEqual(reader.acknowledged, {});
  });

  it("have bounds: of all, of one caller, and of what they name", async () => {
    test = await startRuntime({ bridge: { listens: 3, listens_per_caller: 2 } });
    const { runtime } = test;
    const [one, two] = [holderOf(["one"]), holderOf(["two"])];
    const first = open(runtime, {}, { principal: one });
    open(runtime, {}, { principal: one });
    const own = refusal(() => open(runtime, {}, { principal: one }));
    assert.deepEqual(
      [own.code, own.http, own.details.reason],
      ["OVERLOADED", 200, "bridge.listens_per_caller = 2"],
    );
    open(runtime, {}, { principal: two });
    const all = refusal(() => open(runtime, {}, { principal: two }));
    assert.deepEqual([all.code, all.details.reason], ["OVERLOADED", "bridge.listens = 3"]);
    first.listen.close("gone");
    first.listen.close("gone again");
    open(runtime, {}, { principal: one });
    assert.equal(runtime.listens.size, 3);
  });

  it("of nobody in particular count for the address they come from", async () => {
    test = await startRuntime({ bridge: { listens_per_caller: 1 } });
    open(test.runtime, {}, { address: "10.0.0.1" });
    open(test.runtime, {}, { address: "10.0.0.2" });
    const error = refusal(() => open(test.runtime, {}, { address: "10.0.0.1" }));
    assert.equal(error.code, "OVERLOADED");
  });

  it("of one caller name a bounded number of resources", async () => {
    test = await startRuntime({});
    const resourceSubscriptions = Array.from({ length: 1000 }, (_, at) => `a://${at}`);
    const opened = Array.from({ length: 4 }, () => open(test.runtime, { resourceSubscriptions }));
    const error = refusal(() => open(test.runtime, { resourceSubscriptions: ["a://x"] }));
    assert.equal(error.code, "OVERLOADED");
    open(test.runtime, { toolsListChanged: true });
    // What nobody can follow does not count once it is known.
    await until(() => opened.every(({ reader }) => reader.texts.length > 0));
    open(test.runtime, { resourceSubscriptions });
  });

  it("whose client does not read are dropped and counted", LIMIT, async () => {
    const a = backend = await startRecordingBackend("a");
    test = await startRuntime({ backends: { a: { url: a.url, era: "legacy" } } });
    const wanted = { resourceSubscriptions: ["a://doc"] };
    const slow = await listenTo(test.runtime, wanted);
    const reading = await listenTo(test.runtime, wanted);
    assert.equal(read("sentinel_streams_active"), 2);
    slow.reader.stuck = true;
    await a.notify("notifications/resources/updated", { uri: "a://doc" });
    await until(() => reading.reader.texts.length > 1);
    assert.equal(slow.reader.ended, true);
    assert.equal(slow.listen.closed, true);
    assert.equal(read("sentinel_streams_active"), 1);
    assert.equal(read("sentinel_stream_events_dropped_total"), 1);
    const overflows = test.log.filter(({ event }) => event === "stream.overflow");
    assert.deepEqual(overflows.map(({ fields }) => fields), [{ transport: "streamable_http" }]);
    slow.listen.close("its connection ended");
    assert.equal(test.runtime.listens.size, 1);
  });

  it("are answered when the gateway begins to stop, and none is opened then", LIMIT, async () => {
    const a = backend = await startRecordingBackend("a");
    test = await startRuntime({ backends: { a: { url: a.url, era: "legacy" } } });
    const wanted = { toolsListChanged: true, resourceSubscriptions: ["a://doc"] };
    const [one, two] = [
      await listenTo(test.runtime, wanted, { id: '"x"' }),
      await listenTo(test.runtime, wanted, { id: "90071992547409931" }),
    ];
    const early = open(test.runtime, wanted);
    test.runtime.endWaiting();
    const last = '{"resultType":"complete","_meta":{"io.modelcontextprotocol/subscriptionId":';
    assert.equal(one.reader.texts.at(-1), `{"jsonrpc":"2.0","id":"x","result":${last}"x"}}}`);
    assert.ok(two.reader.texts.at(-1)?.endsWith(`${last}90071992547409931}}}`));
    await settle();
    for (const { reader } of [one, two, early]) assert.equal(reader.ended, true);
    assert.equal(early.reader.texts.length, 1, "no acknowledgement after the answer");
    assert.equal(refusal(() => open(test.runtime, {})).code, "OVERLOADED");
    assert.equal(read("sentinel_streams_active"), 0);
  });

  it("end when the token of their request does", async () => {
    test = await startRuntime({});
    const { runtime, clock } = test;
    const expiresAt = clock.now() + 60_000;
    const held = await listenTo(runtime, {}, { principal: holderOf([], { expiresAt }) });
    const other = await listenTo(runtime, {});
    await clock.advance(59_000);
    assert.equal(held.reader.ended, false);
    await clock.advance(2000);
    assert.equal(held.reader.messages.at(-1)?.["result"].resultType, "complete");
    assert.equal(held.reader.ended, true);
    assert.equal(other.reader.ended, false);
  });

  it("look at tokens only while there are any", async () => {
    test = await startRuntime({});
    const before = test.clock.pending;
    const { listen } = await listenTo(test.runtime, {});
    assert.equal(test.clock.pending, before + 1);
    listen.close("gone");
    assert.equal(test.clock.pending, before);
  });

  it("end when a reload takes their toolset or their issuer", async () => {
    const config: ConfigInput = {
      toolsets: { t: { tools: ["*"] } },
      auth: { mode: "jwt", jwt: [JWT] },
    };
    test = await startRuntime(config);
    const principal = holderOf(["r"], { issuer: ISSUER });
    const inToolset = await listenTo(test.runtime, {}, { toolset: "t", principal });
    const ofIssuer = await listenTo(test.runtime, {}, { principal });
    test.apply({ ...config, toolsets: {} });
    assert.equal(inToolset.reader.messages.at(-1)?.["result"].resultType, "complete");
    assert.equal(ofIssuer.reader.ended, false);
    test.apply({ auth: { mode: "jwt", jwt: [{ ...JWT, issuer: "https://other.test" }] } });
    assert.equal(ofIssuer.reader.ended, true);
    assert.equal(test.runtime.listens.size, 0);
  });
});
