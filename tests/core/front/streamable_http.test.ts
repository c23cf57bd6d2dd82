import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { fixtureBackend, startCore, type TestCore } from "../../support/core.ts";
import {
  BASE,
  eventsOf,
  HEADERS,
  HttpSession,
  messagesOf,
  post,
  type Rpc,
} from "../../support/http_session.ts";
import { proves } from "../../support/proves.ts";

const INITIALIZE = {
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: {
    protocolVersion: "2025-11-25",
    capabilities: {},
    clientInfo: { name: "t", version: "1" },
  },
};

async function errorOf(response: Response): Promise<Rpc> {
  return (await response.json() as Rpc)["error"] as Rpc;
}

describe("Streamable HTTP front", () => {
  let gateway: TestCore;

  before(async () => {
    gateway = await startCore({
      backends: { fix: fixtureBackend() },
      toolsets: { small: { tools: ["fix__echo"], prompts: [], resources: [] } },
      server: { max_request_size: "64KiB" },
    });
  });
  after(() => gateway.stop());

  proves(
    "G2.1",
    "initialize answers every legacy revision with itself and unknown ones with the latest",
    async () => {
      for (const revision of ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"]) {
        const session = await HttpSession.open(gateway.core.fetch, { revision });
        assert.equal(session.initialized["result"].protocolVersion, revision);
        assert.deepEqual(session.initialized["result"].capabilities.tools, { listChanged: true });
      }
      const unknown = await HttpSession.open(gateway.core.fetch, { revision: "1999-01-01" });
      assert.equal(unknown.initialized["result"].protocolVersion, "2025-11-25");
    },
  );

  it("initialize is refused in a batch, in a session, and without a version", async () => {
    const batch = await post(gateway.core.fetch, [INITIALIZE, INITIALIZE]);
    assert.equal(batch.status, 400);
    assert.equal((await errorOf(batch))["code"], -32600);
    const session = await HttpSession.open(gateway.core.fetch);
    assert.equal((await session.post(INITIALIZE)).status, 400);
    const before = gateway.core.snapshot().sessions;
    const missing = await post(gateway.core.fetch, { ...INITIALIZE, params: {} });
    assert.equal((await errorOf(missing))["code"], -32602);
    assert.equal(gateway.core.snapshot().sessions, before);
  });

  it("a call is answered with one JSON body, its id as it was", async () => {
    const session = await HttpSession.open(gateway.core.fetch);
    for (const id of ["9007199254740993", '"a\\u00e9"', "-1"]) {
      const response = await session.post(
        `{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":"fix__echo","arguments":{"n":12345678901234567890}}}`,
      );
      assert.equal(response.status, 200);
      assert.equal(response.headers.get("content-type"), "application/json");
      const text = await response.text();
      assert.ok(text.startsWith(`{"jsonrpc":"2.0","id":${id},`), text);
    }
  });

  it("notifications and answers are accepted with 202 and no body", async () => {
    const session = await HttpSession.open(gateway.core.fetch);
    for (
      const body of [{ jsonrpc: "2.0", method: "notifications/whatever" }, {
        jsonrpc: "2.0",
        id: 9,
        result: {},
      }]
    ) {
      const response = await session.post(body);
      assert.equal(response.status, 202);
      assert.equal(await response.text(), "");
    }
  });

  it("what is not a message gets its status and code (T05)", async () => {
    const session = await HttpSession.open(gateway.core.fetch);
    const cases: [string, number, number][] = [["", 400, -32700], ["[]", 400, -32600], [
      '"x"',
      400,
      -32600,
    ], ["{", 400, -32700]];
    for (const [body, status, code] of cases) {
      const response = await session.post(body);
      assert.equal(response.status, status, body);
      const error = await errorOf(response);
      assert.equal(error["code"], code, body);
      assert.match(error["data"].request as string, /^[0-9a-f-]{36}$/);
    }
  });

  it("a body that is not UTF-8 is refused as PARSE", async () => {
    const body = new Uint8Array([0x7b, 0xff, 0x7d]);
    const response = await gateway.core.fetch(
      new Request(`${BASE}/mcp`, { method: "POST", headers: HEADERS, body }),
    );
    assert.equal(response.status, 400);
    assert.equal((await errorOf(response))["data"].code, "PARSE");
  });

  it("header mistakes have their status", async () => {
    const session = await HttpSession.open(gateway.core.fetch);
    const ping = { jsonrpc: "2.0", id: 1, method: "ping" };
    const cases: [Record<string, string>, number][] = [
      [{ "content-type": "text/plain" }, 415],
      [{ "content-encoding": "gzip" }, 415],
      [{ accept: "application/json" }, 406],
      [{ accept: "text/event-stream" }, 406],
      [{ "mcp-protocol-version": "2031-01-01" }, 400],
      [{ "mcp-session-id": "0".repeat(32) }, 404],
      [{ origin: "https://evil.example" }, 403],
      [{ origin: "null" }, 403],
      [{ host: "evil.example" }, 421],
      [{ host: "a/manage/v1/shutdown?" }, 400],
    ];
    for (const [headers, status] of cases) {
      assert.equal((await session.post(ping, headers)).status, status, JSON.stringify(headers));
    }
    assert.equal((await post(gateway.core.fetch, ping)).status, 400);
    for (const origin of ["http://localhost:6274", "http://127.0.0.1", "http://[::1]:9"]) {
      assert.equal((await session.post(ping, { origin })).status, 200, origin);
    }
  });

  it("a body is taken up to the limit and refused beyond it, with and without a length (T08)", async () => {
    const session = await HttpSession.open(gateway.core.fetch);
    const fill = (bytes: number) => {
      const empty = '{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":""}}';
      return empty.replace('""', `"${"x".repeat(bytes - empty.length)}"`);
    };
    assert.equal((await session.post(fill(65_536))).status, 200);
    const over = await session.post(fill(65_537), { "content-length": "65537" });
    assert.equal(over.status, 413);
    assert.equal(over.headers.get("connection"), "close");
    const body = new Blob([fill(200_000)]).stream();
    const init = {
      method: "POST",
      headers: { ...HEADERS, ...session.headers },
      body,
      duplex: "half",
    };
    assert.equal(
      (await gateway.core.fetch(new Request(`${BASE}/mcp`, init as RequestInit))).status,
      413,
    );
  });

  it("a batch is answered as a batch where the revision has one, refused elsewhere", async () => {
    const ping = (id: number) => ({ jsonrpc: "2.0", id, method: "ping" });
    const old = await HttpSession.open(gateway.core.fetch, { revision: "2025-03-26" });
    const answers = await messagesOf(await old.post([ping(1), ping(2)]));
    assert.deepEqual(answers.map(({ id }) => id).sort(), [1, 2]);
    assert.equal(
      (await old.post(Array.from({ length: 101 }, (_, index) => ping(index)))).status,
      400,
    );
    const latest = await HttpSession.open(gateway.core.fetch);
    assert.equal((await latest.post([ping(1), ping(2)])).status, 400);
  });

  it("unknown methods and removed ones are -32601 in band", async () => {
    const session = await HttpSession.open(gateway.core.fetch);
    const response = await session.send("tasks/list");
    assert.equal(response.status, 200);
    assert.equal((await errorOf(response))["code"], -32601);
  });

  it("other methods are 405 with what is allowed, other paths 404", async () => {
    const request = (method: string, path: string) =>
      gateway.core.fetch(new Request(BASE + path, { method, headers: HEADERS }));
    const put = await request("PUT", "/mcp");
    assert.equal(put.status, 405);
    assert.equal(put.headers.get("allow"), "GET, POST, DELETE");
    for (const path of ["/", "/mcpx", "/mcp/none", "/mcp/small/x", "//mcp"]) {
      assert.equal((await request("POST", path)).status, 404, path);
    }
  });

  it("DELETE ends the session; it is unknown afterwards", async () => {
    const session = await HttpSession.open(gateway.core.fetch);
    assert.equal((await session.delete()).status, 200);
    assert.equal((await session.send("ping")).status, 404);
    assert.equal((await session.delete()).status, 404);
  });

  it("GET refuses a wrong Accept, a second stream and an unknown event", async () => {
    const session = await HttpSession.open(gateway.core.fetch);
    assert.equal((await session.get({ accept: "application/json" })).status, 406);
    const first = await session.get();
    assert.equal(first.status, 200);
    assert.equal((await session.get()).status, 409);
    assert.equal((await session.get({ "last-event-id": "9-9_1" })).status, 400);
    await first.body?.cancel();
  });

  it("a toolset path shows and calls only its part, and its sessions are its own", async () => {
    const small = await HttpSession.open(gateway.core.fetch, { path: "/mcp/small" });
    const { tools } = (await small.request("tools/list"))["result"];
    assert.deepEqual(tools.map(({ name }: Rpc) => name), ["fix__echo"]);
    const hidden = await small.call("fix__wait");
    const unknown = await small.call("fix__nope");
    assert.equal(hidden["error"].code, unknown["error"].code);
    assert.equal(hidden["error"].message.replace("wait", "nope"), unknown["error"].message);
    const elsewhere = await post(
      gateway.core.fetch,
      { jsonrpc: "2.0", id: 1, method: "ping" },
      small.headers,
    );
    assert.equal(elsewhere.status, 404);
  });

  it("progress goes before the answer on the call's own stream, with the caller's token", async () => {
    const session = await HttpSession.open(gateway.core.fetch);
    const response = await session.send("tools/call", {
      name: "fix__progress",
      arguments: { steps: 3 },
      _meta: { progressToken: "mine" },
    });
    assert.equal(response.headers.get("content-type"), "text/event-stream");
    const messages = await messagesOf(response);
    assert.deepEqual(
      messages.map(({ method, params }) => [method, params?.progressToken, params?.progress]),
      [
        ["notifications/progress", "mine", 1],
        ["notifications/progress", "mine", 2],
        ["notifications/progress", "mine", 3],
        [undefined, undefined, undefined],
      ],
    );
  });

  it("a broken stream is resumed where it stopped, and only by its session", async () => {
    const session = await HttpSession.open(gateway.core.fetch);
    const response = await session.send("tools/call", {
      name: "fix__progress",
      arguments: { steps: 2 },
      _meta: { progressToken: 7 },
    });
    const ids: string[] = [];
    for await (const { id } of eventsOf(response)) ids.push(id ?? "");
    assert.equal(ids.length, 4, "an event to come back with, two of progress, the answer");
    const resumed = await messagesOf(await session.get({ "last-event-id": ids[1] as string }));
    assert.equal(resumed[0]?.["params"].progress, 2);
    assert.ok("result" in (resumed[1] as Rpc));
    const other = await HttpSession.open(gateway.core.fetch);
    assert.equal((await other.get({ "last-event-id": ids[1] as string })).status, 400);
  });

  it("a client that leaves does not end its call; the answer waits for it", async () => {
    const session = await HttpSession.open(gateway.core.fetch);
    const response = await session.send("tools/call", {
      name: "fix__progress",
      arguments: { steps: 1 },
      _meta: { progressToken: 1 },
    });
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    const first = new TextDecoder().decode((await reader.read()).value);
    await reader.cancel();
    const id = /^id: (\S+)$/m.exec(first)?.[1] as string;
    const messages = await messagesOf(await session.get({ "last-event-id": id }));
    assert.ok("result" in (messages.at(-1) as Rpc));
  });

  it("a cancelled call is accepted without an answer and the backend is told", async () => {
    const session = await HttpSession.open(gateway.core.fetch);
    const waiting = session.send("tools/call", { name: "fix__wait" }, "c1");
    await session.call("fix__echo");
    assert.equal(
      (await session.notify("notifications/cancelled", { requestId: "c1", reason: "enough" }))
        .status,
      202,
    );
    assert.equal((await waiting).status, 202);
    assert.deepEqual(gateway.core.snapshot().backends[0]?.inFlight, 0);
  });

  it("the same id twice in flight keeps two answers", async () => {
    const session = await HttpSession.open(gateway.core.fetch);
    const call = (value: string) =>
      session.send("tools/call", { name: "fix__echo", arguments: { value } }, 5);
    const [one, two] = await Promise.all([call("one"), call("two")]);
    assert.match(await one.text(), /one/);
    assert.match(await two.text(), /two/);
  });

  proves("G1.5", "ids of different clients never meet: each gets its own answer", async () => {
    const sessions = await Promise.all(
      Array.from({ length: 20 }, () => HttpSession.open(gateway.core.fetch)),
    );
    const answers = await Promise.all(
      sessions.map((session, index) => session.call("fix__echo", { mark: index })),
    );
    answers.forEach((answer, index) =>
      assert.equal(answer["result"].content[0].text, `{"mark":${index}}`)
    );
  });

  it("lists page, read, prompt, complete and subscribe reach the backend under its own names", async () => {
    const session = await HttpSession.open(gateway.core.fetch);
    const prompt = await session.request("prompts/get", {
      name: "fix__greet",
      arguments: { who: "x" },
    });
    assert.match(prompt["result"].messages[0].content.text as string, /"name":"greet"/);
    const read = await session.request("resources/read", { uri: "fixture://item/5" });
    assert.equal(read["result"].contents[0].uri, "fixture://item/5");
    const completion = await session.request("completion/complete", {
      ref: { type: "ref/prompt", name: "fix__greet" },
      argument: { name: "who", value: "v" },
    });
    assert.deepEqual(completion["result"].completion.values, ["greet", "v"]);
    const missing = await session.request("resources/read", { uri: 7 });
    assert.equal(missing["error"].code, -32602);
  });

  it("updates of a subscribed resource come on the session's stream, to subscribers only", async () => {
    const [one, two] = [
      await HttpSession.open(gateway.core.fetch),
      await HttpSession.open(gateway.core.fetch),
    ];
    await one.request("resources/subscribe", { uri: "fixture://one" });
    const stream = await one.get();
    for await (const { data } of eventsOf(stream)) {
      if (data === "") continue;
      assert.deepEqual(JSON.parse(data), {
        jsonrpc: "2.0",
        method: "notifications/resources/updated",
        params: { uri: "fixture://one" },
      });
      break;
    }
    assert.deepEqual(
      (await one.request("resources/unsubscribe", { uri: "fixture://one" }))["result"],
      {},
    );
    const quiet = await two.get();
    await two.delete();
    assert.deepEqual(await messagesOf(quiet), []);
  });
});
