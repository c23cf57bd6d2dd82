import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { MetricName } from "../../../src/contract/metrics.ts";
import { ANONYMOUS } from "../../../src/core/auth/principal.ts";
import { Sessions } from "../../../src/core/session/registry.ts";
import { MemorySessionStore } from "../../../src/stores/memory/session_store.ts";
import { systemRandom } from "../../../src/hosts/random.ts";
import { Registry } from "../../../src/telemetry/registry.ts";
import { FakeClock } from "../../support/fake_clock.ts";

function setUp() {
  const clock = new FakeClock();
  const telemetry = new Registry();
  const sessions = new Sessions({
    clock,
    random: systemRandom,
    instance: "0123456789ab",
    store: new MemorySessionStore({ clock, random: systemRandom }),
    telemetry,
    bounds: () => ({ max: 10, idleMs: 30_000, heartbeatMs: 15_000 }),
    onOpen: () => {},
    onRoles: () => {},
    onClose: () => {},
  });
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
    assert.deepEqual(read("sentinel_session_evictions_total"), { idle: 0, operator: 0, config: 0 });
  });

  it("count those that were ended because they were idle", async () => {
    const { clock, sessions, read } = setUp();
    sessions.open("streamable_http", undefined, ANONYMOUS);
    await clock.advance(31_000);
    assert.equal(sessions.size, 0);
    assert.deepEqual(read("sentinel_session_evictions_total"), { idle: 1, operator: 0, config: 0 });
  });
});
