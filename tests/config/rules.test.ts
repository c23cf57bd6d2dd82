import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatIssues } from "../../src/config/format.ts";
import { proves } from "../support/proves.ts";
import { issuesOf, parse } from "./parsing.ts";

interface Written {
  readonly when?: string;
  readonly more?: string;
}

/** A file with one rule; `when` is written as it stands. */
function file({ when = "'true'", more = 'action = "deny"' }: Written): string {
  return `[[rules]]\nname = "r"\nwhen = ${when}\n${more}\n`;
}

async function only(text: string) {
  const [issue, ...others] = await issuesOf(text);
  assert.deepEqual(others, []);
  assert.ok(issue);
  return issue;
}

/** What the issue points at. */
async function marked(text: string): Promise<string> {
  const { line, column, endColumn } = await only(text);
  return (text.split("\n")[line - 1] ?? "").slice(column - 1, endColumn - 1);
}

describe("rules in a file", () => {
  proves("U3", "an unknown variable is shown where it stands, with those there are", async () => {
    const text = `[[rules]]
name    = "no-drop-table"
when    = 'toool.backend == "sqlite"'
action  = "deny"
`;
    assert.equal(
      formatIssues([await only(text)]),
      `error: rule "no-drop-table" does not compile
  --> sentinel.toml:3:12  in [[rules]] "no-drop-table"
  |
3 | when    = 'toool.backend == "sqlite"'
  |            ^^^^^ unknown variable "toool" — did you mean "tool"? available: tool, args, identity, ` +
        "session, request, now, method",
    );
  });

  const PLACES: Record<string, readonly [when: string, marked: string]> = {
    "in a literal string": [`'tool.name == "a" && toool.b == 1'`, "toool"],
    "behind escapes": [`"tool.name == \\"\\u00e9\\U0001F600\\" && toool.b == 1"`, "toool"],
    "in a string of several lines": [`"""\ntool.name == "a"\n  && toool.b == 1"""`, "toool"],
    "behind lines that are joined": [`"""tool.name == "a" \\\n   && toool.b == 1"""`, "toool"],
    "in a literal of several lines": [`'''\ntool.name == "a"\n  && toool.b == 1'''`, "toool"],
    "at a member": [`'tool.bakend == "a"'`, "bakend"],
    "at a pattern": [`'tool.name.matches("a") || tool.name.matches("(")'`, '"("'],
  };

  for (const [where, [when, expected]] of Object.entries(PLACES)) {
    it(`a mistake is pointed at ${where}`, async () => {
      assert.equal(await marked(file({ when })), expected);
    });
  }

  it("mistakes of a line that goes on are pointed at behind its end", async () => {
    const { line, column } = await only(file({ when: "'1 +'" }));
    assert.deepEqual([line, column], [3, 12]);
  });

  const REFUSED: Record<string, readonly [written: Written, hint: RegExp]> = {
    "types that do not go together": [{ when: "'tool.name == 3'" }, /string == int/],
    "an answer that is no decision": [{ when: "'tool.name'" }, /"string" and not true or false/],
    "functions there are not": [{ when: `'tool.name.strtsWith("a")'` }, /no matching overload/],
    "a member of a variable": [{ when: "'identity.roless == []'" }, /did you mean "roles"/],
    "nesting without end": [{ when: `'${"(".repeat(100)}true${")".repeat(100)}'` }, /depth/i],
    "args in a rule on lists": [
      { when: "'args.a == 1'", more: 'on = "list"\naction = "deny"' },
      /unknown variable "args" — available: tool, identity, session, now/,
    ],
    "a result in a rule on calls": [{ when: "'result.a == 1'" }, /unknown variable "result"/],
    "patterns with more than linear time": [
      { when: `'tool.name.matches("(?=a)b")'` },
      /invalid perl operator|error parsing/i,
    ],
    "values that do not compile": [
      { more: 'action = "transform"\nset = { "args.a" = "arg.b" }' },
      /unknown variable "arg" — did you mean "args"/,
    ],
    "places outside the arguments": [
      { more: 'action = "transform"\nset = { "params.a" = "1" }' },
      /path in the arguments/,
    ],
    "a redaction without fields": [{ more: 'action = "redact"' }, /add {2}fields/],
    "paths that are none": [{ more: 'action = "redact"\nfields = ["a..b"]' }, /dots between/],
    "a delay without end": [{ more: 'action = "delay"\nfor = "2m"' }, /at most 1m/],
    "a fault there is not": [{ more: 'action = "fault"\nerror = "BACKEND_LOOST"' }, /did you mean/],
    "keys of another action": [{ more: 'action = "deny"\nfor = "1s"' }, /remove it/],
    "actions a list does not have": [
      { more: 'on = "list"\naction = "redact"\nfields = ["a"]' },
      /on = "call" or "result"/,
    ],
    "approvals of results": [{ more: 'on = "result"\naction = "approve"' }, /on = "call"/],
    "an order without the rules": [
      { more: 'action = "deny"\n[interceptors]\norder = ["redact"]' },
      /add {2}"rules"/,
    ],
    "an order with one of them twice": [
      { more: 'action = "deny"\n[interceptors]\norder = ["rules", "rules"]' },
      /remove one/,
    ],
  };

  for (const [what, [written, hint]] of Object.entries(REFUSED)) {
    it(`refuses ${what}`, async () => {
      assert.match((await only(file(written))).hint, hint);
    });
  }

  it("refuses more rules than are looked at on each call", async () => {
    const many = Array.from(
      { length: 201 },
      (_, index) => `[[rules]]\nname = "r${index}"\nwhen = "true"\naction = "warn"\n`,
    ).join("");
    assert.match((await only(many)).message, /201 rules, at most 200/);
  });

  it("takes what is right", async () => {
    const { config, notices } = await parse(`
[[rules]]
name = "cap"
when = 'has(args.limit) && args.limit > 100 && tool.name.matches("^a.*\\\\d$")'
action = "transform"
set = { "args.limit" = "min(args.limit, 100)", "args.note" = '"cut by " + identity.id' }
[[rules]]
name = "hours"
on = "list"
when = 'now.getHours("UTC") < 8 && !("ops" in identity.roles)'
action = "deny"
[interceptors]
order = ["mine", "rules"]
`);
    assert.deepEqual(notices, []);
    assert.equal(config.rules[0]?.set["args.limit"], "min(args.limit, 100)");
    assert.deepEqual(config.interceptors.order, ["mine", "rules"]);
  });
});
