import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { FakeClock } from "../support/fake_clock.ts";
import { startManagement, type TestManagement, TOKENS } from "../support/management.ts";
import { proves } from "../support/proves.ts";

const STATUS = "/manage/v1/status";
const FAR = "192.0.2.7";
const MINUTE = 60_000;

describe("the door of the management API", () => {
  let management: TestManagement;
  afterEach(() => management.stop());

  const host = async (value: string) => {
    const { status, json } = await management.ask("GET", STATUS, {
      token: TOKENS.read,
      headers: { host: value },
    });
    return [status, json.error?.code];
  };

  test("only names of this gateway are served", async () => {
    management = await startManagement();
    const own = ["127.0.0.1:8809", "localhost", "LOCALHOST:1", "[::1]:8809", "gateway.example"];
    for (const name of own) assert.deepEqual(await host(name), [200, undefined], name);
    const foreign = [
      "evil.example",
      "gateway.example.evil.example",
      "a.gateway.example",
      "1.1.1.1",
    ];
    for (const name of foreign) {
      assert.deepEqual(await host(name), [421, "ORIGIN_OR_HOST_REFUSED"], name);
    }
    const hostile = [
      "",
      "a/manage/v1/shutdown?",
      "localhost.",
      "localhost, evil.example",
      "a@localhost",
      "localhost#",
      "localhost\\",
      "localhost:99999999",
      "[::1",
    ];
    for (const name of hostile) {
      assert.deepEqual(await host(name), [400, "ORIGIN_OR_HOST_REFUSED"], name);
    }
  });

  test("a page of a browser has no effect and gets no permission", async () => {
    management = await startManagement();
    const { ask, gateway } = management;
    const path = "/manage/v1/kill-switches/tools/x";
    const token = TOKENS.admin;
    const shapes: [string, Record<string, string>, unknown, number][] = [
      ["PUT", { origin: "https://evil.example" }, { reason: "x" }, 403],
      ["PUT", { origin: "null" }, { reason: "x" }, 403],
      ["PUT", { origin: "http://127.0.0.1:8809" }, { reason: "x" }, 403],
      ["PUT", { "sec-fetch-site": "cross-site" }, { reason: "x" }, 403],
      ["PUT", { "sec-fetch-site": "same-site" }, { reason: "x" }, 403],
      ["PUT", { "content-type": "text/plain" }, { reason: "x" }, 415],
      ["PUT", { "content-type": "application/x-www-form-urlencoded" }, "reason=x", 415],
      ["PUT", { "content-type": "multipart/form-data; boundary=b" }, "--b--", 415],
      ["POST", {}, { reason: "x" }, 405],
      ["OPTIONS", {}, undefined, 405],
      [
        "OPTIONS",
        {
          origin: "https://evil.example",
          "access-control-request-method": "PUT",
          "access-control-request-headers": "authorization",
        },
        undefined,
        403,
      ],
      ["HEAD", {}, undefined, 405],
    ];
    for (const [method, headers, body, status] of shapes) {
      const answer = await ask(method, path, { token, headers, body });
      assert.equal(answer.status, status, JSON.stringify([method, headers]));
      const names = Object.keys(answer.headers).join();
      assert.ok(!names.includes("access-control"), names);
      assert.equal(answer.headers["allow"], status === 405 ? "PUT, DELETE" : undefined);
    }
    assert.deepEqual(gateway.core.control.killSwitches(), []);
    const typed = { "sec-fetch-site": "none" };
    assert.equal((await ask("GET", STATUS, { token, headers: typed })).status, 200);
  });

  test("refusals by Host and Origin are in the journal, but cannot fill it", async () => {
    management = await startManagement();
    const { ask, gateway } = management;
    for (let round = 0; round < 100; round++) {
      await ask("GET", STATUS, { headers: { origin: "https://evil.example" } });
    }
    const refusals = gateway.journal.entries.filter(({ kind }) => kind === "refusal");
    assert.equal(refusals.length, 20);
    const { text } = gateway.telemetry.expose(undefined);
    assert.match(text, /sentinel_management_refusals_total\{reason="origin"\} 100\n/);
    // They say nothing about sign-ins: whoever shares the address can still come in.
    assert.equal((await ask("GET", STATUS, { token: TOKENS.read })).status, 200);
  });

  proves(["S3"], "ten thousand guesses of one address: twenty are looked at", async () => {
    const clock = new FakeClock();
    management = await startManagement({ clock });
    const { ask, gateway, log } = management;
    const guess = (token: string) => ask("GET", STATUS, { token, address: FAR });
    const statuses = new Map<number, number>();
    for (let round = 0; round < 100; round++) {
      const batch = Array.from({ length: 100 }, (_, index) => guess(`guess-${round}-${index}`));
      for (const { status } of await Promise.all(batch)) {
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      }
    }
    // Which of those side by side are the first to be looked at is the runtime's choice.
    assert.deepEqual(Object.fromEntries(statuses), { 401: 20, 429: 9980 });
    const codes = gateway.journal.entries.map((entry) => entry.kind === "refusal" && entry.code);
    assert.equal(codes.filter((code) => code === "UNAUTHENTICATED").length, 20);
    assert.equal(codes.filter((code) => code === "RATE_LIMITED").length, 1);
    assert.deepEqual(log.map(({ event }) => event), ["management.limited"]);
    assert.equal(log[0]?.fields["address"], FAR);

    const right = await guess(TOKENS.admin);
    assert.deepEqual([right.status, right.json.error.code], [429, "RATE_LIMITED"]);
    assert.equal(right.headers["retry-after"], "60");
    assert.equal(right.json.error.retryAfterMs, MINUTE);
    const other = await ask("GET", STATUS, { token: TOKENS.admin, address: "192.0.2.8" });
    assert.equal(other.status, 200);
    await clock.advance(MINUTE);
    assert.equal((await guess(TOKENS.admin)).status, 200);
  });

  test("failures further apart than a minute limit nobody", async () => {
    const clock = new FakeClock();
    management = await startManagement({ clock });
    for (let round = 0; round < 100; round++) {
      const { status } = await management.ask("GET", STATUS, { token: "x", address: FAR });
      assert.equal(status, 401);
      await clock.advance(MINUTE / 18);
    }
  });

  for (const address of ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"]) {
    test(`this machine cannot be locked out (${address})`, async () => {
      management = await startManagement({ clock: new FakeClock() });
      const { ask, gateway } = management;
      const statuses: number[] = [];
      for (let round = 0; round < 40; round++) {
        statuses.push((await ask("GET", STATUS, { token: "x", address })).status);
        assert.equal((await ask("GET", STATUS, { token: TOKENS.read, address })).status, 200);
      }
      assert.deepEqual(new Set(statuses.slice(0, 20)), new Set([401]));
      assert.deepEqual(new Set(statuses.slice(20)), new Set([429]));
      assert.equal(gateway.journal.entries.length, 21);
    });
  }

  test("a network with IPv6 is one address", async () => {
    management = await startManagement({ clock: new FakeClock() });
    const from = (address: string) => management.ask("GET", STATUS, { token: "x", address });
    for (let host = 0; host < 20; host++) await from(`2001:db8:0:1::${host.toString(16)}`);
    assert.equal((await from("2001:db8:0:1:ffff:ffff:ffff:ffff")).status, 429);
    assert.equal((await from("2001:db8:0:2::1")).status, 401);
    for (let round = 0; round < 20; round++) await from("::ffff:192.0.2.7");
    assert.equal((await from("192.0.2.7")).status, 429);
  });

  test("of the addresses that fail, ten thousand are remembered", async () => {
    management = await startManagement({
      clock: new FakeClock(),
      control: { refuse: () => {} },
    });
    const { ask } = management;
    const fail = (address: string) => ask("GET", STATUS, { token: "x", address });
    for (let round = 0; round < 20; round++) await fail(FAR);
    assert.equal((await fail(FAR)).status, 429);
    for (let host = 0; host < 10_000; host++) await fail(`10.1.${host >> 8}.${host & 255}`);
    // The oldest of 10,000 was forgotten for the newest.
    assert.equal((await fail(FAR)).status, 401);
  });

  test("requests are counted by route, method and status", async () => {
    management = await startManagement();
    const { ask, gateway } = management;
    await ask("GET", STATUS, { token: TOKENS.read });
    await ask("GET", STATUS);
    await ask("BREW", "/manage/v1/coffee");
    const { text } = gateway.telemetry.expose(undefined);
    const lines = text.split("\n").filter((line) =>
      line.startsWith("sentinel_management_requests_total{")
    );
    assert.deepEqual(lines.toSorted(), [
      'sentinel_management_requests_total{route="none",method="other",code="404"} 1',
      'sentinel_management_requests_total{route="status",method="GET",code="200"} 1',
      'sentinel_management_requests_total{route="status",method="GET",code="401"} 1',
    ]);
  });
});
