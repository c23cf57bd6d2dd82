import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type DroppedMessages, SentinelError } from "../../../src/contract/mod.ts";
import type { MetricName } from "../../../src/contract/metrics.ts";
import type { LinkRequest } from "../../../src/core/backends/link.ts";
import { LinkMetrics } from "../../../src/core/backends/link_metrics.ts";
import { openLink } from "../../../src/core/backends/open_link.ts";
import { Registry } from "../../../src/telemetry/registry.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { FakeWire } from "../../support/fake_wire.ts";

async function setUp() {
  const clock = new FakeClock();
  const wire = new FakeWire();
  const telemetry = new Registry();
  const dropped: DroppedMessages = {
    foreign: 0,
    duplicate: 0,
    late: 0,
    invalid: 0,
    unattributed: 0,
  };
  const link = await openLink(wire.open, {
    capabilities: {},
    version: "1",
    handshakeMs: 10_000,
    clock,
    dropped,
    invalid: () => {},
    metrics: new LinkMetrics("one", "pipe", telemetry),
    events: { notification: () => {}, closed: () => {} },
  });
  /** Sum and labels of what a histogram has recorded. */
  const read = (metric: MetricName) =>
    telemetry.read(metric).map(({ labels, value }) => ({
      ...Object.fromEntries(Object.entries(labels).filter(([, text]) => text !== "")),
      value,
    }));
  return { clock, wire, link, read };
}

const DURATION = "mcp_client_operation_duration_seconds";
const SESSION = "mcp_client_session_duration_seconds";
const PLACE = { network_transport: "pipe", sentinel_backend: "one" };
const CALL: LinkRequest = {
  method: "tools/call",
  params: { name: "t" },
  owner: "one",
  timeoutMs: 1000,
  tool: "one__t",
};

describe("metrics of a link", () => {
  it("time every request, the handshake too, and tell the caller how long it took", async () => {
    const { clock, wire, link, read } = await setUp();
    const exchange = link.request(CALL);
    assert.equal(exchange.tookMs, 0);
    await clock.advance(500);
    wire.say({ id: wire.last.id, result: { content: [] } });
    await exchange.reply;
    assert.equal(exchange.tookMs, 500);
    assert.deepEqual(read(DURATION), [
      { mcp_method_name: "initialize", ...PLACE, value: 0 },
      { mcp_method_name: "tools/call", gen_ai_tool_name: "one__t", ...PLACE, value: 0.5 },
    ]);
  });

  it("take every error for one, by its code or its class", async () => {
    const { clock, wire, link, read } = await setUp();
    const errors = () =>
      read(DURATION).map((series: Record<string, unknown>) => [
        series["error_type"],
        series["rpc_response_status_code"],
      ]).slice(1);
    const refused = link.request(CALL);
    wire.say({ id: wire.last.id, error: { code: -32602, message: "no" } });
    assert.ok("error" in await refused.reply);
    const failed = link.request(CALL);
    wire.say({ id: wire.last.id, result: { content: [], isError: true } });
    assert.deepEqual(await failed.reply, {
      result: '{"content":[],"isError":true}',
      isError: true,
    });
    const late = link.request(CALL);
    const timedOut = assert.rejects(late.reply, { code: "BACKEND_TIMEOUT" });
    await clock.advance(1500);
    await timedOut;
    const unwanted = link.request(CALL);
    const cancelled = assert.rejects(unwanted.reply);
    unwanted.cancel("enough");
    await cancelled;
    assert.deepEqual(errors(), [
      ["-32602", "-32602"],
      ["tool_error", undefined],
      ["timeout", undefined],
      ["cancelled", undefined],
    ]);
  });

  it("tell a connection that was lost from one that was ended", async () => {
    const lost = await setUp();
    assert.deepEqual(lost.read("sentinel_backend_links"), [{ sentinel_backend: "one", value: 1 }]);
    await lost.clock.advance(2000);
    lost.wire.events.closed(new SentinelError("BACKEND_LOST", "gone"));
    await lost.link.close();
    assert.deepEqual(lost.read(SESSION), [{ ...PLACE, error_type: "lost", value: 2 }]);
    assert.deepEqual(lost.read("sentinel_backend_links"), [{ sentinel_backend: "one", value: 0 }]);
    const ended = await setUp();
    await ended.clock.advance(3000);
    await ended.link.close();
    assert.deepEqual(ended.read(SESSION), [{ ...PLACE, value: 3 }]);
  });
});
