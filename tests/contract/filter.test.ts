import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SentinelError } from "../../src/contract/errors.ts";
import type { Field } from "../../src/contract/filter/field.ts";
import { duration, moments, number, text, word, yesNo } from "../../src/contract/filter/fields.ts";
import { type FilterFields, parseFilter } from "../../src/contract/filter.ts";

interface Item {
  readonly name: string;
  readonly state?: string;
  readonly tags?: readonly string[];
  readonly calls?: number;
  readonly ms?: number;
  readonly bytes?: number;
  readonly on?: boolean;
  readonly at?: string;
}

const size: Field<Item> = { kind: "size", of: ({ bytes }) => bytes, about: "Size." };

const FIELDS: FilterFields<Item> = {
  texts: ({ name, state }) => [name, state],
  fields: {
    name: text(({ name }) => name, "Name."),
    status: word(["ready", "error"], ({ state }) => state, "State."),
    tag: text(({ tags }) => tags, "Tags."),
    calls: number(({ calls }) => calls, "Calls."),
    latency: duration(({ ms }) => ms, "Time."),
    bytes: size,
    on: yesNo(({ on }) => on === true, "Whether it is on."),
    ...moments<Item>(({ at }) => at ?? "", "Began"),
  },
};

const NOW = Date.UTC(2026, 10, 20, 12);

function matches(filter: string, item: Partial<Item>): boolean {
  return parseFilter(filter, FIELDS, NOW).matches({ name: "github", ...item });
}

function refusalOf(filter: string): SentinelError {
  try {
    parseFilter(filter, FIELDS, NOW);
  } catch (thrown) {
    assert.ok(thrown instanceof SentinelError);
    assert.equal(thrown.code, "INVALID_PARAMS");
    assert.equal(thrown.http, 400);
    return thrown;
  }
  throw new Error(`This filter was expected to be refused: ${filter}`);
}

/** Checks one filter against items that match and items that do not. */
function expects(filter: string, yes: readonly Partial<Item>[], no: readonly Partial<Item>[]) {
  for (const item of yes) assert.equal(matches(filter, item), true, JSON.stringify(item));
  for (const item of no) assert.equal(matches(filter, item), false, JSON.stringify(item));
}

describe("parseFilter()", () => {
  it("matches everything when it is empty", () => {
    expects("", [{}], []);
    expects(" \t ", [{}], []);
  });

  it("looks for words in any text, whatever their case", () => {
    expects("hub", [{}, { name: "x", state: "HUB" }], [{ name: "gitlab" }]);
    expects("GIT Ready", [{ state: "ready" }], [{}, { name: "x", state: "ready" }]);
    expects("lab,hub", [{}, { name: "gitlab" }], [{ name: "other" }]);
    expects("g*b", [{}], [{ name: "gateway" }]);
  });

  it("compares fields as a whole, with stars for any characters", () => {
    expects("name:github", [{}, { name: "GitHub" }], [{ name: "github2" }]);
    expects("name:git*", [{}, { name: "git" }], [{ name: "agit" }]);
    expects("name:*hub", [{}], [{ name: "hubs" }]);
    expects("name:g*t*b", [{}], [{ name: "gb" }, { name: "gtt" }]);
    expects("name:*", [{ name: "" }], []);
    expects("name:a*a", [{ name: "aa" }], [{ name: "a" }]);
    expects("name:*a*a*", [{ name: "xaxax" }], [{ name: "xax" }]);
  });

  it("takes alternatives, exclusions and several terms together", () => {
    expects("name:github,gitlab", [{}, { name: "gitlab" }], [{ name: "git" }]);
    expects("-name:git*", [{ name: "a" }], [{}]);
    expects("-name:a,b", [{}], [{ name: "a" }, { name: "b" }]);
    expects("-hub", [{ name: "a" }], [{}]);
    expects("git -status:error", [{ state: "ready" }, {}], [{ state: "error" }]);
  });

  it("knows whether something is there at all", () => {
    expects("tag:*", [{ tags: ["a"] }], [{}, { tags: [] }]);
    expects("-tag:*", [{}], [{ tags: ["a"] }]);
    expects("calls:>=0", [{ calls: 0 }], [{}]);
  });

  it("matches a list when one of its texts does", () => {
    expects("tag:b", [{ tags: ["a", "b"] }], [{ tags: ["a"] }]);
  });

  it("takes quoted text as it is", () => {
    expects('"git hub"', [{ name: "a git hub" }], [{ name: "git a hub" }]);
    expects('name:"a,b"', [{ name: "a,b" }], [{ name: "a" }]);
    expects('name:"a*"', [{ name: "a*" }], [{ name: "ab" }]);
    expects('"name:x"', [{ name: "name:x" }], [{ name: "x" }]);
    expects('"-a"', [{ name: "x-a" }], [{ name: "xa" }]);
    expects('-"a b"', [{ name: "ab" }], [{ name: "a b" }]);
    expects('name:a,"b c",d', [{ name: "b c" }, { name: "d" }], [{ name: "b" }]);
    expects('name:""', [{ name: "" }], [{}]);
  });

  it("compares numbers, durations and sizes", () => {
    expects("calls:5", [{ calls: 5 }], [{ calls: 6 }, {}]);
    expects("calls:>5", [{ calls: 5.5 }], [{ calls: 5 }]);
    expects("calls:>=5 calls:<7", [{ calls: 5 }, { calls: 6 }], [{ calls: 7 }, { calls: 4 }]);
    expects("calls:<=0.5", [{ calls: 0.5 }], [{ calls: 0.6 }]);
    expects("calls:<2,>9", [{ calls: 1 }, { calls: 10 }], [{ calls: 5 }]);
    expects("latency:>500ms", [{ ms: 501 }], [{ ms: 500 }]);
    expects("latency:<2s", [{ ms: 1999 }], [{ ms: 2000 }]);
    expects("latency:>500", [{ ms: 501 }], [{ ms: 500 }]);
    expects("bytes:>=4MiB", [{ bytes: 4_194_304 }], [{ bytes: 4_194_303 }]);
  });

  it("counts times back from now, or takes them as dates", () => {
    expects("since:1h", [{ at: "2026-11-20T11:00:00.000Z" }], [{ at: "2026-11-20T10:59:59.999Z" }]);
    expects("since:2026-11-20T10:00Z", [{ at: "2026-11-20T10:00:00.000Z" }], [
      { at: "2026-11-20T09:59:59.999Z" },
    ]);
    expects("since:2026-11-20T10:00", [{ at: "2026-11-20T10:00:00.000Z" }], [
      { at: "2026-11-20T09:59:59.999Z" },
    ]);
    expects("since:2026-11-20T12:00+02:00", [{ at: "2026-11-20T10:00:00.000Z" }], []);
    expects("since:2026-11-20 until:2026-11-21", [{ at: "2026-11-20T00:00:00.000Z" }], [
      { at: "2026-11-21T00:00:00.000Z" },
      { at: "2026-11-19T23:59:59.999Z" },
    ]);
    expects("since:1h", [], [{ at: "no time" }, {}]);
  });

  it("takes yes and no", () => {
    expects("on:yes", [{ on: true }], [{ on: false }, {}]);
    expects("-on:yes", [{}], [{ on: true }]);
  });

  it("names the nearest field and all there are", () => {
    const refusal = refusalOf("stauts:error");
    assert.equal(refusal.message, 'unknown field "stauts" — did you mean "status"?');
    assert.match(refusal.details.reason ?? "", /^fields: name, status, tag, .*, since, until;/);
    assert.equal(refusalOf("xyzzy:1").message, 'unknown field "xyzzy"');
    for (const field of ["__proto__", "constructor", "toString"]) {
      assert.equal(refusalOf(`${field}:1`).message, `unknown field "${field}"`);
    }
  });

  it("names the nearest value where there are only a few", () => {
    const refusal = refusalOf("status:redy");
    assert.equal(refusal.message, '"redy" is no value of "status" — did you mean "ready"?');
    assert.equal(refusal.details.reason, "values: ready, error");
    assert.match(refusalOf("on:maybe").message, /"maybe" is no value of "on"/);
    expects("status:e*", [{ state: "error" }], [{ state: "ready" }]);
  });

  it("refuses what it cannot understand, saying how to write it", () => {
    const cases = [
      ["name:", 'field "name" has no value'],
      ["name:a,", 'field "name" has no value'],
      ["name:,a", 'field "name" has no value'],
      ["a,,b", "a comma stands between two values"],
      [",", "a comma stands between two values"],
      ['"abc', "a quote is not closed"],
      ['name:"abc', "a quote is not closed"],
      ["calls:many", '"many" is no number for "calls"'],
      ["calls:>", '">" is no number for "calls"'],
      ["calls:1e99", '"1e99" is no number for "calls"'],
      ["latency:>5x", '">5x" is no duration for "latency"'],
      ["latency:>4MiB", '">4MiB" is no duration for "latency"'],
      ["since:yesterday", '"yesterday" is no time for "since"'],
      ["since:2026-13-40", '"2026-13-40" is no time for "since"'],
      ["since:2026-11-20T10", '"2026-11-20T10" is no time for "since"'],
    ] as const;
    for (const [filter, message] of cases) assert.equal(refusalOf(filter).message, message);
  });

  it("is bounded in length and terms", () => {
    assert.equal(matches("x".repeat(1000), {}), false);
    assert.match(refusalOf("x".repeat(1001)).message, /longer than 1000 characters/);
    assert.equal(matches("g ".repeat(50), {}), true);
    assert.match(refusalOf("g ".repeat(51)).message, /more than 50 terms/);
  });

  it("has no pattern that makes it slow", () => {
    const stars = `name:${"a*".repeat(490)}b`;
    assert.equal(matches(stars, { name: "a".repeat(100_000) }), false);
    assert.equal(matches(`name:${"*".repeat(900)}`, { name: "a".repeat(100_000) }), true);
  });

  it("takes every text for a filter or refuses it, and does nothing else", () => {
    const alphabet = ['"', ",", "-", ":", "*", ">", "<", " ", "a", "1", "name", "calls", "\u0000"];
    let seed = 7;
    const next = (count: number) => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      return Math.floor(seed / 2_147_483_648 * count);
    };
    const results = { taken: 0, refused: 0 };
    for (let round = 0; round < 5000; round++) {
      const parts = Array.from({ length: next(9) }, () => alphabet[next(alphabet.length)]);
      try {
        assert.equal(typeof matches(parts.join(""), { calls: 1 }), "boolean");
        results.taken++;
      } catch (thrown) {
        assert.ok(thrown instanceof SentinelError, String(thrown));
        results.refused++;
      }
    }
    assert.ok(results.taken > 500 && results.refused > 500, JSON.stringify(results));
  });
});
