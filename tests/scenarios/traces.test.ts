/** A real gateway, real backends and a collector: what comes out at the end. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { after, before, describe, it } from "node:test";
import { stringify } from "smol-toml";
import { type Gateway, startGateway, stdioGateway } from "../support/gateway.ts";
import { HttpSession, overHttp, type Rpc } from "../support/http_session.ts";
import { refusedUrl } from "../support/http_fixture.ts";
import { modern, modernBody } from "../support/modern_http.ts";
import { type ModernBackend, serveModern } from "../support/modern_backend.ts";
import { attributesOf, type OtlpReceiver, startOtlpReceiver } from "../support/otlp_receiver.ts";
import { RUNTIME } from "../support/runtime.ts";
import { startTracedServer, tracedProcess, type TracedServer } from "../support/traced_backend.ts";

const SERVER = 2;
const CLIENT = 3;
/** Of a program that a signal asked to end, and that did so in order. */
const TERMINATED = 143;
const SPAN = "b7ad6b7169203331";
const QUICK = { OTEL_BSP_SCHEDULE_DELAY: "50", OTEL_METRIC_EXPORT_INTERVAL: "200" };

let traces = 0;

/** A context of a caller that keeps its trace. */
function context(): { readonly trace: string; readonly traceparent: string } {
  const trace = (++traces).toString(16).padStart(32, "c");
  return { trace, traceparent: `00-${trace}-${SPAN}-01` };
}

describe("traces", { timeout: 120_000 }, () => {
  let receiver: OtlpReceiver;
  let web: TracedServer;
  let next: ModernBackend;
  let gateway: Gateway;
  let session: HttpSession;

  before(async () => {
    receiver = await startOtlpReceiver();
    web = await startTracedServer();
    next = await serveModern();
    gateway = await startGateway(
      stringify({
        server: { name: "traced" },
        telemetry: {
          traces: { otlp: receiver.url, sample: 0 },
          metrics: { otlp: receiver.url },
        },
        backends: {
          child: tracedProcess(),
          web: {
            url: web.url,
            era: "legacy",
            retry: { tools: ["meta"], base: "1ms", max: "2ms" },
          },
          next: { url: next.url.href, era: "modern" },
        },
      }),
      { env: { ...QUICK, OTEL_RESOURCE_ATTRIBUTES: "deployment.environment=test%20one" } },
    );
    session = await HttpSession.open(overHttp(gateway.url));
    await spansMade();
  });

  after(async () => {
    await gateway?.stop();
    await receiver.close();
    await web.close();
    await next.close();
  });

  /** The SDK is loaded after listening: calls of before have no spans. */
  async function spansMade(): Promise<void> {
    for (;;) {
      await session.call("child__unknown", {});
      const { traceparent } = context();
      const answer = await call("child__meta", traceparent);
      if (answer["traceparent"] !== traceparent) return;
    }
  }

  /** What the backend got as `_meta`. */
  async function call(name: string, traceparent: string): Promise<Rpc> {
    const params = { name, arguments: {}, _meta: { traceparent, keep: 1 } };
    const { result } = await session.request("tools/call", params);
    return JSON.parse(result.content[0].text) as Rpc;
  }

  /** The spans of a trace: the call's, and those of its requests, oldest first. */
  async function spansOf(trace: string, count: number) {
    const spans = await receiver.awaitSpans(count, ({ traceId }) => traceId === trace);
    const [own] = spans.filter(({ kind }) => kind === SERVER);
    const asked = spans.filter(({ kind }) => kind === CLIENT);
    assert.equal(spans.length, count);
    assert.equal(own?.parentSpanId, SPAN);
    for (const { parentSpanId } of asked) assert.equal(parentSpanId, own?.spanId);
    return { own, asked };
  }

  for (const [backend, what] of [["child", "a process"], ["web", "a server over HTTP"]] as const) {
    it(`client, gateway and ${what} are one trace`, async () => {
      const { trace, traceparent } = context();
      const meta = await call(`${backend}__meta`, traceparent);
      const { own, asked } = await spansOf(trace, 2);
      assert.equal(meta["keep"], 1);
      assert.equal(meta["traceparent"], `00-${trace}-${asked[0]?.spanId}-01`);
      assert.equal(own?.name, `tools/call ${backend}__meta`);
      assert.equal(own?.resource["service.name"], "traced");
      assert.equal(own?.resource["deployment.environment"], "test one");
      assert.equal(own?.resource["process.command_args"], undefined);
    });
  }

  it("a call over a bridge is one trace, in both directions", async () => {
    const first = context();
    const { answer } = await modern(
      overHttp(gateway.url),
      "tools/call",
      { name: "child__meta", arguments: {} },
      { meta: { traceparent: first.traceparent }, headers: { host: new URL(gateway.url).host } },
    );
    const up = await spansOf(first.trace, 2);
    const meta = JSON.parse(answer["result"].content[0].text) as Rpc;
    assert.equal(meta["traceparent"], `00-${first.trace}-${up.asked[0]?.spanId}-01`);
    const second = context();
    await call("next__steps", second.traceparent);
    const down = await spansOf(second.trace, 2);
    const seen = next.seen.filter(({ message }) => message.method === "tools/call").at(-1);
    const carried = `00-${second.trace}-${down.asked[0]?.spanId}-01`;
    assert.equal(seen?.message["params"]._meta.traceparent, carried);
    assert.equal(seen?.headers["traceparent"], carried);
  });

  it("a request that is sent again is a sibling in it", async () => {
    const { trace, traceparent } = context();
    web.breakOff(1);
    await call("web__meta", traceparent);
    const { asked } = await spansOf(trace, 3);
    assert.deepEqual(asked.map(({ attributes }) => attributes["sentinel.attempt"]), [1, 2]);
    assert.deepEqual(asked.map(({ status }) => status), [2, 0]);
  });

  it("of traces that begin here and are not sampled, what fails is kept", async () => {
    const before = receiver.spans.length;
    await session.call("child__meta");
    await session.call("child__fail");
    const spans = await receiver.awaitSpans(before + 2);
    const names = spans.slice(before).map(({ name }) => name).sort();
    assert.deepEqual(names, ["tools/call child__fail", "tools/call fail"]);
    const [first, second] = spans.slice(before);
    assert.equal(first?.traceId, second?.traceId);
  });

  it("the metrics come too, counted once", async () => {
    const scrape = async () => {
      const response = await fetch(new URL("/metrics", gateway.managementUrl), {
        headers: { authorization: `Bearer ${gateway.token}` },
      });
      const line = /^mcp_server_operation_duration_seconds_count\{[^}]*child__fail[^}]*\} (\d+)$/m;
      return Number(line.exec(await response.text())?.[1]);
    };
    const counted = await scrape();
    assert.ok(counted > 0);
    const calls = await pushed((point) => Number(point?.["count"]) === counted);
    assert.equal(calls.unit, "s");
    assert.equal(calls.data["aggregationTemporality"], 2);
    const up = receiver.metrics.find(({ name }) => name === "sentinel_backend_up");
    assert.equal(up?.data["dataPoints"].length, 3);
    const starts = receiver.metrics.find(({ name }) => name === "sentinel_backend_retries");
    assert.equal(starts?.data["isMonotonic"], true);
  });

  /** The histogram of calls, once a push says the wanted of the tool that fails. */
  async function pushed(isWanted: (point: Rpc | undefined) => boolean) {
    for (;;) {
      const found = receiver.metrics.find(({ name }) => name === "mcp.server.operation.duration");
      const point = (found?.data["dataPoints"] as Rpc[] | undefined)?.find(({ attributes }) =>
        attributesOf(attributes)["gen_ai.tool.name"] === "child__fail"
      );
      if (found !== undefined && isWanted(point)) return found;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
});

describe("traces over stdin and stdout", { timeout: 120_000 }, () => {
  it("are one trace too, and nothing but messages is on stdout", async () => {
    const receiver = await startOtlpReceiver();
    const { command, args, env, remove } = await stdioGateway(
      stringify({
        telemetry: { traces: { otlp: receiver.url } },
        backends: { child: tracedProcess() },
      }),
      { env: { ...QUICK, OTEL_LOG_LEVEL: "debug" } },
    );
    const gateway = spawn(command, args, { env, stdio: ["pipe", "pipe", "ignore"] });
    const ended = once(gateway, "close");
    try {
      const lines = createInterface({ input: gateway.stdout })[Symbol.asyncIterator]();
      const { trace, traceparent } = context();
      const params = { name: "child__meta", arguments: {} };
      let got: string | undefined = traceparent;
      // The SDK is loaded after the first calls are served.
      for (let id = 1; got === traceparent; id++) {
        const body = modernBody("tools/call", params, { id, meta: { traceparent } });
        gateway.stdin.write(`${JSON.stringify(body)}\n`);
        const answer = JSON.parse(String((await lines.next()).value)) as Rpc;
        assert.equal(answer.id, id);
        got = (JSON.parse(answer["result"].content[0].text) as Rpc)["traceparent"];
      }
      const spans = await receiver.awaitSpans(2, ({ traceId }) => traceId === trace);
      const own = spans.find(({ kind }) => kind === SERVER);
      const asked = spans.find(({ kind }) => kind === CLIENT);
      assert.equal(own?.parentSpanId, SPAN);
      assert.equal(own?.attributes["network.transport"], "pipe");
      assert.equal(asked?.parentSpanId, own?.spanId);
      assert.equal(got, `00-${trace}-${asked?.spanId}-01`);
      gateway.stdin.end();
      assert.equal((await lines.next()).done, true);
      await ended;
    } finally {
      gateway.kill("SIGKILL");
      await ended;
      await remove();
      await receiver.close();
    }
  });
});

describe("a collector that is away", { timeout: 120_000 }, () => {
  it("is told of once, holds no call and no stop up, and gets what waited", async () => {
    const { port } = await refusedUrl();
    const gateway = await startGateway(
      stringify({
        telemetry: { traces: { otlp: `http://127.0.0.1:${port}`, sample: 1 } },
        backends: { child: tracedProcess() },
      }),
      { env: QUICK },
    );
    try {
      const session = await HttpSession.open(overHttp(gateway.url));
      while (!gateway.stderr.includes("telemetry.failed")) {
        const { result } = await session.call("child__meta");
        assert.ok(Array.isArray(result.content));
      }
      const receiver = await startOtlpReceiver(Number(port));
      try {
        await gateway.printed(/telemetry\.recovered/);
        assert.ok(receiver.spans.length > 0);
        assert.equal(gateway.stderr.match(/telemetry\.failed/g)?.length, 1);
      } finally {
        await receiver.close();
      }
      await session.call("child__meta");
      assert.deepEqual(await gateway.stop(), { code: TERMINATED });
    } finally {
      await gateway.kill();
    }
  });
});

// The other runtimes have none of their own.
if (RUNTIME === "deno") {
  describe("traces of the runtime itself", { timeout: 120_000 }, () => {
    it("are Deno's, with the gateway's spans in them, and no second exporter", async () => {
      const receiver = await startOtlpReceiver();
      const elsewhere = await startOtlpReceiver();
      const gateway = await startGateway(
        stringify({
          telemetry: { traces: { otlp: elsewhere.url, sample: 1 } },
          backends: { child: tracedProcess() },
        }),
        {
          env: {
            ...QUICK,
            OTEL_DENO: "true",
            OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
            OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
          },
        },
      );
      try {
        const session = await HttpSession.open(overHttp(gateway.url));
        const { trace, traceparent } = context();
        let got: Rpc = {};
        while (got["traceparent"] === undefined || got["traceparent"] === traceparent) {
          const params = { name: "child__meta", arguments: {}, _meta: { traceparent } };
          const { result } = await session.request("tools/call", params);
          got = JSON.parse(result.content[0].text) as Rpc;
        }
        const isOurs = ({ name, traceId }: { name: string; traceId: string }) =>
          traceId === trace && name === "tools/call meta";
        const [asked] = await receiver.awaitSpans(1, isOurs);
        const [own] = await receiver.awaitSpans(1, ({ spanId }) => spanId === asked?.parentSpanId);
        assert.equal(own?.name, "tools/call child__meta");
        assert.equal(own?.parentSpanId, SPAN);
        const has = (metric: string) => receiver.metrics.some(({ name }) => name === metric);
        while (!has("mcp.server.operation.duration") || !has("sentinel_backend_up")) {
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
        assert.deepEqual([elsewhere.spans, elsewhere.metrics], [[], []]);
      } finally {
        // Deno 2.9 may not end while it exports metrics.
        await gateway.kill();
        await receiver.close();
        await elsewhere.close();
      }
    });
  });
}
