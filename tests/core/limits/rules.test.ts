import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as v from "valibot";
import { limits } from "../../../src/contract/config/policy.ts";
import type { Target } from "../../../src/core/catalog/types.ts";
import { LimitRules } from "../../../src/core/limits/rules.ts";
import { proves } from "../../support/proves.ts";

function rules(section: unknown): LimitRules {
  return new LimitRules(v.parse(limits, section));
}

function target(exposed: string, kind: Target["kind"] = "tool"): Target {
  return { kind, exposed, original: exposed, backend: "b", defaults: undefined };
}

/** The rate that holds for a tool, as calls in a minute. */
function rateOf(section: unknown, exposed: string, roles?: readonly string[]): number {
  const { count, perMs } = rules(section).of(target(exposed), roles);
  return count / perMs * 60_000;
}

describe("LimitRules", () => {
  proves("G6.2", "without a word about a tool it has the sensible default", () => {
    const { count, perMs, burst } = rules({}).of(target("gh__search"), undefined);
    assert.deepEqual({ count, perMs, burst }, { count: 60, perMs: 60_000, burst: 20 });
  });

  proves("G6.2", "the most specific pattern wins; of equals the first in the file", () => {
    const section = {
      tools: {
        "*": { rate: "1/min" },
        "gh__*": { rate: "2/min" },
        "*_search": { rate: "3/min" },
        "gh__issue_*": { rate: "4/min" },
        "gh__issue_get": { rate: "5/min" },
        "x*y": { rate: "6/min" },
        "xy": { rate: "7/min" },
        "ab*": { rate: "8/min" },
        "*ab": { rate: "9/min" },
      },
    };
    const cases: readonly (readonly [string, number])[] = [
      ["other", 1],
      ["gh__list", 2],
      ["gh__search", 3],
      ["gh__issue_list", 4],
      ["gh__issue_get", 5],
      ["xzy", 6],
      ["xy", 7],
      ["abab", 8],
      ["cab", 9],
    ];
    for (const [name, rate] of cases) assert.equal(rateOf(section, name), rate, name);
  });

  it("patterns are for tools only", () => {
    const compiled = rules({ tools: { "*": { rate: "1/min" } } });
    assert.equal(compiled.of(target("docs://x", "resource"), undefined).count, 60);
    assert.equal(compiled.of(target("docs", "prompt"), undefined).count, 60);
  });

  it("a role goes before tools, the best of several roles first", () => {
    const section = {
      tools: { "gh__*": { rate: "30/min" } },
      roles: { guest: { rate: "5/min" }, admin: { rate: "600/min" }, quick: { rate: "10/s" } },
    };
    assert.equal(rateOf(section, "gh__x", ["admin", "guest"]), 600);
    assert.equal(rateOf(section, "gh__x", ["guest"]), 5);
    assert.equal(rateOf(section, "gh__x", ["developer"]), 30);
    assert.equal(rateOf(section, "gh__x", []), 30);
    assert.equal(rateOf(section, "gh__x", undefined), 30);
    assert.equal(rateOf(section, "other", ["developer", "guest"]), 5);
    const burst = { a: { rate: "60/min", burst: 2 }, b: { rate: "1/s", burst: 5 } };
    assert.equal(rules({ roles: burst }).of(target("x"), ["a", "b"]).burst, 5);
  });

  it("without a burst as many may come at once as the rate has in its time", () => {
    const { burst } = rules({ tools: { x: { rate: "5/min" } } }).of(target("x"), undefined);
    assert.equal(burst, 5);
  });

  it("says where it stands in the configuration", () => {
    const section = { tools: { "gh__*": { rate: "30/min", burst: 10 } } };
    const texts = ["gh__x", "y"].map((name) => rules(section).of(target(name), undefined).text);
    assert.deepEqual(texts, [
      'limits.tools."gh__*" = 30/min, burst 10',
      "limits.default = 60/min, burst 20",
    ]);
  });
});
