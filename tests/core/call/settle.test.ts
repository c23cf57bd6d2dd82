import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setImmediate } from "node:timers/promises";
import * as v from "valibot";
import { CallSchema } from "../../../src/contract/manage/answers.ts";
import type { CallRecord } from "../../../src/contract/manage/mod.ts";
import type { MetricName } from "../../../src/contract/metrics.ts";
import type { Reading } from "../../../src/telemetry/recorder.ts";
import { fixtureBackend, startCore, type TestCore } from "../../support/core.ts";
import { HttpSession } from "../../support/http_session.ts";

const DURATION = "mcp_server_operation_duration_seconds";
const ACTOR = { actor: { name: "test" } };

/** What a metric has recorded so far, to see what one call adds. */
function counter(core: TestCore) {
  const countOf = ({ counts, value }: Reading) =>
    counts.length === 0 ? value : counts.reduce((sum, one) => sum + one, 0);
  const read = (metric: MetricName) =>
    new Map(
      core.telemetry.read(metric).map((
        reading,
      ) => [JSON.stringify(reading.labels), countOf(reading)]),
    );
  return async (metric: MetricName, act: () => Promise<unknown>) => {
    const earlier = read(metric);
    await act();
    await setImmediate();
    return [...read(metric)]
      .filter(([labels, count]) => count !== (earlier.get(labels) ?? 0))
      .map(([labels, count]) => ({
        labels: JSON.parse(labels) as Record<string, string>,
        added: count - (earlier.get(labels) ?? 0),
      }));
  };
}

describe("settle", () => {
  let core: TestCore;
  let session: HttpSession;
  let added: ReturnType<typeof counter>;

  before(async () => {
    core = await startCore({
      backends: { one: fixtureBackend({ timeout: "300ms" }), off: fixtureBackend() },
      catalog: { prefix: "always" },
    });
    session = await HttpSession.open(core.core.fetch);
    await session.request("tools/list");
    added = counter(core);
  });

  after(() => core.stop());

  /** Labels of the one series that a call adds to. */
  async function labelsOf(act: () => Promise<unknown>): Promise<Record<string, string>> {
    const [only, ...others] = await added(DURATION, act);
    assert.deepEqual(others, []);
    assert.equal(only?.added, 1);
    return only?.labels ?? {};
  }

  const say = (line: unknown) =>
    session.call("one__say", { line: JSON.stringify(line).replace('"$ID"', "$ID") });

  it("tells calls apart by method, tool, backend, front, revision and outcome", async () => {
    assert.deepEqual(await labelsOf(() => session.call("one__echo", { a: 1 })), {
      mcp_method_name: "tools/call",
      gen_ai_tool_name: "one__echo",
      error_type: "",
      rpc_response_status_code: "",
      network_transport: "tcp",
      mcp_protocol_version: "2025-11-25",
      sentinel_backend: "one",
      sentinel_outcome: "ok",
    });
    const old = await HttpSession.open(core.core.fetch, { revision: "2025-03-26" });
    const listed = await labelsOf(() => old.request("prompts/list"));
    assert.equal(listed["mcp_protocol_version"], "2025-03-26");
    assert.equal(listed["gen_ai_tool_name"], "");
  });

  it("makes no series of names that callers made up", async () => {
    const unknown = await labelsOf(() => session.call("made-up-tool"));
    assert.equal(unknown["gen_ai_tool_name"], "_other");
    assert.equal(unknown["sentinel_backend"], "");
    const method = await labelsOf(() => session.request("made/up"));
    assert.equal(method["mcp_method_name"], "_other");
    const before = core.telemetry.read(DURATION).length;
    for (let index = 0; index < 100; index++) {
      await session.call(`made-up-${index}`);
      await session.request(`made/up/${index}`);
    }
    assert.equal(core.telemetry.read(DURATION).length, before);
  });

  it("takes a caller's mistake for no error of the server", async () => {
    const unknown = await labelsOf(() => session.call("made-up-tool"));
    assert.equal(unknown["sentinel_outcome"], "invalid");
    assert.equal(unknown["error_type"], "");
    assert.equal(unknown["rpc_response_status_code"], "-32602");
    const remote = await labelsOf(() =>
      say({ jsonrpc: "2.0", id: "$ID", error: { code: -32602, message: "no" } })
    );
    assert.deepEqual(
      [remote["sentinel_outcome"], remote["error_type"], remote["rpc_response_status_code"]],
      ["invalid", "", "-32602"],
    );
  });

  it("sees a tool's own error, and only where it says so itself", async () => {
    const result = (extra: object) => ({
      jsonrpc: "2.0",
      id: "$ID",
      result: { content: [], ...extra },
    });
    const failed = await labelsOf(() => say(result({ isError: true })));
    assert.deepEqual([failed["sentinel_outcome"], failed["error_type"]], [
      "tool_error",
      "tool_error",
    ]);
    const inside = [
      result({ isError: false }),
      result({ structuredContent: { isError: true } }),
      result({ content: [{ type: "text", text: '{"isError":true}' }] }),
    ];
    for (const answer of inside) {
      assert.equal((await labelsOf(() => say(answer)))["sentinel_outcome"], "ok");
    }
  });

  it("gives a backend's errors their code, within bounds", async () => {
    const error = (code: number) => ({ jsonrpc: "2.0", id: "$ID", error: { code, message: "no" } });
    const known = await labelsOf(() => say(error(-32603)));
    assert.deepEqual([known["sentinel_outcome"], known["error_type"]], [
      "upstream_error",
      "-32603",
    ]);
    const other = await labelsOf(() => say(error(12_345)));
    assert.deepEqual([other["sentinel_outcome"], other["error_type"]], [
      "upstream_error",
      "_other",
    ]);
  });

  it("knows timeout, cancellation and a kill switch", async () => {
    const late = await labelsOf(() => session.call("one__wait"));
    assert.deepEqual([late["sentinel_outcome"], late["error_type"]], ["timeout", "-31022"]);
    await core.core.control.kill({ scope: "tools", name: "one__echo", reason: "test" }, ACTOR);
    const killed = await labelsOf(() => session.call("one__echo"));
    const denied = await added("sentinel_denials_total", () => session.call("one__echo"));
    await core.core.control.clearKill({ scope: "tools", name: "one__echo" }, ACTOR);
    assert.deepEqual([killed["sentinel_outcome"], killed["error_type"]], ["killed", ""]);
    assert.deepEqual(denied, [{
      labels: { reason: "kill_switch", sentinel_backend: "one", gen_ai_tool_name: "one__echo" },
      added: 1,
    }]);
    const cancelled = await added(DURATION, async () => {
      void session.send("tools/call", { name: "one__wait" }, "cancelled");
      await session.request("ping");
      await session.notify("notifications/cancelled", { requestId: "cancelled" });
    });
    const outcomes = cancelled.map(({ labels }) => labels["sentinel_outcome"]);
    assert.deepEqual(outcomes.toSorted(), ["cancelled", "ok"]);
  });

  it("counts sessions and hosts that fronts turn away", async () => {
    const headers = { "mcp-session-id": "0".repeat(32) };
    const unknown = await added(
      "sentinel_denials_total",
      () => session.post({ jsonrpc: "2.0", id: 1, method: "ping" }, headers),
    );
    assert.deepEqual(unknown.map(({ labels }) => labels["reason"]), ["session"]);
    const foreign = await added(
      "sentinel_denials_total",
      () =>
        session.post({ jsonrpc: "2.0", id: 1, method: "ping" }, { origin: "https://evil.example" }),
    );
    assert.deepEqual(foreign.map(({ labels }) => labels["reason"]), ["origin"]);
  });

  it("measures what the gateway itself took, and the size of results", async () => {
    const slow = await added("sentinel_gateway_overhead_seconds", () => session.call("one__wait"));
    assert.deepEqual(slow.map(({ labels, added }) => [labels["mcp_method_name"], added]), [
      ["tools/call", 1],
    ]);
    const [own] = core.telemetry.read("sentinel_gateway_overhead_seconds")
      .filter(({ labels }) => labels["mcp_method_name"] === "tools/call");
    const [whole] = core.telemetry.read(DURATION)
      .filter(({ labels }) => labels["sentinel_outcome"] === "timeout");
    assert.ok((whole?.value ?? 0) >= 0.3 * 2, "two calls waited 300 ms each");
    assert.ok((own?.value ?? 1) < (whole?.value ?? 0) / 2, "the wait is not the gateway's");
    const sized = await added(
      "sentinel_tool_result_bytes",
      () => session.call("one__echo", { a: 1 }),
    );
    assert.deepEqual(sized.map(({ labels }) => labels), [{ sentinel_backend: "one" }]);
  });

  it("has a request id as exemplar that stands in the log", async () => {
    await session.call("one__echo");
    const requests = core.log.filter(({ event }) => event === "call.finished")
      .map(({ fields }) => fields["request_id"]);
    const echo = core.telemetry.read(DURATION).find(({ labels }) =>
      labels["gen_ai_tool_name"] === "one__echo" && labels["sentinel_outcome"] === "ok"
    );
    const exemplars = echo?.counts.flatMap((_count, bucket) =>
      echo.exemplar(bucket)?.request ?? []
    );
    assert.ok(exemplars !== undefined && exemplars.length > 0);
    for (const request of exemplars) assert.ok(requests.includes(request));
  });

  it("leaves no call in flight behind", () => {
    assert.equal(core.core.inFlight(), 0);
  });

  it("tells who watches about each call, within the schema and without arguments", async () => {
    const calls: CallRecord[] = [];
    const cancel = core.core.control.onCall((call) => void calls.push(call));
    await session.call("one__echo", { secret: "hunter2" });
    await session.call("made-up-tool");
    cancel();
    await session.call("one__echo");
    assert.equal(calls.length, 2);
    for (const call of calls) v.parse(v.strictObject(CallSchema.entries), call);
    assert.deepEqual(
      calls.map((
        { method, name, backend, outcome, error },
      ) => [method, name, backend, outcome, error]),
      [
        ["tools/call", "one__echo", "one", "ok", undefined],
        ["tools/call", undefined, undefined, "invalid", "INVALID_PARAMS"],
      ],
    );
    assert.doesNotMatch(JSON.stringify(calls), /hunter2/);
    const refs = [...core.core.control.sessions(0)].map(({ id }) => id);
    assert.ok(refs.includes(calls[0]?.session as string));
    assert.ok(!JSON.stringify(calls).includes(session.headers["mcp-session-id"] as string));
  });

  it("counts failures of the gateway and of backends, not those of callers and tools", async () => {
    const ratio = () => core.core.control.backend("one", 0).traffic.errorRatio;
    const before = core.core.control.backend("one", 0).traffic;
    await session.call("one__echo");
    await say({ jsonrpc: "2.0", id: "$ID", result: { content: [], isError: true } });
    await say({ jsonrpc: "2.0", id: "$ID", error: { code: -32602, message: "no" } });
    const after = core.core.control.backend("one", 0).traffic;
    assert.equal(after.callsPerMinute, before.callsPerMinute + 3);
    assert.ok(ratio() < before.errorRatio);
    await say({ jsonrpc: "2.0", id: "$ID", error: { code: -32603, message: "no" } });
    assert.ok(ratio() > after.errorRatio);
    const whole = core.core.control.status().traffic;
    assert.ok(whole.callsPerMinute > after.callsPerMinute);
  });
});
