import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inspect } from "node:util";
import { createManagementClient, ManagementError } from "../../src/client/mod.ts";
import { SystemClock } from "../../src/hosts/clock.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { type HttpHandler, refusedUrl, serveTcp } from "../support/http_fixture.ts";
import {
  clientOf,
  countListeners,
  cut,
  hang,
  HEALTH,
  json,
  OPERATION,
  refusal,
  scripted,
  TOKEN,
} from "./scripted.ts";

const RECONNECT = { params: { name: "files" } } as const;

async function failureOf(work: Promise<unknown>): Promise<ManagementError> {
  const error = await work.then(() => assert.fail("it did not fail"), (thrown: unknown) => thrown);
  assert.ok(error instanceof ManagementError, `no ManagementError but ${inspect(error)}`);
  return error;
}

/** What a GET makes of an answer. */
async function judged(answer: HttpHandler): Promise<ManagementError> {
  await using server = await scripted(answer);
  const error = await failureOf(clientOf(server.url).request("health"));
  assert.equal(server.seen.length, 1, "nothing but an operation is repeated");
  return error;
}

describe("a request", () => {
  it("carries method, path, query and token of the table's route", async () => {
    await using server = await scripted(json({ items: [], revision: 7 }));
    const answer = await clientOf(server.url).request("backends", {
      query: { filter: "state:fatal -name:a&b", limit: 50, after: undefined },
    });
    assert.deepEqual(answer, { items: [], revision: 7 });
    const [seen] = server.seen;
    assert.equal(seen?.method, "GET");
    const url = new URL(seen?.url ?? "", server.url);
    assert.equal(url.pathname, "/manage/v1/backends");
    assert.deepEqual([...url.searchParams], [["filter", "state:fatal -name:a&b"], ["limit", "50"]]);
    assert.equal(seen?.headers.authorization, `Bearer ${TOKEN}`);
    assert.equal(seen?.headers.accept, "application/json");
    assert.equal(seen?.headers["idempotency-key"], undefined);
  });

  it("returns the answer as it came, with members the table does not know", async () => {
    await using server = await scripted(json({ ...HEALTH, later: { version: 2 } }));
    const answer = await clientOf(server.url).request("health");
    assert.deepEqual(answer, { ...HEALTH, later: { version: 2 } });
  });

  it("encodes parameters once, whatever they contain", async () => {
    const name = "file:///a b/%2e?x#y€";
    await using server = await scripted(refusal(404, "NOT_FOUND"));
    const client = clientOf(`${server.url}/prefix/`);
    await failureOf(client.request("capability", { params: { kind: "resource", name } }));
    const path = server.seen[0]?.url ?? "";
    assert.ok(path.startsWith("/prefix/manage/v1/capabilities/resource/"), path);
    assert.equal(decodeURIComponent(path.split("/").at(-1) ?? ""), name);
  });

  for (const name of ["", ".", "..", "\ud800"]) {
    it(`is not sent for a name no path can carry: ${JSON.stringify(name)}`, async () => {
      await using server = await scripted(json(OPERATION));
      const error = await failureOf(
        clientOf(server.url).request("reconnect", { params: { name } }),
      );
      assert.equal(error.kind, "not_found");
      assert.equal(server.seen.length, 0);
    });
  }

  it("sends a body as JSON, an empty one where the route has one", async () => {
    await using server = await scripted(json({ ...OPERATION, operation: "kill", matches: 1 }));
    const client = clientOf(server.url);
    const params = { scope: "tools", name: "a__*" };
    await client.request("kill", { params, body: { reason: "broken" } });
    await client.request("clearKill", { params });
    const [kill, clear] = server.seen;
    assert.equal(kill?.method, "PUT");
    assert.equal(kill?.body, '{"reason":"broken"}');
    assert.equal(kill?.headers["content-type"], "application/json");
    assert.equal(clear?.method, "DELETE");
    assert.equal(clear?.body, "");
    await using other = await scripted(json(OPERATION));
    await clientOf(other.url).request("reconnect", RECONNECT);
    assert.equal(other.seen[0]?.body, "{}");
  });

  it("returns a text for a route that answers one", async () => {
    await using server = await scripted((_request, response) => {
      response.writeHead(200, { "content-type": "text/plain" }).end("up 1\n# Größe\n");
    });
    assert.equal(await clientOf(server.url).request("metrics"), "up 1\n# Größe\n");
  });

  it("needs no token for public routes", async () => {
    await using server = await scripted(json(HEALTH));
    await clientOf(server.url, { token: undefined }).request("health");
    assert.equal(server.seen[0]?.headers.authorization, undefined);
  });
});

describe("a refusal", () => {
  const kinds = [
    [400, "INVALID_PARAMS", "refused"],
    [401, "UNAUTHENTICATED", "unauthorized"],
    [403, "INSUFFICIENT_SCOPE", "forbidden"],
    [403, "ORIGIN_OR_HOST_REFUSED", "forbidden"],
    [403, "OPERATION_DISABLED", "refused"],
    [404, "NOT_FOUND", "not_found"],
    [405, "BAD_HTTP", "mismatch"],
    [409, "CONFLICT", "refused"],
    [410, "CURSOR_UNKNOWN", "refused"],
    [422, "CONFIG_INVALID", "refused"],
    [429, "RATE_LIMITED", "refused"],
    [500, "INTERNAL", "server"],
    [503, "STOPPING", "server"],
  ] as const;
  for (const [status, code, kind] of kinds) {
    it(`${status} ${code} is ${kind} and says what the gateway said`, async () => {
      const error = await judged(refusal(status, code));
      const { request, remedy } = error;
      assert.deepEqual(
        { kind: error.kind, code: error.code, status: error.status, request, remedy },
        { kind, code, status, request: "r-1", remedy: "Do this." },
      );
      if (kind !== "mismatch") assert.equal(error.message, `refused: ${code}`);
    });
  }

  it("of the Host is a refusal; the Fetch standard lets `fetch` repeat a 421 itself", async () => {
    await using server = await scripted(refusal(421, "ORIGIN_OR_HOST_REFUSED"));
    const { kind, status } = await failureOf(clientOf(server.url).request("health"));
    assert.deepEqual({ kind, status }, { kind: "refused", status: 421 });
  });

  it("keeps what helps: reason, issues, last cursor, time to wait", async () => {
    const more = { reason: "why", issues: [{ line: 3 }], last: "42", retryAfterMs: 1500 };
    const error = await judged(refusal(422, "CONFIG_INVALID", more));
    const { reason, issues, last, retryAfterMs } = error;
    assert.deepEqual({ reason, issues, last, retryAfterMs }, more);
  });

  it("reads Retry-After where the body has nothing", async () => {
    const error = await judged((_request, response) => {
      response.writeHead(429, { "retry-after": "7" }).end("slow down");
    });
    assert.equal(error.kind, "refused");
    assert.equal(error.retryAfterMs, 7000);
  });

  it("of something that is no gateway is judged by its status alone", async () => {
    const page: (status: number) => HttpHandler = (status) => (_request, response) => {
      response.writeHead(status, { "content-type": "text/html" }).end("<h1>proxy</h1>");
    };
    assert.equal((await judged(page(401))).kind, "unauthorized");
    assert.equal((await judged(page(403))).kind, "forbidden");
    assert.equal((await judged(page(404))).kind, "mismatch");
    const { kind, code, remedy } = await judged(page(502));
    assert.equal(kind, "server");
    assert.equal(code, undefined);
    assert.notEqual(remedy, "");
  });

  it("503 is an answer where a gateway tells that it is not ready, and only then", async () => {
    const unready = { status: "unready", state: "failed", reasons: ["no backend is ready"] };
    const answered = (body: unknown): HttpHandler => (_request, response) => {
      response.writeHead(503, { "content-type": "application/json" }).end(JSON.stringify(body));
    };
    await using server = await scripted(answered(unready), answered({}), answered(unready));
    const client = clientOf(server.url);
    assert.deepEqual(await client.request("ready"), unready);
    assert.equal((await failureOf(client.request("ready"))).kind, "server");
    assert.equal((await failureOf(client.request("health"))).kind, "server");
  });

  it("that is itself endless is not read to its end", async () => {
    const error = await judged((_request, response) => {
      response.writeHead(500);
      const more = () => {
        while (!response.destroyed && response.write("x".repeat(65_536)));
      };
      response.on("drain", more);
      more();
    });
    assert.equal(error.kind, "mismatch");
  });
});

describe("an answer that is not the table's", () => {
  const answers: readonly (readonly [string, HttpHandler, RegExp])[] = [
    ["another shape", json({ state: "ready" }), /name/],
    ["an unknown word", json({ ...HEALTH, state: "sleepy" }), /state/],
    ["no object", json([]), /unexpected answer/],
    ["a page", (_request, response) => void response.end("<html>"), /not JSON/],
    ["nothing", (_request, response) => void response.writeHead(204).end(), /not JSON/],
    ["no UTF-8", (_request, response) => void response.end(Uint8Array.of(0xff, 0xfe)), /UTF-8/],
  ];
  for (const [name, answer, expected] of answers) {
    it(`${name} is a mismatch`, async () => {
      const error = await judged(answer);
      assert.equal(error.kind, "mismatch");
      assert.match(error.message, expected);
      assert.match(error.message, /\/manage\/v1\/health/);
    });
  }

  it("a redirect is refused, and the token goes nowhere else", async () => {
    await using other = await scripted(json(HEALTH));
    for (const status of [301, 302, 307, 308]) {
      const error = await judged((_request, response) => {
        response.writeHead(status, { location: `${other.url}/manage/v1/health` }).end();
      });
      assert.equal(error.kind, "mismatch");
      assert.match(error.message, new RegExp(`redirect to ${other.url}$`));
    }
    assert.equal(other.seen.length, 0);
  });

  it("more than 64 MiB is not kept", async () => {
    const error = await judged((_request, response) => {
      response.writeHead(200);
      const chunk = "x".repeat(1_048_576);
      const more = () => {
        while (!response.destroyed && response.write(chunk));
      };
      response.on("drain", more);
      more();
    });
    assert.equal(error.kind, "mismatch");
    assert.match(error.message, /more than 67108864 bytes/);
  });
});

describe("a connection that fails", () => {
  it("is unreachable when nobody listens", async () => {
    const { origin } = await refusedUrl();
    const error = await failureOf(clientOf(origin).request("status"));
    assert.equal(error.kind, "unreachable");
    assert.ok(error.message.startsWith(`Cannot reach ${origin}: `), error.message);
    assert.equal(error.status, undefined);
    assert.equal(error.idempotencyKey, undefined);
  });

  it("is unreachable when it is cut before, within or after the head", async () => {
    assert.equal((await judged(cut)).kind, "unreachable");
    const within = await judged((request, response) => {
      response.writeHead(200, { "content-length": "100" });
      response.write('{"state":');
      setTimeout(() => request.socket.destroy(), 20);
    });
    assert.equal(within.kind, "unreachable");
  });

  it("is unreachable when what answers is no HTTP", async () => {
    await using server = await serveTcp((socket) => void socket.end("SSH-2.0-x\r\n"));
    const error = await failureOf(clientOf(server.url.origin).request("health"));
    assert.equal(error.kind, "unreachable");
  });

  it("ends after 10 s without an answer, or what is asked for", async () => {
    const clock = new FakeClock();
    await using server = await scripted(hang);
    const client = clientOf(server.url, { clock });
    for (const timeoutMs of [undefined, 60_000]) {
      const failed = failureOf(client.request("health", { timeoutMs }));
      assert.equal(clock.next, timeoutMs ?? 10_000);
      await clock.advance(timeoutMs ?? 10_000);
      const error = await failed;
      assert.equal(error.kind, "timeout");
      assert.match(error.message, timeoutMs === undefined ? /within 10 s/ : /within 60 s/);
    }
    assert.equal(clock.pending, 0);
  });

  it("ends in time also when the answer comes drop by drop", async () => {
    const clock = new FakeClock();
    await using server = await scripted((_request, response) => {
      response.writeHead(200);
      response.write('{"state":');
    });
    const failed = failureOf(clientOf(server.url, { clock }).request("health"));
    await server.came(1);
    await clock.advance(10_000);
    assert.equal((await failed).kind, "timeout");
  });

  it("ends in time also with a fetch that looks at no signal", async () => {
    const clock = new FakeClock();
    const fetch = () => new Promise<Response>(() => {});
    const failed = failureOf(clientOf("http://x", { clock, fetch }).request("health"));
    await clock.advance(10_000);
    assert.equal((await failed).kind, "timeout");
  });

  it("leaves nothing on a signal that serves many requests", async () => {
    await using server = await scripted(json(HEALTH), refusal(500, "INTERNAL"), json(HEALTH));
    const { signal } = new AbortController();
    const listeners = countListeners(signal);
    const client = clientOf(server.url);
    await client.request("health", { signal });
    await failureOf(client.request("health", { signal }));
    await client.request("health", { signal });
    assert.equal(listeners(), 0);
  });

  it("by our own signal rejects with its reason, before and while waiting", async () => {
    const clock = new FakeClock();
    await using server = await scripted(hang);
    const client = clientOf(server.url, { clock });
    const reason = new Error("enough");
    await assert.rejects(client.request("health", { signal: AbortSignal.abort(reason) }), reason);
    const controller = new AbortController();
    const waiting = client.request("reload", { signal: controller.signal });
    await server.came(1);
    controller.abort(reason);
    await assert.rejects(waiting, reason);
    assert.equal(server.seen.length, 1);
    assert.equal(clock.pending, 0);
  });
});

describe("an operation", () => {
  it("has a key of its own each time, or the given one", async () => {
    await using server = await scripted(json(OPERATION));
    const client = clientOf(server.url);
    await client.request("reconnect", RECONNECT);
    await client.request("reconnect", RECONNECT);
    await client.request("reconnect", { ...RECONNECT, idempotencyKey: "mine" });
    const keys = server.seen.map(({ headers }) => headers["idempotency-key"]);
    assert.equal(new Set(keys).size, 3);
    assert.equal(keys[2], "mine");
    for (const key of keys) assert.match(String(key), /^[a-z0-9-]{4,200}$/);
  });

  it("is sent once more with the same key when the connection broke", async () => {
    await using server = await scripted(cut, json(OPERATION));
    const answer = await clientOf(server.url).request("reconnect", RECONNECT);
    assert.deepEqual(answer, OPERATION);
    const [first, second, ...more] = server.seen.map(({ headers }) => headers["idempotency-key"]);
    assert.ok(first !== undefined);
    assert.equal(first, second);
    assert.equal(more.length, 0);
  });

  it("is not sent a third time, and the failure says that it may have been done", async () => {
    await using server = await scripted(cut);
    const error = await failureOf(clientOf(server.url).request("reconnect", RECONNECT));
    assert.equal(error.kind, "unreachable");
    assert.equal(server.seen.length, 2);
    assert.equal(error.idempotencyKey, server.seen[0]?.headers["idempotency-key"]);
    assert.match(error.remedy, /may have been done/);
  });

  it("is not repeated after a refusal, a defect or a wrong answer", async () => {
    for (const answer of [refusal(409, "CONFLICT"), refusal(500, "INTERNAL"), json({})]) {
      await using server = await scripted(answer);
      await failureOf(clientOf(server.url).request("reconnect", RECONNECT));
      assert.equal(server.seen.length, 1);
    }
  });

  it("is not repeated when time is over; its key comes with the failure", async () => {
    const clock = new FakeClock();
    await using server = await scripted(hang);
    const failed = failureOf(clientOf(server.url, { clock }).request("reconnect", RECONNECT));
    await server.came(1);
    await clock.advance(10_000);
    const error = await failed;
    assert.equal(error.kind, "timeout");
    assert.equal(error.idempotencyKey, server.seen[0]?.headers["idempotency-key"]);
    assert.match(error.remedy, /may have been done/);
    assert.equal(server.seen.length, 1);
  });

  it("that was only refused a connection keeps within one time limit", async () => {
    const clock = new FakeClock();
    await using server = await scripted(cut, hang);
    const failed = failureOf(clientOf(server.url, { clock }).request("reload"));
    await server.came(2);
    await clock.advance(10_000);
    assert.equal((await failed).kind, "timeout");
    assert.equal(clock.pending, 0);
  });
});

describe("a client", () => {
  const parts = { fetch: globalThis.fetch, clock: new SystemClock(), random: Math.random };

  for (
    const url of [
      "localhost:8809",
      "not a url",
      "ftp://127.0.0.1",
      `http://user:${TOKEN}@127.0.0.1`,
      `http://127.0.0.1/?token=${TOKEN}`,
      `http://127.0.0.1/#${TOKEN}`,
    ]
  ) {
    it(`refuses the URL ${url.replace(TOKEN, "…")} without repeating it`, () => {
      assert.throws(() => createManagementClient({ url, token: TOKEN, ...parts }), (error) => {
        assert.ok(error instanceof ManagementError);
        assert.equal(error.kind, "unreachable");
        assert.ok(!inspect(error).includes(TOKEN));
        return true;
      });
    });
  }

  for (const token of ["", `${TOKEN}\n`, `${TOKEN} x`, `${TOKEN}é`]) {
    it(`refuses the token ${JSON.stringify(token.replace(TOKEN, "…"))} without showing it`, () => {
      assert.throws(() => createManagementClient({ url: "http://x", token, ...parts }), (error) => {
        assert.ok(error instanceof ManagementError);
        assert.equal(error.kind, "unauthorized");
        assert.ok(!inspect(error).includes(TOKEN));
        return true;
      });
    });
  }

  it("never shows its token, not even when the other side repeats it", async () => {
    const answers = [
      refusal(401, "UNAUTHENTICATED", { message: `bad ${TOKEN}`, reason: TOKEN, remedy: TOKEN }),
      refusal(422, "CONFIG_INVALID", { issues: [{ text: TOKEN }] }),
      json({ ...HEALTH, state: TOKEN }),
    ];
    for (const answer of answers) {
      const error = await judged(answer);
      assert.ok(!inspect(error, { depth: 10 }).includes(TOKEN), inspect(error));
    }
    assert.ok(!inspect(clientOf("http://x"), { depth: 10, showHidden: true }).includes(TOKEN));
    const echo = () => Promise.reject(new TypeError("fetch failed", { cause: new Error(TOKEN) }));
    const error = await failureOf(clientOf("http://x", { fetch: echo }).request("health"));
    assert.ok(!`${error.message}${error.remedy}`.includes(TOKEN));
  });
});
