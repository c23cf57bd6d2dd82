import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import * as v from "valibot";
import { ConfigSchema } from "../../../src/contract/mod.ts";
import { createAddressList, parseAddress } from "../../../src/core/front/address_list.ts";
import { createHttpPolicy } from "../../../src/core/front/http_policy.ts";
import type { HttpIncoming } from "../../../src/core/mod.ts";
import { type ConfigInput, startCore, type TestCore } from "../../support/core.ts";
import { BASE, HEADERS, HttpSession, type Rpc } from "../../support/http_session.ts";
import { proves } from "../../support/proves.ts";
import { seeded } from "../catalog/support.ts";

type Server = NonNullable<ConfigInput["server"]>;
type Headers = Readonly<Record<string, string>>;

function incomingOf(headers: Headers = {}, method = "POST"): HttpIncoming {
  const all: Headers = { host: "127.0.0.1", ...headers };
  return {
    method,
    target: "/mcp",
    header: (name) => all[name],
    headerBytes: () =>
      Object.entries(all).reduce((sum, [name, value]) => sum + name.length + value.length, 0),
    body: () => Promise.reject(new Error("The body was read")),
    abandon: () => {},
    onGone: () => {},
  };
}

/** What the policy takes for the client's address, or the code it refuses with. */
function judge(server: Server, address: string | undefined, headers?: Headers): string | undefined {
  const policy = createHttpPolicy(v.parse(ConfigSchema, { server }));
  const peer = address === undefined ? undefined : { address };
  try {
    return policy.admit(incomingOf(headers), peer);
  } catch (thrown) {
    return (thrown as { readonly code: string }).code;
  }
}

describe("the address of a client", () => {
  const PROXY = "10.0.0.1";
  const behind = (list: string, from = PROXY) =>
    judge({ trusted_proxies: ["10.0.0.0/8", "fd00::/8"] }, from, { "x-forwarded-for": list });
  const forwarded = (text: string) =>
    judge({ trusted_proxies: ["10.0.0.0/8", "fd00::/8"] }, PROXY, { forwarded: text });

  it("is the peer's, in one spelling", () => {
    const spellings = {
      "192.0.2.7": "192.0.2.7",
      "::ffff:192.0.2.7": "192.0.2.7",
      "::FFFF:C000:0207": "192.0.2.7",
      "2001:DB8:0:0:0:0:0:7": "2001:db8::7",
      "fe80::1%eth0": "fe80::1",
      "::1": "::1",
    };
    for (const [peer, text] of Object.entries(spellings)) assert.equal(judge({}, peer), text);
    assert.equal(judge({}, undefined), undefined);
    assert.equal(judge({}, "a socket's path"), undefined);
  });

  it("is nobody's word but a trusted proxy's", () => {
    const headers = { "x-forwarded-for": "192.0.2.9", "forwarded": "for=192.0.2.9" };
    assert.equal(judge({}, "192.0.2.7", headers), "192.0.2.7");
    assert.equal(judge({ trusted_proxies: ["10.0.0.0/8"] }, "192.0.2.7", headers), "192.0.2.7");
    assert.equal(judge({ trusted_proxies: ["10.0.0.0/8"] }, undefined, headers), undefined);
  });

  it("is the first from the right that is no trusted proxy", () => {
    assert.equal(behind("192.0.2.7"), "192.0.2.7");
    assert.equal(behind("198.51.100.1, 192.0.2.7"), "192.0.2.7");
    assert.equal(behind("198.51.100.1,192.0.2.7 ,10.9.9.9,fd00::5"), "192.0.2.7");
    assert.equal(behind("2001:db8::7, 10.0.0.2", "::ffff:10.0.0.1"), "2001:db8::7");
    assert.equal(behind("10.0.0.7, 10.0.0.2"), "10.0.0.7");
    assert.equal(behind("192.0.2.7:4711, [fd00::1]:80, [fd00::2]"), "192.0.2.7");
  });

  it("is never what is no address", () => {
    const malformed = ["", " ", "x", "unknown", "1.2.3", "1.2.3.4.5", "256.1.1.1", "010.1.1.1"];
    malformed.push("1.2.3.4/32", "1.2.3.4x", "0x7f.1", "2130706433", "::g", "1::2::3", "::1%eth0");
    malformed.push("[::1", "1.2.3.4\t5", "'; DROP TABLE", "a".repeat(10_000), ":", "::ffff:1.2.3");
    for (const text of malformed) {
      assert.equal(behind(text), PROXY, text);
      assert.equal(behind(`192.0.2.7, ${text}`), PROXY, text);
      assert.equal(behind(`192.0.2.7, ${text}, 10.0.0.2`), "10.0.0.2", text);
      assert.equal(behind(`${text}, 192.0.2.7, 10.0.0.2`), "192.0.2.7", text);
    }
  });

  it("comes from Forwarded where there is no X-Forwarded-For", () => {
    assert.equal(forwarded("for=192.0.2.7;proto=https;by=10.0.0.1"), "192.0.2.7");
    assert.equal(forwarded('for=198.51.100.1, FOR="[2001:db8::7]:4711"'), "2001:db8::7");
    assert.equal(forwarded('for=192.0.2.7;host="a,b", for=10.0.0.9'), "192.0.2.7");
    for (
      const text of ["for=unknown", "for=_hidden", "proto=https", 'for="192.0.2.7', "", "for="]
    ) {
      assert.equal(forwarded(text), PROXY, text);
      assert.equal(forwarded(`for=192.0.2.7, ${text}`), PROXY, text);
    }
    assert.equal(forwarded("for=192.0.2.7;for=192.0.2.8"), PROXY);
    assert.equal(forwarded('for="192.0.2.7\\""'), PROXY);
    const both = { "x-forwarded-for": "192.0.2.7", "forwarded": "for=192.0.2.9" };
    assert.equal(judge({ trusted_proxies: ["10.0.0.0/8"] }, PROXY, both), "192.0.2.7");
  });

  it("is looked for in the last 32 hops only", () => {
    const hops = (count: number) => Array.from({ length: count }, () => "10.0.0.2").join();
    assert.equal(behind(`192.0.2.7,${hops(31)}`), "192.0.2.7");
    assert.equal(behind(`192.0.2.7,${hops(32)}`), "10.0.0.2");
  });
});

describe("lists of networks", () => {
  const REFUSED = "ADDRESS_REFUSED";

  it("let everybody in while they are empty; what is denied wins", () => {
    const server = { allow_addresses: ["192.0.2.0/24"], deny_addresses: ["192.0.2.128/25"] };
    assert.equal(judge(server, "192.0.2.7"), "192.0.2.7");
    assert.equal(judge(server, "::ffff:192.0.2.7"), "192.0.2.7");
    for (const address of ["192.0.2.129", "198.51.100.1", "::1", undefined]) {
      assert.equal(judge(server, address), REFUSED, address);
    }
    const denying = { deny_addresses: server.deny_addresses };
    assert.equal(judge(denying, "198.51.100.1"), "198.51.100.1");
    assert.equal(judge(denying, "::ffff:c000:2ff"), REFUSED);
    assert.equal(judge(denying, undefined), REFUSED);
  });

  it("hold addresses of their own version only", () => {
    assert.equal(judge({ deny_addresses: ["::/0"] }, "192.0.2.7"), "192.0.2.7");
    assert.equal(judge({ deny_addresses: ["::/0"] }, "2001:db8::7"), REFUSED);
    assert.equal(judge({ deny_addresses: ["0.0.0.0/0"] }, "2001:db8::7"), "2001:db8::7");
    assert.equal(judge({ deny_addresses: ["0.0.0.0/0"] }, "::ffff:192.0.2.7"), REFUSED);
    assert.equal(judge({ deny_addresses: ["::ffff:192.0.2.0/120"] }, "192.0.2.7"), REFUSED);
  });

  it("look at the client behind a trusted proxy, not at the proxy", () => {
    const server = { trusted_proxies: ["10.0.0.0/8"], deny_addresses: ["192.0.2.0/24"] };
    const from = (list: string) => judge(server, "10.0.0.1", { "x-forwarded-for": list });
    assert.equal(from("192.0.2.7"), REFUSED);
    assert.equal(from("198.51.100.1, 192.0.2.7"), REFUSED);
    assert.equal(from("192.0.2.7, 198.51.100.1"), "198.51.100.1");
  });

  const seed = Math.floor(Math.random() * 2 ** 32);
  it(`hold what their bits say, for generated ones (seed ${seed})`, () => {
    const random = seeded(seed);
    const upTo = (count: number) => Math.floor(random() * count);
    let inside = 0;
    for (let round = 0; round < 3000; round++) {
      const size = random() < 0.5 ? 32 : 128;
      const bits = upTo(size + 1);
      const network = bitsOf(size, upTo);
      const same = upTo(size + 1);
      const address = network.slice(0, same) + bitsOf(size - same, upTo);
      const expected = address.slice(0, bits) === network.slice(0, bits);
      const list = createAddressList([`${spelled(network)}/${bits}`]);
      const parsed = parseAddress(spelled(address));
      assert.ok(parsed, spelled(address));
      // A random address of version 6 that is a mapped one would be a miracle.
      assert.equal(
        list.has(parsed),
        expected,
        `${spelled(address)} in ${spelled(network)}/${bits}`,
      );
      if (expected) inside++;
    }
    assert.ok(inside > 500, `only ${inside} were inside`);
  });
});

function bitsOf(count: number, upTo: (count: number) => number): string {
  return Array.from({ length: count }, () => upTo(2)).join("");
}

/** Dotted for 32 bits, eight groups for 128. */
function spelled(bits: string): string {
  const numbers = (width: number) =>
    (bits.match(new RegExp(`.{${width}}`, "g")) ?? []).map((part) => Number.parseInt(part, 2));
  if (bits.length === 32) return numbers(8).join(".");
  return numbers(16).map((group) => group.toString(16)).join(":");
}

describe("the HTTP policy", () => {
  const toolsets = { small: { tools: ["*"] } };
  let gateway: TestCore;
  before(async () => {
    gateway = await startCore({ toolsets });
  });
  after(() => gateway.stop());

  interface Sending {
    readonly headers?: Headers;
    readonly body?: string;
    readonly address?: string;
  }

  async function send(method: string, path: string, sending: Sending = {}) {
    const { headers, body, address = "192.0.2.7" } = sending;
    const init = { method, headers: { ...HEADERS, ...headers }, ...(body && { body }) };
    const response = await gateway.core.fetch(new Request(BASE + path, init), { address });
    const text = await response.text();
    const { error } = text.startsWith("{") ? JSON.parse(text) as Rpc : { error: undefined };
    return { status: response.status, headers: response.headers, code: error?.data.code };
  }

  async function reload(server: Server): Promise<void> {
    gateway.source.write({ server, toolsets });
    await gateway.core.control.reload({ actor: { name: "test" } });
  }

  proves("U3", "a reload changes who may call, for sessions that are open too", async () => {
    const session = await HttpSession.open((request) =>
      gateway.core.fetch(request, { address: "192.0.2.7" })
    );
    assert.equal((await session.send("ping")).status, 200);
    await reload({ deny_addresses: ["192.0.2.7/32"] });
    const refused = await session.send("ping");
    assert.equal(refused.status, 403);
    assert.equal(refused.headers.get("connection"), "close");
    const { error } = await refused.json() as Rpc;
    assert.deepEqual([error.code, error.data.code], [-31005, "ADDRESS_REFUSED"]);
    const [denials] = gateway.telemetry.read("sentinel_denials_total")
      .filter(({ labels }) => labels["reason"] === "address");
    assert.equal(denials?.value, 1);
    await reload({});
    assert.equal((await session.send("ping")).status, 200);
  });

  proves("U3", "an address is refused on every path, before the token is looked at", async () => {
    await reload({ allow_addresses: ["10.0.0.0/8"] });
    const paths = ["/mcp", "/mcp/small", "/sse", "/messages/", "/", "/x"];
    for (const path of [...paths, "/.well-known/oauth-protected-resource"]) {
      for (const method of ["GET", "POST", "DELETE", "OPTIONS"]) {
        assert.equal((await send(method, path)).code, "ADDRESS_REFUSED", `${method} ${path}`);
      }
    }
    assert.equal((await send("GET", "/x", { address: "10.1.2.3" })).status, 404);
    await reload({});
  });

  it("counts the headers of a request", async () => {
    await reload({ max_header_size: "1KiB" });
    const filled = (bytes: number) => ({ headers: { "x-filler": "x".repeat(bytes) } });
    assert.equal((await send("GET", "/x", filled(700))).status, 404);
    const refused = await send("GET", "/x", filled(1100));
    assert.deepEqual([refused.status, refused.code], [431, "HEADERS_TOO_LARGE"]);
    await reload({});
    assert.equal((await send("GET", "/x", filled(1100))).status, 404);
  });

  it("refuses a body where none belongs", async () => {
    for (const method of ["GET", "DELETE"]) {
      for (const headers of [{ "content-length": "2" }, { "transfer-encoding": "chunked" }]) {
        const refused = await send(method, "/mcp", { headers });
        assert.deepEqual([refused.status, refused.code], [400, "BAD_HTTP"], method);
        assert.equal(refused.headers.get("connection"), "close");
      }
      assert.notEqual(
        (await send(method, "/x", { headers: { "content-length": "0" } })).status,
        400,
      );
    }
  });

  it("gives a page of another site no way in, and no answer it could read (T28)", async () => {
    const foreign: [string, Sending, number][] = [
      ["POST", { headers: { "sec-fetch-site": "cross-site" }, body: "{}" }, 403],
      ["GET", { headers: { "sec-fetch-site": "cross-site" } }, 403],
      ["POST", { headers: { origin: "https://evil.example" }, body: "{}" }, 403],
      ["POST", { headers: { "content-type": "text/plain" }, body: "{}" }, 415],
      ["POST", { headers: { "content-type": "multipart/form-data; boundary=b" }, body: "x" }, 415],
      [
        "POST",
        { headers: { "content-type": "application/x-www-form-urlencoded" }, body: "a" },
        415,
      ],
      ["POST", {
        headers: { "sec-fetch-site": "cross-site", "origin": "http://localhost:3000" },
        body: "{}",
      }, 403],
    ];
    for (const [method, sending, status] of foreign) {
      const answer = await send(method, "/mcp", sending);
      assert.equal(answer.status, status, JSON.stringify(sending));
      assert.ok(![...answer.headers.keys()].join().includes("access-control"));
    }
    for (const site of ["same-origin", "same-site", "none"]) {
      assert.equal((await send("GET", "/x", { headers: { "sec-fetch-site": site } })).status, 404);
    }
  });

  it("lets a page in whose origin is listed, from another site too", async () => {
    await reload({ allowed_origins: ["https://app.example.com"] });
    const headers = { "origin": "https://app.example.com", "sec-fetch-site": "cross-site" };
    assert.equal((await send("GET", "/x", { headers })).status, 404);
    await reload({});
  });

  it("answers other methods with those there are, and grants pages nothing", async () => {
    const allowed = {
      "/mcp": "GET, POST, DELETE",
      "/mcp/small": "GET, POST, DELETE",
      "/sse": "GET",
      "/messages/": "POST",
      "/messages": "POST",
    };
    const preflight = {
      "origin": "http://localhost:3000",
      "access-control-request-method": "POST",
      "access-control-request-headers": "authorization, content-type",
    };
    for (const [path, allow] of Object.entries(allowed)) {
      for (const method of ["OPTIONS", "PATCH", "PUT", "HEAD"]) {
        const answer = await send(method, path, { headers: preflight });
        assert.deepEqual([answer.status, answer.headers.get("allow")], [405, allow], path);
        assert.ok(![...answer.headers.keys()].join().includes("access-control"), path);
      }
    }
  });
});
