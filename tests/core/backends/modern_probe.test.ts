/** What a backend over HTTP answers to the question for its era, and what follows from it. */
import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { describe, it } from "node:test";
import { FakeClock, settle } from "../../support/fake_clock.ts";
import {
  acknowledge,
  type Act,
  event,
  eventually,
  json,
  type Script,
  serveScript,
  stream,
  success,
} from "../../support/http_fixture_wire.ts";
import { discovered } from "../../support/modern_backend.ts";
import { drive, type Driven } from "./backend_driver.ts";

const DISCOVER = "server/discover";
const HOUR_MS = 3_600_000;
const GOOD = discovered({});

/** Answers with a status and, when given, a JSON body. */
function status(code: number, body?: unknown): Act {
  return (response) => {
    const type = body === undefined ? {} : { "content-type": "application/json" };
    response.writeHead(code, type).end(body === undefined ? "no" : JSON.stringify(body));
  };
}

function refused(code: number, error: unknown): Act {
  return (response, id) => status(code, { jsonrpc: "2.0", id, error })(response, id, null as never);
}

const UNKNOWN = { code: -32601, message: "Method not found" };
const OTHER_REVISION = { code: -32022, message: "no", data: { supported: ["2027-01-01"] } };

/** What comes of each answer: the era, or the code the attempt fails with. */
const ANSWERS: readonly (readonly [string, Act, string])[] = [
  ["a valid result", (response, id) => json(response, success(id, GOOD)), "modern"],
  ["a valid result on a stream", (response, id) => {
    stream(response, event(success(id, GOOD)));
    response.end();
  }, "modern"],
  ["an empty result", (response, id) => json(response, success(id, {})), "legacy"],
  [
    "revisions we do not know",
    (response, id) => json(response, success(id, { ...GOOD, supportedVersions: ["2027-01-01"] })),
    "legacy",
  ],
  [
    "no capabilities",
    (response, id) => json(response, success(id, { ...GOOD, capabilities: 1 })),
    "legacy",
  ],
  ["an error in band", refused(200, UNKNOWN), "legacy"],
  ["acknowledgement alone", acknowledge, "legacy"],
  [
    "a page",
    (response) => void response.writeHead(200, { "content-type": "text/html" }).end("<p>"),
    "legacy",
  ],
  ["400 without JSON", status(400), "legacy"],
  [
    "400 with an error for nobody",
    status(400, { jsonrpc: "2.0", id: null, error: UNKNOWN }),
    "legacy",
  ],
  ["400 with an error", refused(400, { code: -32000, message: "no session" }), "legacy"],
  ["400 with revisions we do not know", refused(400, OTHER_REVISION), "legacy"],
  ["404", status(404), "legacy"],
  ["405", status(405), "legacy"],
  ["406", status(406), "legacy"],
  ["415", status(415), "legacy"],
  ["422", status(422), "legacy"],
  ["401", status(401), "BACKEND_LOST"],
  ["401 with an error", refused(401, UNKNOWN), "BACKEND_LOST"],
  ["403", status(403), "BACKEND_LOST"],
  ["403 with an error", refused(403, UNKNOWN), "BACKEND_LOST"],
  ["407", status(407), "BACKEND_PROTOCOL"],
  ["408 with an error", refused(408, UNKNOWN), "BACKEND_PROTOCOL"],
  ["429", status(429), "BACKEND_LOST"],
  ["500 with an error", refused(500, UNKNOWN), "BACKEND_PROTOCOL"],
  ["503", status(503), "BACKEND_LOST"],
  [
    "a redirect",
    (response) => void response.writeHead(307, { location: "/" }).end(),
    "BACKEND_PROTOCOL",
  ],
  ["a lost connection", (response) => void response.destroy(), "BACKEND_LOST"],
];

/** A backend of this script, after its first attempt. */
async function probed(script: Script, more: Record<string, unknown> = {}, clock = new FakeClock()) {
  const server = await serveScript(script);
  // Pings would be late on a clock that leaps.
  const health = { interval: "1d" };
  const driven = await drive({ url: server.url.href, health, ...more }, clock);
  await driven.settled;
  const methods = () => server.seen.map(({ method, http }) => method ?? http);
  const end = async () => {
    await driven[Symbol.asyncDispose]();
    await server.close();
  };
  return { server, driven, methods, clock, end, [Symbol.asyncDispose]: end };
}

function verdictOf({ backend, log }: Driven): string {
  const { era } = backend.status(0);
  if (era !== undefined) return era;
  const failure = log.find(({ event: name }) => name === "backend.failed");
  return String(failure?.fields["reason"]);
}

/** Loses its connection and waits for the end of the next attempt. */
async function again({ driven: { backend }, clock }: { driven: Driven; clock: FakeClock }) {
  // One that is under way, because the clock has leapt, would be taken for the next.
  await eventually("no attempt", () => backend.state !== "starting");
  backend.reconnect();
  await settle();
  await clock.advance(0);
  await eventually("another attempt", () => backend.state !== "starting");
}

describe("the era of a backend over HTTP", () => {
  for (const [what, answer, expected] of ANSWERS) {
    it(`is ${/^[a-z]/.test(expected) ? expected : "not known"} after ${what}`, async () => {
      await using test = await probed({ [DISCOVER]: answer });
      const { driven, methods } = test;
      const isVerdict = /^[a-z]/.test(expected);
      if (isVerdict) assert.equal(verdictOf(driven), expected);
      else {
        assert.equal(driven.backend.state, "backoff", verdictOf(driven));
        const failure = await driven.call("danger").catch(({ code }: { code: string }) => code);
        assert.equal(failure, "CIRCUIT_OPEN");
      }
      assert.deepEqual(driven.events("backend.era").length, isVerdict ? 1 : 0);
      const [first, ...others] = methods();
      assert.equal(first, DISCOVER);
      assert.equal(others.includes("initialize"), expected === "legacy");
      if (!isVerdict) assert.deepEqual(others, [], "it is sent nothing else");
    });
  }

  it("is asked once more by a backend that names our revision in its refusal", async () => {
    let asked = 0;
    const error = { code: -32022, message: "no", data: { supported: ["2026-07-28"] } };
    await using test = await probed({
      [DISCOVER]: (response, id, request) =>
        ++asked === 1
          ? refused(400, error)(response, id, request)
          : json(response, success(id, GOOD)),
    });
    assert.deepEqual([verdictOf(test.driven), asked], ["modern", 2]);
  });

  it("is not asked for when the configuration says it", async () => {
    await using legacy = await probed({ [DISCOVER]: acknowledge }, { era: "legacy" });
    assert.equal(legacy.methods()[0], "initialize");
    await using sse = await probed({}, { transport: "http_sse" });
    assert.equal(sse.methods()[0], "GET");
    await using modern = await probed({ [DISCOVER]: status(404) }, { era: "modern" });
    assert.deepEqual(modern.methods(), [DISCOVER]);
    const [failure] = modern.driven.events("backend.failed");
    assert.match(String(failure?.["reason"]), /does not speak the modern era/);
  });

  it("is kept for an hour: only then a legacy backend is asked again", async () => {
    let answer = status(404);
    await using test = await probed({
      [DISCOVER]: (response, id, request) => answer(response, id, request),
    });
    const { driven, methods, clock } = test;
    answer = (response, id) => json(response, success(id, GOOD));
    await again(test);
    assert.equal(methods().filter((method) => method === DISCOVER).length, 1);
    assert.equal(verdictOf(driven), "legacy");
    await clock.advance(HOUR_MS);
    await again(test);
    assert.equal(verdictOf(driven), "modern");
    assert.deepEqual(driven.events("backend.era").map(({ era }) => era), ["legacy", "modern"]);
  });

  it("that was modern and is not any more fails aloud, and is found out anew", async () => {
    let answer: Act = (response, id) => json(response, success(id, GOOD));
    await using test = await probed({
      [DISCOVER]: (response, id, request) => answer(response, id, request),
    });
    const { driven, methods, clock } = test;
    answer = status(400);
    await again(test);
    assert.equal(driven.backend.state, "backoff");
    assert.equal(methods().includes("initialize"), false);
    while (driven.backend.state === "backoff") await clock.advance(100);
    await eventually("the next attempt", () => driven.backend.state === "ready");
    assert.equal(verdictOf(driven), "legacy");
  });

  it("is doubted when a call is refused, and asked for: one bad call ends no connection", async () => {
    let knows = true;
    const { promise, resolve } = Promise.withResolvers<ServerResponse>();
    await using test = await probed({
      [DISCOVER]: (response, id, request) =>
        knows ? json(response, success(id, GOOD)) : status(400)(response, id, request),
      "tools/call": status(400),
      "prompts/get": (response) => resolve(response),
    });
    const { driven, methods } = test;
    const link = await driven.link();
    const asks = () => methods().filter((method) => method === DISCOVER).length;
    await assert.rejects(driven.call("bad"), { code: "BACKEND_PROTOCOL" });
    await eventually("the question", () => asks() === 2);
    const other = link.request({
      method: "prompts/get",
      params: { name: "p" },
      owner: "",
      timeoutMs: 5000,
    });
    json(await promise, success(4, { messages: [] }));
    assert.ok("result" in await other.reply);
    assert.equal(link.open, true);
    knows = false;
    await assert.rejects(driven.call("bad"), { code: "BACKEND_PROTOCOL" });
    await eventually("the end", () => !link.open);
    await eventually("a new connection", () => driven.backend.status(0).era === "legacy");
  });

  it("decides before a call is sent, also for a connection that a call waits for", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const server = await serveScript({
      [DISCOVER]: async (response, id) => {
        await promise;
        json(response, success(id, GOOD));
      },
    });
    const driven = await drive({ url: server.url.href });
    const call = driven.call("work", { timeoutMs: 500 }).catch(() => {});
    await eventually("the question", () => server.seen.length === 1);
    await settle();
    assert.deepEqual(server.seen.map(({ method }) => method), [DISCOVER]);
    resolve();
    await eventually("the call", () => server.seen.some(({ method }) => method === "tools/call"));
    await call;
    await driven[Symbol.asyncDispose]();
    await server.close();
  });
});
