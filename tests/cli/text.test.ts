import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  briefDuration,
  fitted,
  longDuration,
  milliseconds,
  visible,
  visibleCopy,
  visibleJson,
  widthOf,
} from "../../cli/text.ts";

describe("text of a network", () => {
  it("has nothing left that a terminal would obey", () => {
    assert.equal(visible("\u001b[31mred\u001b[0m\u0007"), "\\x1b[31mred\\x1b[0m\\x07");
    assert.equal(visible("a\nb\rc\td"), "a\\nb\\rc\\td");
    assert.equal(visible("\u009b2J \u202eevil\u2066 \u2028"), "\\x9b2J \\u202eevil\\u2066 \\u2028");
    assert.equal(visible("ünïcode 名前 👍"), "ünïcode 名前 👍");
  });

  it("is made harmless everywhere in an answer, names of members too", () => {
    const copy = visibleCopy({ "a\u001b": ["\u0007", { b: 1, c: null, d: "\n" }] });
    assert.deepEqual(copy, { "a\\x1b": ["\\x07", { b: 1, c: null, d: "\\n" }] });
  });

  it("is the same value as JSON, without characters a terminal obeys", () => {
    const value = { "k\u009b": "\u001b[2J\u009b\u202e\u007f", list: ["\n"] };
    for (const indent of [undefined, 2]) {
      const json = visibleJson(value, indent);
      assert.deepEqual(JSON.parse(json), value);
      assert.doesNotMatch(json.replaceAll("\n", ""), /[\p{Cc}\u202e]/u);
    }
  });
});

describe("width", () => {
  it("counts cells, not code units", () => {
    const cases: [string, number][] = [
      ["abc", 3],
      ["名前", 4],
      ["한글", 4],
      ["é", 1],
      ["e\u0301", 1],
      ["👍", 2],
      ["👩‍👩‍👧", 2],
      ["🇩🇪", 2],
      ["…–→", 3],
      ["", 0],
    ];
    for (const [text, cells] of cases) assert.equal(widthOf(text), cells, text);
  });

  it("is kept to by cutting between characters", () => {
    assert.equal(fitted("abcdef", 6), "abcdef");
    assert.equal(fitted("abcdefg", 6), "abcde…");
    assert.equal(fitted("名前名前", 6), "名前…");
    assert.equal(fitted("👩‍👩‍👧👩‍👩‍👧", 3), "👩‍👩‍👧…");
    assert.equal(fitted("abc", 0), "");
    for (let cells = 0; cells < 12; cells++) {
      assert.ok(widthOf(fitted("名a前b👍c", cells)) <= cells);
    }
  });
});

describe("durations", () => {
  it("are brief in tables and longer where there is room", () => {
    assert.deepEqual([0, 59, 60, 3599, 7200, 86_400 * 3].map(briefDuration), [
      "0s",
      "59s",
      "1m",
      "59m",
      "2h",
      "3d",
    ]);
    assert.deepEqual([0, 62, 3600, 273_600].map(longDuration), ["0s", "1m 2s", "1h", "3d 4h"]);
    assert.equal(briefDuration(-5), "0s");
    assert.deepEqual([0.4, 84, 1900, 90_000].map(milliseconds), ["0ms", "84ms", "1.9s", "1m"]);
  });
});
