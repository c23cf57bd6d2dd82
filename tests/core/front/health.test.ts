import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { type ConfigInput, fixtureBackend, startCore, type TestCore } from "../../support/core.ts";
import type { CoreParts } from "../../support/core.ts";
import { startChangingBackend } from "../../support/changing_backend.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { BASE } from "../../support/http_session.ts";
import { proves } from "../../support/proves.ts";
import { MemorySessionStore } from "../../../src/stores/memory/session_store.ts";
import { systemRandom } from "../../../src/hosts/random.ts";
import { until } from "../../scenarios/until.ts";

const READY_MS = 30_000;
const TIMEOUT = { timeout: 60_000 };
const TOOL = { name: "t", inputSchema: { type: "object" } };

interface Probed {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly told: { readonly status?: string; readonly reasons?: readonly string[] };
}

describe("health and readiness of the data plane", () => {
  let gateway: TestCore | undefined;

  afterEach(async () => {
    await gateway?.stop();
    gateway = undefined;
  });

  async function start(config: ConfigInput, parts: CoreParts = {}): Promise<TestCore> {
    return gateway = await startCore(config, parts);
  }

  async function probe(path: string, init: RequestInit = {}): Promise<Probed> {
    const headers = { host: "127.0.0.1:8808", ...init.headers as Record<string, string> };
    const request = new Request(BASE + path, { ...init, headers });
    const response = await (gateway as TestCore).core.fetch(request);
    const text = await response.text();
    const told = text.startsWith("{") ? JSON.parse(text) : {};
    return { status: response.status, headers: response.headers, text, told };
  }

  const isReady = async () => assert.equal((await probe("/ready")).status, 200);

  proves("G7.1", "/health is 200 while the process runs, whatever its backends do", async () => {
    await start({ backends: { broken: { command: "/nowhere" } } });
    const { status, told } = await probe("/health");
    assert.equal(status, 200);
    assert.equal(told.status, "alive");
    const head = await probe("/health", { method: "HEAD" });
    assert.deepEqual([head.status, head.text], [200, ""]);
  });

  proves("G7.2", "/ready is 503 before the first backend answered, 200 from then on", async () => {
    await start({ backends: { a: fixtureBackend(), broken: { command: "/nowhere" } } });
    const first = await probe("/ready");
    assert.equal(first.status, 503);
    assert.deepEqual(first.told.reasons, ["starting"]);
    assert.equal(first.headers.get("retry-after"), "1");
    await until(isReady, READY_MS);
    const { told } = await probe("/ready");
    assert.equal(told.status, "ready");
    assert.match(String(told.reasons), /^1 backend (backoff|starting|fatal)$/);
  }, TIMEOUT);

  proves(
    "G7.2",
    "/ready waits two seconds for all first handshakes, then tells of them",
    async () => {
      const [here, late] = [await startChangingBackend([TOOL]), await startChangingBackend([TOOL])];
      const handshake = Promise.withResolvers<void>();
      late.handshake = handshake.promise;
      const clock = new FakeClock();
      try {
        await start({ backends: { here: { url: here.url }, late: { url: late.url } } }, { clock });
        await until(() => {
          const { backends } = (gateway as TestCore).core.snapshot();
          assert.equal(backends.find(({ name }) => name === "here")?.state, "ready");
        }, READY_MS);
        const early = await probe("/ready");
        assert.deepEqual([early.status, early.told.reasons], [503, ["starting"]]);
        await clock.advance(2000);
        const { status, told } = await probe("/ready");
        assert.deepEqual([status, told.reasons], [200, ["1 backend starting"]]);
      } finally {
        handshake.resolve();
        await here.close();
        await late.close();
      }
    },
    TIMEOUT,
  );

  proves("G7.2", "/ready is 503 when no backend is ready, and names none of them", async () => {
    await start({ backends: { secretive: { command: "/nowhere" } } });
    await until(async () => {
      const { status, told } = await probe("/ready");
      assert.equal(status, 503);
      assert.equal(told.reasons?.[0], "no backend is ready");
    }, READY_MS);
    assert.doesNotMatch((await probe("/ready")).text, /secretive|nowhere/);
  }, TIMEOUT);

  it("is 503 over an empty catalog", TIMEOUT, async () => {
    await start({ backends: {} });
    await until(async () => {
      const { status, told } = await probe("/ready");
      assert.deepEqual([status, told.reasons], [503, ["no backend is configured"]]);
    }, READY_MS);
    await gateway?.stop();
    const empty = await startChangingBackend([]);
    try {
      await start({ backends: { empty: { url: empty.url } } });
      await until(async () => {
        const { status, told } = await probe("/ready");
        assert.deepEqual([status, told.reasons], [503, ["the catalog is empty"]]);
      }, READY_MS);
    } finally {
      await empty.close();
    }
  });

  proves(["G7.2", "G7.5"], "/ready turns 503 first when a stop is asked for", async () => {
    await start({ backends: { a: fixtureBackend() } });
    await until(isReady, READY_MS);
    gateway?.core.beginStop();
    const { status, told } = await probe("/ready");
    assert.deepEqual([status, told.reasons], [503, ["stopping"]]);
    assert.equal((await probe("/health")).status, 200);
  }, TIMEOUT);

  it(
    "is 503 without a session store that is required, and 200 when it is not",
    TIMEOUT,
    async () => {
      const failing = Object.defineProperty(
        new MemorySessionStore({ clock: new FakeClock(), random: systemRandom }),
        "failure",
        { get: () => "connection refused" },
      );
      await start({ backends: { a: fixtureBackend() } }, { sessions: failing });
      await until(isReady, READY_MS);
      await gateway?.stop();
      await start(
        { backends: { a: fixtureBackend() }, sessions: { required: true } },
        { sessions: failing },
      );
      await until(async () => {
        const { told, text } = await probe("/ready");
        assert.deepEqual(told.reasons, ["the session store cannot be used"]);
        assert.doesNotMatch(text, /refused/);
      }, READY_MS);
    },
  );

  it("needs no token, but a Host it knows", async () => {
    const issuer = { issuer: "https://id.test", audience: "x", secret: "s".repeat(32) };
    await start({ backends: {}, auth: { mode: "jwt", jwt: [issuer] } });
    assert.equal((await probe("/health")).status, 200);
    assert.equal((await probe("/ready")).status, 503);
    assert.equal((await probe("/health", { headers: { host: "evil.example" } })).status, 421);
    assert.equal((await probe("/health", { method: "POST", body: "{}" })).status, 405);
  });
});
