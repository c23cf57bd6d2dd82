import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { MetricName } from "../../../src/contract/metrics.ts";
import { ANONYMOUS } from "../../../src/core/auth/principal.ts";
import { sessionKit } from "./session_kit.ts";

function setUp() {
  const { clock, sessions, telemetry } = sessionKit();
  const read = (metric: MetricName) =>
    Object.fromEntries(
      telemetry.read(metric).map(({ labels, value }) => [Object.values(labels).join(" "), value]),
    );
  return { clock, sessions, read };
}

describe("metrics of sessions", () => {
  it("count open ones by transport, and how long each lasted", async () => {
    const { clock, sessions, read } = setUp();
    const pipe = sessions.open("stdio", undefined, ANONYMOUS);
    sessions.open("streamable_http", undefined, ANONYMOUS);
    const old = sessions.open("http_sse", undefined, ANONYMOUS);
    old.revision = "2024-11-05";
    assert.deepEqual(read("sentinel_sessions_active"), { pipe: 1, tcp: 2 });
    assert.deepEqual(read("mcp_server_session_duration_seconds"), {});
    await clock.advance(2000);
    pipe.close("the client went away");
    await clock.advance(3000);
    old.close("the client went away");
    assert.deepEqual(read("sentinel_sessions_active"), { pipe: 0, tcp: 1 });
    assert.deepEqual(read("mcp_server_session_duration_seconds"), {
      "pipe 2025-11-25": 2,
      "tcp 2024-11-05": 5,
    });
    assert.deepEqual(read("sentinel_session_evictions_total"), {
      idle: 0,
      lifetime: 0,
      operator: 0,
      config: 0,
    });
  });

  it("count those that were ended because they were idle", async () => {
    const { clock, sessions, read } = setUp();
    sessions.open("streamable_http", undefined, ANONYMOUS);
    await clock.advance(31_000);
    assert.equal(sessions.size, 0);
    assert.deepEqual(read("sentinel_session_evictions_total"), {
      idle: 1,
      lifetime: 0,
      operator: 0,
      config: 0,
    });
  });
});
