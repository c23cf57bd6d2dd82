import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { after, before, describe, it } from "node:test";
import type { HttpWireOptions } from "../../../src/core/backends/http_endpoint.ts";
import { openHttpSse } from "../../../src/core/backends/http_sse_wire.ts";
import type { HttpClient } from "../../../src/ports/http_client.ts";
import { clientGone, gate, refusedUrl } from "../../support/http_fixture.ts";
import {
  acknowledge,
  event,
  eventually,
  hostClient,
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
  readonly backend: ScriptedBackend;
  /** What the backend says from now on goes here. */
  readonly say: (text: string) => void;
  /** The stream as the backend sees it. */
  readonly stream: () => ServerResponse | undefined;
}

const ENDPOINT = "event: endpoint\ndata: /mcp?session=1\n\n";

/** A wire to a backend whose stream begins with `greeting`. */
async function setUp(
  script: Script = {},
  greeting = ENDPOINT,
  options: Partial<HttpWireOptions> = {},
): Promise<Setup> {
  let out: ServerResponse | undefined;
  const say = (text: string) => void out?.write(text);
  const backend = await serveScript({
    GET: (response) => {
      out = response;
      stream(response, greeting);
    },
    initialize: (response, id) => {
      acknowledge(response);
      say(event(success(id, { protocolVersion: "2024-11-05", capabilities: {} })));
    },
    ...script,
  });
  const probe = new WireProbe(openHttpSse(wireOptions(backend.url, client, options)));
  const dispose = async () => {
    await probe.wire.close();
    await backend.close();
  };
  return { probe, backend, say, stream: () => out, [Symbol.asyncDispose]: dispose };
}

describe("an HTTP+SSE wire", () => {
  it("posts to the endpoint it is told and gets answers on the stream", async () => {
    await using setup = await setUp(
      {
        "tools/call": (response, id) => {
          acknowledge(response);
          setup.say(event(success(id)));
        },
      },
      ENDPOINT,
      { headers: { "x-key": "k" } },
    );
    await setup.probe.handshake("2024-11-05");
    setup.probe.call(2);
    assert.equal((await setup.probe.answer(2)).origin, undefined);
    assert.deepEqual(
      setup.backend.seen.map(({ http, method, headers }) => [http, method, headers["x-key"]]),
      [
        ["GET", undefined, "k"],
        ["POST", "initialize", "k"],
        ["POST", "notifications/initialized", "k"],
        ["POST", "tools/call", "k"],
      ],
    );
  });

  it("holds messages back until the endpoint is known", async () => {
    await using setup = await setUp({}, ": not yet\n\n");
    setup.probe.call(1, "initialize");
    setup.probe.call(2);
    setup.probe.wire.forget(2);
    await eventually("the stream", () => setup.stream());
    assert.equal(setup.backend.seen.length, 1);
    setup.say(ENDPOINT);
    await setup.probe.answer(1);
    assert.deepEqual(setup.backend.seen.map(({ method }) => method), [undefined, "initialize"]);
  });

  it("sends nothing before the initialized notification is acknowledged", async () => {
    const held = gate();
    await using setup = await setUp({
      "notifications/initialized": async (response) => {
        await held.passed;
        acknowledge(response);
      },
    });
    await setup.probe.handshake("2024-11-05");
    setup.probe.call(2);
    await eventually("the notification", () => setup.backend.seen.length === 3);
    held.open();
    await eventually("the call", () => setup.backend.seen.length === 4);
    assert.deepEqual(setup.backend.seen.slice(2).map(({ method }) => method), [
      "notifications/initialized",
      "tools/call",
    ]);
  });

  it("closes on an endpoint of another origin, and sends it nothing", async () => {
    await using stranger = await setUp();
    for (
      const endpoint of [
        new URL("/mcp", stranger.backend.url),
        "//stranger.invalid/x",
        "http://",
        "javascript:x",
      ]
    ) {
      await using setup = await setUp({}, `event: endpoint\ndata: ${endpoint}\n\n`);
      setup.probe.call(1, "initialize");
      assert.equal((await setup.probe.end()).code, "BACKEND_PROTOCOL");
    }
    assert.ok(stranger.backend.seen.every(({ http }) => http === "GET"));
  });

  it("closes when the stream ends", async () => {
    await using setup = await setUp();
    await setup.probe.handshake("2024-11-05");
    setup.stream()?.end();
    const { code, details } = await setup.probe.end();
    assert.deepEqual([code, details.executed], ["BACKEND_LOST", "unknown"]);
  });

  it("closes when the stream cannot be opened", async () => {
    const cases = [[401, "BACKEND_LOST"], [404, "BACKEND_PROTOCOL"], [302, "BACKEND_PROTOCOL"], [
      503,
      "BACKEND_LOST",
    ]];
    for (const [status, code] of cases) {
      await using setup = await setUp({
        GET: (response) => void response.writeHead(status as number).end(),
      });
      const error = await setup.probe.end();
      assert.deepEqual([error.code, error.details.more], [code, { status }]);
    }
    const probe = new WireProbe(openHttpSse(wireOptions(await refusedUrl(), client)));
    assert.equal((await probe.end()).code, "BACKEND_LOST");
  });

  it("closes when something else than a stream comes, or a malformed one", async () => {
    const html: Script[string] = (response) =>
      void response.writeHead(200, { "content-type": "text/html" }).end("<p>");
    const binary: Script[string] = (response) => {
      stream(response);
      response.write(new Uint8Array([0x64, 0xff, 0x0a]));
    };
    for (const GET of [html, binary]) {
      await using setup = await setUp({ GET });
      assert.equal((await setup.probe.end()).code, "BACKEND_PROTOCOL");
    }
  });

  it("fails the request alone when its POST is refused", async () => {
    await using setup = await setUp({
      "tools/call": (response) => void response.writeHead(500).end("out of paper"),
    });
    await setup.probe.handshake("2024-11-05");
    setup.probe.call(2);
    const { code, details } = await setup.probe.failure(2);
    assert.deepEqual([code, details.reason], ["BACKEND_PROTOCOL", '"out of paper"']);
    assert.equal(setup.probe.closed.length, 0);
  });

  it("reports a notification that was refused", async () => {
    await using setup = await setUp({
      "notifications/cancelled": (response) => void response.writeHead(400).end(),
    });
    await setup.probe.handshake("2024-11-05");
    setup.probe.notify("notifications/cancelled");
    await eventually("the report", () => setup.probe.invalid.length === 1);
  });

  it("reports events that are no messages and reads on", async () => {
    await using setup = await setUp();
    await setup.probe.handshake("2024-11-05");
    setup.say("data: {nope\n\nevent: weather\ndata: sunny\n\n");
    setup.say(event({ jsonrpc: "2.0", method: "notifications/tools/list_changed" }));
    await setup.probe.message("notifications/tools/list_changed");
    assert.deepEqual(setup.probe.invalid, ["{nope"]);
  });

  it("ends a POST that nobody waits for", async () => {
    const [arrived, gone] = [gate(), gate()];
    await using setup = await setUp({
      "tools/call": (response) => {
        arrived.open();
        void clientGone(response).then(gone.open);
      },
    });
    await setup.probe.handshake("2024-11-05");
    setup.probe.call(2);
    await arrived.passed;
    setup.probe.wire.forget(2);
    await gone.passed;
  });

  it("ends the stream when it is closed, and refuses requests afterwards", async () => {
    await using setup = await setUp();
    await setup.probe.handshake("2024-11-05");
    await setup.probe.wire.close();
    await clientGone(setup.stream() as ServerResponse);
    setup.probe.call(2);
    assert.equal((await setup.probe.failure(2)).details.executed, "no");
    assert.deepEqual(setup.probe.closed, []);
  });
});
