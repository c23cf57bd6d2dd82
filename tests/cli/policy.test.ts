import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type FakeIoOptions, runCli } from "./fake_io.ts";

const CONFIG = `[backends.github]
url = "http://127.0.0.1:1/mcp"
alias = "gh"
[backends.github.tools]
deny = ["admin_*"]
rename = { search_code = "search" }
[backends.files]
url = "http://127.0.0.1:1/mcp"
[backends.off]
url = "http://127.0.0.1:1/mcp"
enabled = false

[roles.developer]
tools = [
  "gh__*",
  "files__read_*",
]
deny = ["gh__delete_*"]
[roles.reader]
tools = ["files__*"]

[limits.tools]
"gh__*" = { rate = "5/min" }
[limits.roles]
reader = { rate = "7/min" }

[kill]
tools = ["gh__merge"]
reason = "INC-7"

[[rules]]
name = "no-main"
when = 'tool.backend == "github" && has(args.branch) && args.branch == "main"'
action = "deny"
message = "not to main"
[[rules]]
name = "look"
when = 'tool.name == "gh__push"'
action = "warn"
[[rules]]
name = "bound"
when = 'tool.name == "gh__search"'
action = "transform"
set = { "args.limit" = "10" }
[[rules]]
name = "hide"
on = "list"
when = 'tool.name == "gh__secret" && identity.subject != "anna"'
action = "deny"
[[rules]]
name = "cover"
on = "result"
when = 'true'
action = "redact"
fields = ["**.token"]
[[rules]]
name = "broken"
when = 'tool.name == "gh__broken" && args.missing.deeper == 1'
action = "warn"
`;
const lineOf = (text: string) => CONFIG.slice(0, CONFIG.indexOf(text)).split("\n").length;

describe("policy test", () => {
  let cwd: string;
  before(() => {
    cwd = mkdtempSync(join(tmpdir(), "sentinel-policy-"));
    writeFileSync(join(cwd, "sentinel.toml"), CONFIG);
  });
  after(() => rmSync(cwd, { recursive: true }));

  const test = (argv: readonly string[], options: FakeIoOptions = {}) =>
    runCli(["policy", "test", ...argv], { cwd, ...options });
  const asked = async (...argv: readonly string[]) => {
    const { code, out, err } = await test([...argv, "--json"]);
    assert.notEqual(out, "", err);
    return { code, ...JSON.parse(out) };
  };

  it("says allowed, which line decided and what else applies", async () => {
    const { code, out, err } = await test(["developer", "gh__push", "--args", '{"branch":"x"}']);
    assert.equal(code, 0, err);
    assert.match(out, /^allowed {3}role developer → gh__push \(github\)\n/);
    assert.ok(
      out.includes(`role developer shows "gh__*"   sentinel.toml:${lineOf('"gh__*",')}`),
      out,
    );
    assert.match(out, /limits\.tools\."gh__\*" = 5\/min, burst 5 {3}sentinel\.toml:\d+/);
    assert.ok(out.includes(`rule look: warn   sentinel.toml:${lineOf('"look"')}`), out);
    assert.match(out, /rule cover: looks at the result: redact/);
    assert.match(err, /auth\.mode is "none"/);
    assert.match(err, /only a running gateway knows/);
  });

  /** What decides, from the name to the rules: each denial with its line. */
  const DENIED = [
    ["a role that denies", ["developer", "gh__delete_repo"], "role", 'deny = ["gh__delete_*"]'],
    ["no pattern of a role", ["developer", "files__write"], "role", "tools = [\n"],
    [
      "a tool its backend leaves out",
      ["developer", "gh__admin_x"],
      "backend",
      'deny = ["admin_*"]',
    ],
    ["the name before a rename", ["developer", "gh__search_code"], "backend", "rename = "],
    ["a backend that is off", ["developer", "off__x"], "backend", "enabled = false"],
    ["a kill switch", ["developer", "gh__merge"], "kill", 'tools = ["gh__merge"]'],
    ["a rule", ["developer", "gh__push", "--args", '{"branch":"main"}'], "rule", '"no-main"'],
    ["a rule on lists", ["developer", "gh__secret"], "rule", '"hide"'],
  ] as const;
  for (const [what, argv, kind, text] of DENIED) {
    it(`${what} denies, with its line`, async () => {
      const { code, allowed, decision } = await asked(...argv);
      assert.equal(code, 1);
      assert.equal(allowed, false);
      assert.equal(decision.kind, kind, decision.text);
      assert.equal(decision.source, `sentinel.toml:${lineOf(text)}`, decision.text);
    });
  }

  it("a rule that cannot be evaluated refuses, as in a gateway", async () => {
    const { code, decision } = await asked("developer", "gh__broken");
    assert.equal(code, 1);
    assert.equal(decision.kind, "rule");
    assert.match(decision.text, /broken.*refused/);
  });

  it("the union of roles counts, and a role's own limit goes first", async () => {
    const { code, also, caller } = await asked(
      "--role",
      "developer",
      "--role",
      "reader",
      "files__x",
    );
    assert.equal(code, 0);
    assert.deepEqual(caller.roles, ["developer", "reader"]);
    assert.match(also[0].text, /^limits\.roles\.reader = 7\/min/);
  });

  it("shows what rules make of the arguments", async () => {
    const { code, arguments: changed } = await asked(
      ...["developer", "gh__search", "--args", '{"q":"x","limit":500}'],
    );
    assert.equal(code, 0);
    assert.deepEqual(changed, { q: "x", limit: 10 });
  });

  it("rules know who asks", async () => {
    assert.equal((await asked("developer", "gh__secret", "--subject", "anna")).code, 0);
  });

  it("takes arguments from stdin, and refuses what is no object", async () => {
    const piped = await test(["developer", "gh__push", "--args", "-"], {
      input: '{"branch":"main"}',
    });
    assert.equal(piped.code, 1);
    assert.match(piped.out, /not to main/);
    for (const text of ["[1]", "nonsense", "1"]) {
      const { code, err } = await test(["developer", "gh__push", "--args", text]);
      assert.equal(code, 2);
      assert.match(err, /^error: the arguments are /);
    }
  });

  it("a mistyped role, backend or prefix is answered with the nearest", async () => {
    const wrong = [
      [["develper", "gh__push"], 2, /no role "develper"\n {2}help: did you mean developer\?/],
      [["developer", "gh__push", "--backend", "githb"], 2, /did you mean github\?/],
      [["developer", "fils__read_x"], 1, /did you mean files__…\?/],
      [["developer"], 0, /./],
      [["developer", "gh__push", "more"], 2, /too many words/],
    ] as const;
    for (const [argv, expected, text] of wrong) {
      if (expected === 0) continue;
      const { code, out, err } = await test(argv);
      assert.equal(code, expected, err);
      assert.match(`${out}${err}`, text);
    }
  });

  it("a wrong configuration is exit code 3", async () => {
    writeFileSync(join(cwd, "bad.toml"), "[roles.x]\ntols = []\n");
    const { code, err } = await test(["x", "y", "-c", "bad.toml"]);
    assert.equal(code, 3);
    assert.match(err, /did you mean/);
  });

  it("names of a token or a file reach no prototype and no terminal", async () => {
    for (const name of ["__proto__", "constructor", "\u001b[2J"]) {
      const { code, out, err } = await test([name, "gh__push"]);
      assert.equal(code, 2, out);
      assert.ok(!err.includes("\u001b"), JSON.stringify(err));
    }
    const { out } = await test(["developer", "gh__\u001b[2J\u202e"]);
    assert.doesNotMatch(out.replaceAll("\n", ""), /[\p{Cc}\u202e]/u);
  });
});
