import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import process from "node:process";
import { describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import type { MetricName } from "../../../src/contract/metrics.ts";
import { openHttpSse } from "../../../src/core/backends/http_sse_wire.ts";
import { systemRandom } from "../../../src/hosts/random.ts";
import { fixtureBackend, startCore, type TestCore } from "../../support/core.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { serveHttp } from "../../support/http_fixture.ts";
import { hostClient, WireProbe } from "../../support/http_fixture_wire.ts";
import { HttpSession } from "../../support/http_session.ts";

const ACTOR = { actor: { name: "test" } };

function valuesOf(core: TestCore, metric: MetricName): Record<string, number> {
  return Object.fromEntries(
    core.telemetry.read(metric).map((
      { labels, value },
    ) => [Object.values(labels).join(" "), value]),
  );
}

/** Backoff without a wait. */
const QUICK = { restart: { base: "1ms", max: "1ms" } };

async function until(isTrue: () => boolean, what: string): Promise<void> {
  for (let look = 0; look < 1000; look++) {
    if (isTrue()) return;
    await pause(10);
  }
  assert.fail(what);
}

describe("metrics of a backend", () => {
  it("count restarts by what made them necessary", async () => {
    const core = await startCore({ backends: { one: fixtureBackend(QUICK) } });
    const { control } = core.core;
    const isReady = () => control.backend("one", 0).state === "ready";
    const restarts = () => valuesOf(core, "sentinel_backend_restarts_total");
    await until(isReady, "ready");
    assert.deepEqual(restarts(), {
      "one exit": 0,
      "one signal": 0,
      "one unresponsive": 0,
      "one memory": 0,
      "one lost": 0,
      "one manual": 0,
      "one config": 0,
    });
    const session = await HttpSession.open(core.core.fetch);
    await session.call("one__die", { code: 3 });
    await until(() => restarts()["one exit"] === 1 && isReady(), "after an exit");
    process.kill(control.backend("one", 0).pid as number, "SIGKILL");
    await until(() => restarts()["one signal"] === 1 && isReady(), "after a signal");
    await control.reconnect("one", ACTOR);
    assert.equal(restarts()["one manual"], 1);
    await core.stop();
    assert.deepEqual(Object.values(restarts()), [1, 1, 0, 0, 0, 1, 0]);
  });

  it("count what it writes to stderr as it comes, and lines that are no messages", async () => {
    const script = "console.error('a\\nb'); console.log('no message'); process.stdin.resume()";
    const core = await startCore({
      backends: { noisy: { ...fixtureBackend(), args: ["-e", script], ...QUICK } },
    });
    const lines = (metric: MetricName) => valuesOf(core, metric)["noisy"];
    await until(() => lines("sentinel_backend_stderr_lines_total") === 2, "lines of stderr");
    await until(() => lines("sentinel_backend_invalid_output_lines_total") === 1, "invalid lines");
    await core.stop();
  });

  it("count a replacement of a changed configuration", async () => {
    const core = await startCore({ backends: { one: fixtureBackend() } });
    const { control } = core.core;
    await until(() => control.backend("one", 0).state === "ready", "ready");
    core.source.write({
      backends: { one: fixtureBackend({ env: { CHANGED: "1" } }) },
      reload: { grace: "0s" },
    });
    await control.reload(ACTOR);
    const { "one config": config, ...others } = valuesOf(core, "sentinel_backend_restarts_total");
    assert.equal(config, 1);
    assert.deepEqual(new Set(Object.values(others)), new Set([0]));
    await until(() => valuesOf(core, "sentinel_backend_links")["one"] === 1, "the old link's end");
    await core.stop();
    assert.equal(valuesOf(core, "sentinel_backend_links")["one"], 0);
  });

  it("count the event streams of HTTP backends that are open", async () => {
    const responses: ServerResponse[] = [];
    await using server = await serveHttp((_request, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write("event: endpoint\ndata: /messages\n\n");
      responses.push(response);
    });
    const open = { count: 0 };
    const streams = {
      add: (value: number) => void (open.count += value),
      set: () => {},
      observe: () => {},
    };
    const http = await hostClient();
    const wire = new WireProbe(openHttpSse({
      backend: "one",
      url: server.url,
      headers: {},
      http,
      clock: new FakeClock(),
      random: systemRandom,
      mask: (text) => text,
      streams,
    }));
    await until(() => open.count === 1, "an open stream");
    responses[0]?.end();
    await until(() => open.count === 0, "no open stream");
    await wire.wire.close();
    await http.close();
  });
});
