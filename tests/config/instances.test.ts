import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { explainKey } from "../../src/config/explain.ts";
import { jsonSchema } from "../../src/config/json_schema.ts";
import { issuesOf, parse } from "./parsing.ts";

const file = (value: string) => `[backends.a]\ncommand = "cat"\ninstances = ${value}\n`;

describe("backends.*.instances", () => {
  it("is a word or a number", async () => {
    for (const [text, value] of [['"per-session"', "per-session"], ["4", 4]] as const) {
      const { config } = await parse(file(text));
      assert.equal(config.backends["a"]?.instances, value);
    }
  });

  it("says what else is wrong with a number, a word or anything else", async () => {
    const first = async (text: string) => {
      const [issue, ...others] = await issuesOf(file(text));
      assert.deepEqual(others, []);
      return [issue?.code, issue?.message, issue?.hint];
    };
    assert.deepEqual(await first("0"), ["wrong_value", "0 is not a mode", "use at least 1"]);
    assert.deepEqual(await first("65"), ["wrong_value", "65 is not a mode", "use at most 64"]);
    assert.deepEqual(await first("1.5"), [
      "wrong_value",
      "1.5 is not a mode",
      "use a whole number",
    ]);
    assert.deepEqual(await first('"sharde"'), [
      "wrong_value",
      '"sharde" is not a mode',
      'did you mean "shared"? use one of: shared, per-session, per-user, or a number',
    ]);
    const [code, message] = await first("true");
    assert.deepEqual([code, message], [
      "wrong_type",
      '"instances" must be a text or a number, not true',
    ]);
  });

  it("is explained and described with both", () => {
    assert.equal(
      explainKey("backends.*.instances")?.type,
      'one of "shared", "per-session", "per-user", or a number',
    );
    const text = JSON.stringify(jsonSchema());
    assert.match(text, /"anyOf":\[\{"enum":\["shared","per-session","per-user"\][^[]*"integer"/);
  });
});
