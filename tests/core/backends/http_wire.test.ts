import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { HttpWireOptions } from "../../../src/core/backends/http_endpoint.ts";
import { openHttp } from "../../../src/core/backends/http_wire.ts";
import { NO_REQUEST } from "../../../src/core/backends/wire.ts";
import type { HttpClient } from "../../../src/ports/http_client.ts";
import { type FakeClock, settle } from "../../support/fake_clock.ts";
import { clientGone, gate, refusedUrl } from "../../support/http_fixture.ts";
import {
  acknowledge,
  event,
  eventually,
  hostClient,
  json,
  type Script,
  type ScriptedBackend,
  serveScript,
  stream,
  success,
  wireOptions,
  WireProbe,
} from "../../support/http_fixture_wire.ts";

let client: HttpClient;
before(async () => {
  client = await hostClient();
});
after(() => client.close());

interface Setup extends AsyncDisposable {
  readonly probe: WireProbe;
  readonly clock: FakeClock;
  readonly backend: ScriptedBackend;
}

/** A wire to a scripted backend; everything ends with the test. */
async function setUp(script: Script, options: Partial<HttpWireOptions> = {}): Promise<Setup> {
  const backend = await serveScript(script);
  const wire = wireOptions(backend.url, client, options);
  const probe = new WireProbe(openHttp(wire));
  const dispose = async () => {
    await probe.wire.close();
    await backend.close();
  };
  return { probe, clock: wire.clock, backend, [Symbol.asyncDispose]: dispose };
}

/** The same with the handshake done: then the wire asks for the GET stream. */
async function setUpReady(script: Script, options: Partial<HttpWireOptions> = {}): Promise<Setup> {
  const setup = await setUp(script, options);
  await setup.probe.handshake();
  await eventually("the handshake", () => setup.backend.seen.some(({ http }) => http === "GET"));
  return setup;
}

/** Waits before it comes back, and no longer for the head of its GET stream, which is due after 500 ms. */
function pauses({ clock }: Setup): boolean {
  return clock.pending === 1 && clock.next !== 500;
}

function notification(method: string): unknown {
  return { jsonrpc: "2.0", method, params: {} };
}

describe("an HTTP wire, shaking hands", () => {
  it("names session and revision from the handshake on", async () => {
    await using setup = await setUpReady({
      "tools/call": (response, id) => json(response, success(id)),
    });
    setup.probe.call(2);
    await setup.probe.answer(2);
    const named = setup.backend.seen.map(({ http, method, headers }) => [
      method ?? http,
      headers["mcp-session-id"],
      headers["mcp-protocol-version"],
    ]);
    assert.deepEqual(named.filter(([what]) => what !== "GET"), [
      ["initialize", undefined, undefined],
      ["notifications/initialized", "session-1", "2025-11-25"],
      ["tools/call", "session-1", "2025-11-25"],
    ]);
  });

  it("names no revision that knows no header for it", async () => {
    await using setup = await setUp({});
    await setup.probe.handshake("2025-03-26");
    const { headers } = await eventually(
      "the notification",
      () => setup.backend.seen.find(({ method }) => method === "notifications/initialized"),
    );
    assert.equal(headers["mcp-protocol-version"], undefined);
  });

  it("sends configured headers, but never lets them replace its own", async () => {
    const headers = {
      "X-Key": "secret",
      "Accept-Encoding": "gzip",
      "ACCEPT": "*/*",
      "User-Agent": "me",
    };
    await using setup = await setUp({}, { headers });
    await setup.probe.handshake();
    const { headers: seen } = setup.backend.seen[0] ?? assert.fail();
    assert.equal(seen["x-key"], "secret");
    assert.equal(seen["user-agent"], "me");
    assert.equal(seen["accept-encoding"], "identity");
    assert.equal(seen.accept, "application/json, text/event-stream");
  });

  it("sends nothing before the initialized notification is acknowledged", async () => {
    const held = gate();
    await using setup = await setUp({
      "notifications/initialized": async (response) => {
        await held.passed;
        acknowledge(response);
      },
      "tools/list": (response, id) => json(response, success(id)),
    });
    await setup.probe.handshake();
    setup.probe.call(2, "tools/list");
    setup.probe.call(3, "tools/list");
    setup.probe.wire.forget(3);
    await eventually("the notification", () => setup.backend.seen.length === 2);
    held.open();
    await setup.probe.answer(2);
    const order = setup.backend.seen.filter(({ http }) => http === "POST").map(({ method }) =>
      method
    );
    assert.deepEqual(order, ["initialize", "notifications/initialized", "tools/list"]);
  });

  it("closes when the initialized notification is refused", async () => {
    await using setup = await setUp({
      "notifications/initialized": (response) => void response.writeHead(500).end(),
    });
    await setup.probe.handshake();
    const { code, details } = await setup.probe.end();
    assert.deepEqual([code, details.more], ["BACKEND_PROTOCOL", { status: 500 }]);
  });

  it("hints at HTTP+SSE when the first POST is answered 400, 404 or 405", async () => {
    for (const status of [400, 404, 405]) {
      await using setup = await setUp({
        initialize: (response) => void response.writeHead(status).end(),
      });
      setup.probe.call(1, "initialize");
      const { details } = await setup.probe.end();
      assert.deepEqual(details.more, { status, fallback: "http_sse" });
      assert.equal(setup.probe.failures.get(1)?.details.more?.["fallback"], "http_sse");
    }
  });

  it("hints at nothing when the first POST is refused for another reason", async () => {
    for (const status of [401, 403, 500, 503]) {
      await using setup = await setUp({
        initialize: (response) => void response.writeHead(status).end(),
      });
      setup.probe.call(1, "initialize");
      assert.deepEqual((await setup.probe.failure(1)).details.more, { status });
    }
  });

  it("refuses a session id that is not visible ASCII", async () => {
    await using setup = await setUp({
      initialize: (response, id) => json(response, success(id), { "mcp-session-id": "a b" }),
    });
    setup.probe.call(1, "initialize");
    assert.equal((await setup.probe.failure(1)).code, "BACKEND_PROTOCOL");
  });
});

describe("an HTTP wire, getting answers", () => {
  it("reports a JSON answer with the request it belongs to", async () => {
    await using setup = await setUpReady({
      "tools/call": (response, id) => json(response, success(id, { content: [] })),
    });
    setup.probe.call(2);
    const { message, origin } = await setup.probe.answer(2);
    assert.deepEqual({ ...message }, {
      kind: "response",
      id: "2",
      result: '{"content":[]}',
      error: undefined,
    });
    assert.equal(origin, 2);
  });

  it("attributes what comes on a stream to the request of that stream", async () => {
    const both = gate();
    let arrived = 0;
    await using setup = await setUpReady({
      "tools/call": async (response, id) => {
        stream(response);
        if (++arrived === 2) both.open();
        await both.passed;
        response.write(event({ jsonrpc: "2.0", id: `ask-${id}`, method: `ask/${id}`, params: {} }));
        response.end(event(success(id)));
      },
    });
    setup.probe.call(2);
    setup.probe.call(3);
    await Promise.all([setup.probe.answer(2), setup.probe.answer(3)]);
    assert.equal((await setup.probe.message("ask/2")).origin, 2);
    assert.equal((await setup.probe.message("ask/3")).origin, 3);
  });

  it("takes a batch of messages as the answer", async () => {
    await using setup = await setUpReady({
      "tools/call": (response, id) =>
        json(response, [notification("notifications/message"), success(id)]),
    });
    setup.probe.call(2);
    assert.equal((await setup.probe.answer(2)).origin, 2);
    assert.equal((await setup.probe.message("notifications/message")).origin, 2);
  });

  it("takes a JSON-RPC error with an error status as the answer", async () => {
    for (const status of [400, 404, 500]) {
      await using setup = await setUpReady({
        "tools/call": (response, id) => {
          const error = { code: -32602, message: "no such tool" };
          response.writeHead(status, { "content-type": "application/json; charset=utf-8" });
          response.end(JSON.stringify({ jsonrpc: "2.0", id, error }));
        },
      });
      setup.probe.call(2);
      const { message } = await setup.probe.answer(2);
      assert.ok(message.kind === "response" && message.error?.includes("no such tool"));
    }
  });

  it("posts answers to the backend's questions", async () => {
    await using setup = await setUpReady({});
    setup.probe.wire.send('{"jsonrpc":"2.0","id":"q","result":{}}');
    await eventually(
      "the answer",
      () => setup.backend.seen.some(({ http, method }) => http === "POST" && method === undefined),
    );
    assert.deepEqual([setup.probe.invalid, setup.probe.closed], [[], []]);
  });

  it("passes both on when a request is answered twice", async () => {
    await using setup = await setUpReady({
      "tools/call": (response, id) => {
        stream(response);
        response.end(event(success(id, { turn: 1 })) + event(success(id, { turn: 2 })));
      },
    });
    setup.probe.call(2);
    await eventually(
      "two answers",
      () => setup.probe.received.filter(({ origin }) => origin === 2).length === 2,
    );
  });

  it("frees the connection when the stream stays open after the answer", async () => {
    const gone = gate();
    await using setup = await setUpReady({
      "tools/call": (response, id) => {
        stream(response, event(success(id)));
        void clientGone(response).then(gone.open);
      },
    });
    setup.probe.call(2);
    await setup.probe.answer(2);
    await setup.clock.advance(1000);
    await gone.passed;
    assert.equal(setup.probe.failures.size, 0);
  });
});

describe("an HTTP wire, getting garbage", () => {
  const answers: Record<string, Script[string]> = {
    "no JSON": (response) =>
      void response.writeHead(200, { "content-type": "application/json" }).end("{nope"),
    "no JSON-RPC": (response) => json(response, { hello: "world" }),
    "an id that is not ours": (response, id) => json(response, success(id + 1000)),
    "an id of another type": (response, id) =>
      json(response, { jsonrpc: "2.0", id: String(id), result: {} }),
    "a body that is not UTF-8": (response) => {
      response.writeHead(200, { "content-type": "application/json" }).end(
        new Uint8Array([0x7b, 0xff]),
      );
    },
    "another content type": (response) =>
      void response.writeHead(200, { "content-type": "text/html" }).end("<p>"),
    "no content type": (response) => void response.writeHead(200).end("{}"),
    "an acknowledgement": acknowledge,
    "a compressed body": (response) => {
      response.writeHead(200, { "content-type": "application/json", "content-encoding": "gzip" })
        .end("x");
    },
    "a stream that is not UTF-8": (response) => {
      stream(response);
      response.end(new Uint8Array([0x64, 0xff, 0x0a]));
    },
    "a redirect": (response) => void response.writeHead(307, { location: "/other" }).end(),
  };

  for (const [what, answer] of Object.entries(answers)) {
    it(`fails the request alone on ${what}`, async () => {
      await using setup = await setUpReady({
        "tools/call": answer as NonNullable<typeof answer>,
        ping: (response, id) => json(response, success(id)),
      });
      setup.probe.call(2);
      const { code, details } = await setup.probe.failure(2);
      assert.deepEqual([code, details.executed, details.backend], [
        "BACKEND_PROTOCOL",
        "unknown",
        "exa",
      ]);
      setup.probe.call(3, "ping");
      await setup.probe.answer(3);
      assert.equal(setup.probe.closed.length, 0);
    });
  }

  it("never follows a redirect", async () => {
    await using stranger = await setUp({});
    await using setup = await setUpReady({
      "tools/call": (response) =>
        void response.writeHead(308, { location: String(stranger.backend.url) }).end(),
    }, { headers: { "x-api-key": "hunter2" } });
    setup.probe.call(2);
    assert.equal((await setup.probe.failure(2)).details.reason, "redirect refused");
    assert.equal(stranger.backend.seen.length, 0);
  });

  it("stops reading an answer at the limit", async () => {
    const bodies: Script[string][] = [
      (response) => {
        response.writeHead(200, { "content-type": "application/json" });
        response.write('{"jsonrpc":"2.0","id":2,"result":"');
      },
      (response) => stream(response, "data: "),
    ];
    for (const body of bodies) {
      const gone = gate();
      await using setup = await setUpReady({
        "tools/call": async (response, id, request) => {
          await (body as NonNullable<typeof body>)(response, id, request);
          const fill = () => {
            while (!response.destroyed && response.write("x".repeat(10_000)));
          };
          response.on("drain", fill);
          fill();
          void clientGone(response).then(gone.open);
        },
      }, { maxReplyBytes: 100_000 });
      setup.probe.call(2);
      assert.equal((await setup.probe.failure(2)).code, "BACKEND_PROTOCOL");
      await gone.passed;
    }
  });

  it("reports events that are no messages and reads on", async () => {
    await using setup = await setUpReady({
      "tools/call": (response, id) => {
        stream(response, "data: no \u001b[2J message\n\nevent: weather\ndata: sunny\n\n");
        response.end(event(success(id)));
      },
    });
    setup.probe.call(2);
    await setup.probe.answer(2);
    assert.deepEqual(setup.probe.invalid, ["no \\u001b[2J message"]);
  });
});

describe("an HTTP wire, refused by status", () => {
  const refuse = (status: number, body = "", headers: Record<string, string> = {}): Script => ({
    "tools/call": (response) => void response.writeHead(status, headers).end(body),
  });

  it("fails the call and closes on 401", async () => {
    await using setup = await setUpReady(refuse(401));
    setup.probe.call(2);
    const { code, details } = await setup.probe.failure(2);
    assert.deepEqual(
      [code, details.reason, details.executed, details.more],
      ["BACKEND_LOST", "unauthorized", "no", { status: 401 }],
    );
    const end = await setup.probe.end();
    assert.deepEqual([end.details.reason, end.details.executed], ["unauthorized", "unknown"]);
  });

  it("fails the call alone on 403", async () => {
    await using setup = await setUpReady(refuse(403));
    setup.probe.call(2);
    const { code, details } = await setup.probe.failure(2);
    assert.deepEqual([code, details.reason, details.more], ["BACKEND_LOST", "unauthorized", {
      status: 403,
    }]);
    assert.equal(setup.probe.closed.length, 0);
  });

  it("fails the call as not executed and closes when the session is lost", async () => {
    const unknown = JSON.stringify({
      jsonrpc: "2.0",
      id: 2,
      error: { code: -32001, message: "Session not found" },
    });
    for (const body of ["", unknown]) {
      await using setup = await setUpReady(
        refuse(404, body, { "content-type": "application/json" }),
      );
      setup.probe.call(2);
      const { code, details } = await setup.probe.failure(2);
      assert.deepEqual([code, details.reason, details.executed], [
        "BACKEND_LOST",
        "session lost",
        "no",
      ]);
      const end = await setup.probe.end();
      assert.deepEqual([end.code, end.details.executed], ["BACKEND_LOST", "unknown"]);
      await setup.probe.wire.close();
      assert.ok(setup.backend.seen.every(({ http }) => http !== "DELETE"));
    }
  });

  it("shows the beginning of the body, escaped and without secrets", async () => {
    await using setup = await setUpReady(
      refuse(500, `bad key hunter2 \u001b[2J${"x".repeat(500)}`),
    );
    setup.probe.call(2);
    const { code, details } = await setup.probe.failure(2);
    assert.equal(code, "BACKEND_PROTOCOL");
    assert.match(details.reason ?? "", /^"bad key \*\*\* \\u001b\[2Jx+"$/);
    assert.ok((details.reason ?? "").length <= 210);
  });

  it("is not misled by a body that reads like a reason of its own", async () => {
    for (const body of ["session lost", "unauthorized"]) {
      await using setup = await setUpReady(refuse(500, body));
      setup.probe.call(2);
      assert.notEqual((await setup.probe.failure(2)).details.reason, body);
      assert.equal(setup.probe.closed.length, 0);
    }
  });

  it("says when to come back if the backend said so", async () => {
    for (const [status, executed] of [[429, "no"], [503, "unknown"]] as const) {
      await using setup = await setUpReady(refuse(status, "", { "retry-after": "7" }));
      setup.probe.call(2);
      const { code, details } = await setup.probe.failure(2);
      assert.deepEqual([code, details.retryAfterMs, details.executed], [
        "BACKEND_LOST",
        7000,
        executed,
      ]);
    }
  });

  it("reports a notification that was refused", async () => {
    await using setup = await setUpReady({
      "notifications/cancelled": (response) => void response.writeHead(400).end(),
    });
    setup.probe.notify("notifications/cancelled");
    await eventually("the report", () => setup.probe.invalid.length === 1);
    assert.match(setup.probe.invalid[0] ?? "", /status 400/);
    assert.equal(setup.probe.closed.length, 0);
  });
});

describe("an HTTP wire, not being acknowledged", () => {
  it("does not wait for ever for a notification to be taken", async () => {
    const gone = gate();
    await using setup = await setUpReady({
      "notifications/cancelled": (response) => void clientGone(response).then(gone.open),
    });
    setup.probe.notify("notifications/cancelled");
    await eventually(
      "the notification",
      () => setup.backend.seen.some(({ method }) => method === "notifications/cancelled"),
    );
    assert.deepEqual(setup.probe.invalid, []);
    await setup.clock.advance(10_000);
    await gone.passed;
    await settle();
    // It is no output of the backend; calls and pings show that it is away.
    assert.deepEqual(setup.probe.invalid, []);
  });

  it("drops and reports notifications beyond 256 under way", async () => {
    const silent: HttpClient = {
      send: () => new Promise(() => {}),
      close: () => Promise.resolve(),
    };
    const probe = new WireProbe(openHttp(wireOptions(await refusedUrl(), silent)));
    for (let sent = 0; sent < 258; sent++) probe.notify("notifications/cancelled");
    await eventually("the reports", () => probe.invalid.length === 2);
  });

  it("refuses requests beyond 1024 that wait for the handshake", async () => {
    const silent: HttpClient = {
      send: () => new Promise(() => {}),
      close: () => Promise.resolve(),
    };
    const probe = new WireProbe(openHttp(wireOptions(await refusedUrl(), silent)));
    probe.notify("notifications/initialized");
    for (let id = 2; id < 1028; id++) probe.call(id);
    assert.deepEqual([...probe.failures.keys()], [1026, 1027]);
    assert.equal(probe.failures.get(1026)?.details.executed, "no");
  });
});

describe("an HTTP wire, losing connections", () => {
  it("says not executed when the backend cannot be reached", async () => {
    const url = await refusedUrl();
    const probe = new WireProbe(openHttp(wireOptions(url, client)));
    probe.call(1, "initialize");
    const { code, details, message } = await probe.failure(1);
    assert.deepEqual([code, details.executed], ["BACKEND_LOST", "no"]);
    assert.equal(message, 'Cannot reach backend "exa": connection refused');
    await probe.wire.close();
  });

  it("says unknown when the connection ends before the answer", async () => {
    await using setup = await setUpReady({
      "tools/call": (_response, _id, request) => void request.socket.destroy(),
    });
    setup.probe.call(2);
    const { code, details } = await setup.probe.failure(2);
    assert.deepEqual([code, details.executed], ["BACKEND_LOST", "unknown"]);
    assert.equal(setup.probe.closed.length, 0);
  });

  it("says unknown when a stream without event ids ends before the answer", async () => {
    const endings: Script[string][] = [
      (response) => void response.end(),
      (response) => void response.write("data: {", () => response.destroy()),
    ];
    for (const end of endings) {
      await using setup = await setUpReady({
        "tools/call": async (response, id, request) => {
          stream(response);
          await (end as NonNullable<typeof end>)(response, id, request);
        },
      });
      setup.probe.call(2);
      const { code, details } = await setup.probe.failure(2);
      assert.deepEqual([code, details.executed], ["BACKEND_LOST", "unknown"]);
    }
  });

  it("comes back to a broken stream with event ids, and attributes what comes there", async () => {
    const seen = gate();
    await using setup = await setUpReady({
      "tools/call": async (response) => {
        stream(response, event(notification("notifications/one"), "e-1"));
        await seen.passed;
        response.write("data: {", () => response.destroy());
      },
      GET: (response, _id, request) => {
        if (request.headers["last-event-id"] === undefined) {
          return void response.writeHead(405).end();
        }
        stream(response, event(notification("notifications/two"), "e-2"));
        response.end(event(success(2), "e-3"));
      },
    });
    setup.probe.call(2);
    await setup.probe.message("notifications/one");
    seen.open();
    await eventually("the wait", () => pauses(setup));
    await setup.clock.advance(999);
    assert.ok(setup.backend.seen.every(({ headers }) => headers["last-event-id"] === undefined));
    await setup.clock.advance(1);
    assert.equal((await setup.probe.answer(2)).origin, 2);
    assert.equal((await setup.probe.message("notifications/two")).origin, 2);
    const resumed = setup.backend.seen.find(({ headers }) =>
      headers["last-event-id"] !== undefined
    );
    assert.deepEqual(
      [resumed?.http, resumed?.headers["last-event-id"], resumed?.headers["mcp-session-id"]],
      ["GET", "e-1", "session-1"],
    );
  });

  it("polls a stream that the backend closes after priming it", async () => {
    let polls = 0;
    await using setup = await setUpReady({
      "tools/call": (response) => {
        stream(response, "id: p-0\nretry: 200\ndata: \n\n");
        response.end();
      },
      GET: (response, _id, request) => {
        if (request.headers["last-event-id"] === undefined) {
          return void response.writeHead(405).end();
        }
        polls++;
        stream(response, `id: p-${polls}\ndata: \n\n`);
        response.end(polls === 8 ? event(success(2)) : "");
      },
    });
    setup.probe.call(2);
    for (let poll = 0; poll < 8; poll++) {
      await eventually("the wait", () => pauses(setup));
      await setup.clock.advance(200);
      await eventually("the poll", () => polls === poll + 1);
    }
    assert.equal((await setup.probe.answer(2)).origin, 2);
    const ids = setup.backend.seen.map(({ headers }) => headers["last-event-id"]).filter((id) =>
      id !== undefined
    );
    assert.deepEqual(ids.slice(0, 3), ["p-0", "p-1", "p-2"]);
  });

  it("gives up when the stream cannot be resumed", async () => {
    for (const [status, tries] of [[503, 5], [405, 1], [400, 1]] as const) {
      let resumes = 0;
      await using setup = await setUpReady({
        "tools/call": (response) => {
          stream(response, event(notification("notifications/one"), "e-1"));
          response.end();
        },
        GET: (response, _id, request) => {
          if (request.headers["last-event-id"] !== undefined) resumes++;
          response.writeHead(request.headers["last-event-id"] === undefined ? 405 : status).end();
        },
      });
      setup.probe.call(2);
      await setup.probe.message("notifications/one");
      for (let turn = 1; turn <= tries; turn++) {
        await eventually("the wait", () => pauses(setup));
        await setup.clock.advance(Math.round(1000 * 1.5 ** (turn - 1)));
        await eventually("the try", () => resumes === turn);
      }
      const { code, details } = await setup.probe.failure(2);
      assert.deepEqual([code, details.executed], ["BACKEND_LOST", "unknown"]);
      assert.equal(setup.clock.pending, 0);
    }
  });
});

describe("an HTTP wire, being told that nobody waits", () => {
  it("ends the exchange before the answer begins", async () => {
    const [arrived, gone] = [gate(), gate()];
    await using setup = await setUpReady({
      "tools/call": (response) => {
        arrived.open();
        void clientGone(response).then(gone.open);
      },
    });
    setup.probe.call(2);
    await arrived.passed;
    setup.probe.wire.forget(2);
    await gone.passed;
    assert.equal(setup.probe.failures.size, 0);
  });

  it("ends the exchange while its stream is read", async () => {
    const gone = gate();
    await using setup = await setUpReady({
      "tools/call": (response) => {
        stream(response, event(notification("notifications/one"), "e-1"));
        void clientGone(response).then(gone.open);
      },
    });
    setup.probe.call(2);
    await setup.probe.message("notifications/one");
    setup.probe.wire.forget(2);
    await gone.passed;
    assert.deepEqual([setup.probe.failures.size, setup.clock.pending], [0, 0]);
  });

  it("does not come back to a stream nobody waits for", async () => {
    await using setup = await setUpReady({
      "tools/call": (response) => {
        stream(response, event(notification("notifications/one"), "e-1"));
        response.end();
      },
    });
    setup.probe.call(2);
    await eventually("the wait", () => pauses(setup));
    setup.probe.wire.forget(2);
    assert.equal(setup.clock.pending, 0);
    await setup.clock.advance(60_000);
    assert.ok(setup.backend.seen.every(({ headers }) => headers["last-event-id"] === undefined));
  });
});

describe("an HTTP wire, closing", () => {
  it("ends the session at the backend and everything under way", async () => {
    const gone = gate();
    await using setup = await setUpReady({
      "tools/call": (response) => {
        stream(response);
        void clientGone(response).then(gone.open);
      },
    });
    setup.probe.call(2);
    await eventually(
      "the call",
      () => setup.backend.seen.some(({ method }) => method === "tools/call"),
    );
    await setup.probe.wire.close();
    await gone.passed;
    const [farewell, ...more] = setup.backend.seen.filter(({ http }) => http === "DELETE");
    assert.equal(farewell?.headers["mcp-session-id"], "session-1");
    assert.equal(more.length, 0);
    await setup.probe.wire.close();
    assert.deepEqual([setup.probe.closed, setup.probe.failures.size], [[], 0]);
  });

  it("does not wait for ever for the end of the session", async () => {
    await using setup = await setUpReady({ DELETE: () => {} });
    let closed = false;
    const closing = setup.probe.wire.close().then(() => closed = true);
    await eventually(
      "the farewell",
      () => setup.backend.seen.some(({ http }) => http === "DELETE"),
    );
    assert.equal(closed, false);
    await setup.clock.advance(2000);
    await closing;
  });

  it("ends nothing at a backend that opened no session", async () => {
    await using setup = await setUp({ initialize: (response, id) => json(response, success(id)) });
    await setup.probe.handshake();
    await setup.probe.wire.close();
    assert.ok(setup.backend.seen.every(({ http }) => http !== "DELETE"));
  });

  it("refuses requests afterwards as not executed", async () => {
    await using setup = await setUpReady({});
    await setup.probe.wire.close();
    setup.probe.call(2);
    const { code, details } = await setup.probe.failure(2);
    assert.deepEqual([code, details.executed], ["BACKEND_LOST", "no"]);
  });
});

describe("an HTTP wire, listening", () => {
  it("reports what belongs to no request as from no request", async () => {
    await using setup = await setUpReady({
      GET: (response) => stream(response, event(notification("notifications/tools/list_changed"))),
    });
    assert.equal(
      (await setup.probe.message("notifications/tools/list_changed")).origin,
      NO_REQUEST,
    );
    const listen = setup.backend.seen.find(({ http }) => http === "GET");
    assert.equal(listen?.headers.accept, "text/event-stream");
    assert.equal(listen?.headers["mcp-session-id"], "session-1");
  });

  it("opens no stream before the handshake is done", async () => {
    await using setup = await setUp({
      "tools/call": (response, id) => json(response, success(id)),
    });
    setup.probe.call(1, "initialize");
    await setup.probe.answer(1);
    setup.probe.call(2);
    await setup.probe.answer(2);
    assert.ok(setup.backend.seen.every(({ http }) => http !== "GET"));
  });

  it("is content with no stream, and says when something else came", async () => {
    const others: readonly (readonly [Script[string], number])[] = [
      [(response) => void response.writeHead(405).end(), 0],
      [(response) => void response.writeHead(400).end(), 1],
      [(response) => void response.writeHead(200, { "content-type": "text/html" }).end("<p>"), 1],
    ];
    for (const [answer, reports] of others) {
      await using setup = await setUpReady({
        GET: answer as NonNullable<typeof answer>,
        "tools/call": (response, id) => json(response, success(id)),
      });
      await eventually("the try", () => setup.backend.seen.some(({ http }) => http === "GET"));
      setup.probe.call(2);
      await setup.probe.answer(2);
      await eventually("the report", () => setup.probe.invalid.length === reports);
      assert.deepEqual([setup.clock.pending, setup.probe.closed.length], [0, 0]);
    }
  });

  it("comes back where it stopped, when the backend wants it", async () => {
    let opened = 0;
    await using setup = await setUpReady({
      GET: (response) => {
        opened++;
        stream(
          response,
          `id: g-${opened}\nretry: 5000\ndata: ${
            JSON.stringify(notification(`notifications/${opened}`))
          }\n\n`,
        );
        if (opened === 1) response.end();
      },
    });
    await eventually("the wait", () => pauses(setup));
    await setup.clock.advance(4999);
    assert.equal(opened, 1);
    await setup.clock.advance(1);
    await setup.probe.message("notifications/2");
    const positions = setup.backend.seen.filter(({ http }) => http === "GET").map(({ headers }) =>
      headers["last-event-id"]
    );
    assert.deepEqual(positions, [undefined, "g-1"]);
  });

  it("waits longer after each failure, up to 30 seconds", async () => {
    let tries = 0;
    await using setup = await setUpReady({
      GET: (response) => {
        tries++;
        response.writeHead(503).end();
      },
    });
    for (let turn = 1; turn <= 11; turn++) {
      const wait = Math.round(Math.min(1000 * 1.5 ** (turn - 1), 30_000));
      await eventually("the wait", () => tries === turn && pauses(setup));
      await setup.clock.advance(wait - 1);
      assert.equal(tries, turn);
      await setup.clock.advance(1);
    }
  });

  it("tries again while the backend still holds the stream before", async () => {
    let tries = 0;
    await using setup = await setUpReady({
      GET: (response) => {
        tries++;
        if (tries === 1) response.writeHead(409).end();
        else stream(response, event(notification("notifications/here")));
      },
    });
    await eventually("the wait", () => pauses(setup));
    await setup.clock.advance(1000);
    await setup.probe.message("notifications/here");
  });

  it("starts anew when the backend does not know the position any more", async () => {
    await using setup = await setUpReady({
      GET: (response, _id, request) => {
        if (request.headers["last-event-id"] !== undefined) {
          return void response.writeHead(400).end();
        }
        stream(response, event(notification("notifications/here"), "g-1"));
        response.end();
      },
    });
    const positions = () =>
      setup.backend.seen.filter(({ http }) => http === "GET").map(({ headers }) =>
        headers["last-event-id"]
      );
    await setup.probe.message("notifications/here");
    for (const [tries, wait] of [[1, 1000], [2, 1500]] as const) {
      await eventually("the wait", () => positions().length === tries && pauses(setup));
      await setup.clock.advance(wait);
    }
    await eventually("the new start", () => positions().length === 3);
    assert.deepEqual(positions(), [undefined, "g-1", undefined]);
  });

  it("closes when the session is lost or the credentials are refused", async () => {
    for (const [status, reason] of [[404, "session lost"], [401, "unauthorized"]] as const) {
      await using setup = await setUpReady({
        GET: (response) => void response.writeHead(status).end(),
      });
      assert.equal((await setup.probe.end()).details.reason, reason);
    }
  });

  it("skips what cannot be read and starts anew behind it", async () => {
    let opened = 0;
    await using setup = await setUpReady({
      GET: (response) => {
        opened++;
        stream(response, `id: g-${opened}\ndata: x\n\n`);
        if (opened === 1) response.end(`data: ${"y".repeat(300_000)}`);
      },
    }, { maxReplyBytes: 100_000 });
    await eventually("the fault", () => setup.probe.invalid.length > 0);
    await eventually("the wait", () => pauses(setup));
    assert.match(setup.probe.invalid.join(), /malformed/);
    await setup.clock.advance(1000);
    await eventually("the return", () => opened === 2);
    assert.equal(setup.backend.seen.at(-1)?.headers["last-event-id"], undefined);
  });
});
