import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as v from "valibot";
import { isCidr, isLoopback, parseListen } from "../../src/contract/config/listen.ts";
import { distance, suggest } from "../../src/contract/suggest.ts";
import {
  duration,
  formatDuration,
  formatRate,
  formatSize,
  grace,
  parseDuration,
  period,
  rate,
  size,
} from "../../src/contract/units.ts";

describe("units", () => {
  it("read durations as milliseconds and write them in the largest exact unit", () => {
    const pairs = [["1ms", 1], ["30s", 30_000], ["5m", 300_000], ["24h", 86_400_000]] as const;
    for (const [text, ms] of pairs) {
      assert.equal(v.parse(duration, text), ms);
      assert.equal(parseDuration(formatDuration(ms)), ms);
    }
    assert.equal(formatDuration(90_000), "90s");
    assert.equal(formatDuration(86_400_000), "1d");
    assert.equal(formatDuration(0), "0ms");
  });

  it("refuse durations without unit, with fractions, signs, blanks or a foreign unit", () => {
    for (const text of ["30", "1.5s", "-1s", " 1s", "1 s", "1S", "1w", "", "s", "1s1s"]) {
      assert.equal(v.is(duration, text), false, text);
    }
  });

  it("refuse durations a timer cannot hold, but let retention be longer", () => {
    assert.equal(v.is(duration, "24d"), true);
    assert.equal(v.is(duration, "25d"), false);
    assert.equal(v.is(duration, "999999999999999d"), false);
    assert.equal(v.parse(period, "90d"), 90 * 86_400_000);
  });

  it("allow zero only for grace", () => {
    assert.equal(v.parse(grace, "0s"), 0);
    assert.equal(v.is(duration, "0s"), false);
  });

  it("read sizes as bytes and write them exactly", () => {
    assert.equal(v.parse(size, "4MiB"), 4_194_304);
    assert.equal(v.parse(size, "2kB"), 2000);
    assert.equal(formatSize(4_194_304), "4MiB");
    assert.equal(formatSize(1500), "1500B");
    for (const text of ["4", "4M", "4mb", "0B", "1B", "2GiB"]) {
      assert.equal(v.is(size, text), false, text);
    }
  });

  it("read rates and write them", () => {
    assert.deepEqual(v.parse(rate, "60/min"), { count: 60, perMs: 60_000 });
    assert.equal(formatRate({ count: 5, perMs: 3_600_000 }), "5/h");
    for (const text of ["60", "60/m", "0/s", "1/s/s", "-1/s"]) {
      assert.equal(v.is(rate, text), false, text);
    }
  });
});

describe("parseListen()", () => {
  it("takes host and port apart", () => {
    assert.deepEqual(parseListen("127.0.0.1:8808"), { host: "127.0.0.1", port: 8808 });
    assert.deepEqual(parseListen("[::1]:0"), { host: "::1", port: 0 });
    assert.deepEqual(parseListen("localhost:1"), { host: "localhost", port: 1 });
    assert.deepEqual(parseListen(":8808"), { host: "", port: 8808 });
  });

  it("refuses what is no address", () => {
    const texts = ["", "8808", "127.0.0.1", "::1:8808", "[::1]", "a b:1", "127.0.0.1:65536"];
    for (const text of [...texts, "127.0.0.1:-1", "[zz]:1", "999.1.1.1:80", "http://a:1"]) {
      assert.equal(parseListen(text), undefined, text);
    }
  });
});

describe("isLoopback()", () => {
  it("is true for addresses of this machine only", () => {
    for (const host of ["127.0.0.1", "127.9.8.7", "::1", "0:0:0:0:0:0:0:1", "localhost"]) {
      assert.equal(isLoopback(host), true, host);
    }
    for (const host of ["0.0.0.0", "::", "", "10.0.0.1", "128.0.0.1", "127.example.com"]) {
      assert.equal(isLoopback(host), false, host);
    }
    assert.equal(isLoopback("localhost.example.com"), false);
  });
});

describe("isCidr()", () => {
  it("knows networks of both families", () => {
    for (const text of ["10.0.0.0/8", "192.0.2.7/32", "0.0.0.0/0", "fd00::/8", "::1/128"]) {
      assert.equal(isCidr(text), true, text);
    }
    for (const text of ["10.0.0.0", "10.0.0.0/33", "10.0.0/8", "fd00::/129", "a/8", "/8", ""]) {
      assert.equal(isCidr(text), false, text);
    }
  });
});

describe("suggest()", () => {
  it("finds what is at most two edits away", () => {
    const keys = ["timeout", "transport", "headers"];
    assert.equal(suggest("timout", keys), "timeout");
    assert.equal(suggest("timeuot", keys), "timeout");
    assert.equal(suggest("haeder", keys), "headers");
    assert.equal(suggest("tim", keys), undefined);
    assert.equal(suggest("retries", keys), undefined);
  });

  it("does not mind case and joints", () => {
    assert.equal(suggest("maxRequestSize", ["max_request_size"]), "max_request_size");
    assert.equal(suggest("Max-Request-Size", ["max_request_size"]), "max_request_size");
  });

  it("prefers the nearest", () => {
    assert.equal(suggest("serve", ["servers", "server"]), "server");
  });

  it("makes nothing up for very short words", () => {
    assert.equal(suggest("ab", ["cd", "url"]), undefined);
  });
});

describe("distance()", () => {
  it("counts a swap of neighbors as one edit", () => {
    assert.equal(distance("ab", "ba"), 1);
    assert.equal(distance("", "ab"), 2);
    assert.equal(distance("same", "same"), 0);
    assert.equal(distance("kitten", "sittin"), 2);
    assert.equal(distance("abc", "abcdefgh"), 3);
  });
});
