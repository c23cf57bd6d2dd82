import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  serversIn,
  type TextPlace,
  withoutServer,
  withServer,
} from "../../cli/connect/servers_text.ts";

const JSON_PLACE: TextPlace = { file: "/home/me/mcp.json", format: "json", at: ["mcpServers"] };
const TOML_PLACE: TextPlace = { file: "/home/me/config.toml", format: "toml", at: ["mcp_servers"] };
const ENTRY = { type: "http", url: "http://127.0.0.1:8808/mcp" };

describe("an entry in JSON", () => {
  const put = (text: string) => withServer(text, JSON_PLACE, "sentinel", ENTRY);

  it("makes a file of nothing", () => {
    const whole = `{
  "mcpServers": {
    "sentinel": {
      "type": "http",
      "url": "http://127.0.0.1:8808/mcp"
    }
  }
}`;
    assert.equal(put(""), `${whole}\n`);
    assert.equal(put("{}"), whole);
    assert.equal(put("// mine\n"), `// mine\n${whole}\n`);
  });

  it("stands behind what is there, in its indentation, and moves no comment", () => {
    const before = `{
    // my servers
    "mcpServers": {
        "one": {"url": "https://one"}, // the first
        /* the second */ "two": { "command": "npx" } // with a remark
        // the end
    },
    "other": [1, 2,],
}
`;
    assert.equal(
      put(before),
      before.replace(
        "// with a remark\n",
        `// with a remark
        "sentinel": {
            "type": "http",
            "url": "http://127.0.0.1:8808/mcp"
        }
`,
      ).replace('"npx" }', '"npx" },'),
    );
  });

  it("keeps a trailing comma, tabs and line ends", () => {
    const before = '{\r\n\t"mcpServers": {\r\n\t\t"one": {},\r\n\t},\r\n}';
    const after = before.replace(
      '"one": {},\r\n',
      '"one": {},\r\n\t\t"sentinel": {\r\n\t\t\t"type": "http",\r\n\t\t\t' +
        '"url": "http://127.0.0.1:8808/mcp"\r\n\t\t},\r\n',
    );
    assert.equal(put(before), after);
    assert.equal(withoutServer(after, JSON_PLACE, "sentinel"), before);
  });

  it("stays on the line of a file of one line", () => {
    const before = '{"mcpServers":{"one":{}},"x":1}';
    const after = put(before);
    assert.equal(after, before.replace("{}}", `{}, "sentinel": ${JSON.stringify(ENTRY)}}`));
    assert.equal(withoutServer(after, JSON_PLACE, "sentinel"), before);
  });

  it("is replaced where it stands", () => {
    const before =
      '{\n  "mcpServers": {\n    "sentinel": { "url": "old" }, // ours\n    "b": 1\n  }\n}';
    const after = put(before);
    assert.match(
      after,
      /\n {4}"sentinel": \{\n {6}"type": "http",[^]*\n {4}\}, \/\/ ours\n {4}"b": 1\n/,
    );
    assert.deepEqual([...serversIn(after, JSON_PLACE).keys()], ["sentinel", "b"]);
  });

  it("is taken out alone, first, in the middle and last", () => {
    const before = '{\n  "mcpServers": {\n    "a": 1,\n    "b": 2,\n    "c": 3\n  }\n}\n';
    const without = (name: string) => withoutServer(before, JSON_PLACE, name);
    assert.equal(without("a"), before.replace('    "a": 1,\n', ""));
    assert.equal(without("b"), before.replace('    "b": 2,\n', ""));
    assert.equal(without("c"), before.replace('    "c": 3\n', "").replace('"b": 2,', '"b": 2'));
    assert.equal(without("d"), before);
  });

  it("is an entry also under a name that means something to JavaScript", () => {
    const before = '{"mcpServers": {"__proto__": {"url": "https://evil"}, "constructor": 1}}';
    assert.deepEqual([...serversIn(before, JSON_PLACE).keys()], ["__proto__", "constructor"]);
    const after = withServer(before, JSON_PLACE, "__proto__", ENTRY);
    assert.equal(Object.keys(JSON.parse(after).mcpServers)[0], "__proto__");
    assert.match(after, /8808/);
    assert.doesNotMatch(withoutServer(before, JSON_PLACE, "__proto__"), /evil/);
  });

  it("is refused with line and column where the file is broken, or something else is in its place", () => {
    const cases = [
      [
        '{\n  "mcpServers": {\n    "a": }\n}',
        /^cannot read \/home\/me\/mcp\.json:3:10: value expected$/,
      ],
      ['{"mcpServers": {}', /mcp\.json:1:18: close brace expected/],
      ["[]", /mcp\.json:1:1: an object is expected/],
      ['{"mcpServers": []}', /"mcpServers" in \/home\/me\/mcp\.json is no table of servers/],
      ['{"mcpServers": null}', /is no table of servers/],
      ['{"mcpServers": {}} x', /mcp\.json:1:20: /],
    ] as const;
    for (const [text, message] of cases) {
      assert.throws(() => serversIn(text, JSON_PLACE), { message });
    }
  });

  it("is refused where an edit would change something else", () => {
    const twice = '{"mcpServers": {"a": 1}, "mcpServers": {"b": 2}}';
    const place = { ...JSON_PLACE, at: ["mcpServers"] };
    assert.deepEqual([...serversIn(put(twice), place).keys()], ["b", "sentinel"]);
    const same = '{"mcpServers": {"sentinel": 1, "sentinel": 2}}';
    assert.throws(() => withoutServer(same, place, "sentinel"), /cannot be changed safely/);
  });
});

describe("an entry in TOML", () => {
  const put = (text: string) => withServer(text, TOML_PLACE, "sentinel", { url: ENTRY.url });
  const BLOCK = '[mcp_servers.sentinel]\nurl = "http://127.0.0.1:8808/mcp"\n';

  it("stands at the end as a table of its own", () => {
    assert.equal(put(""), BLOCK);
    assert.equal(put('model = "x"\n'), `model = "x"\n\n${BLOCK}`);
    assert.equal(put('model = "x"'), `model = "x"\n\n${BLOCK}`);
    assert.equal(put("a = 1\r\n"), `a = 1\r\n\r\n${BLOCK.replaceAll("\n", "\r\n")}`);
  });

  it("is replaced where it stands, with the tables below it", () => {
    const before = `# mine\n[mcp_servers.sentinel]\nurl = "old"\n\n[tail]\nx = 1\n\n` +
      `[mcp_servers.sentinel.http_headers]\na = "b"\n`;
    assert.equal(put(before), `# mine\n${BLOCK}\n[tail]\nx = 1\n\n`);
  });

  it("is taken out with the tables below it, whatever texts look like headers", () => {
    const before = `[mcp_servers.one] # first
command = """
[mcp_servers.two]
"""
args = [
  ["x"]
]

[mcp_servers.one.env]
A = "b"

# the second
[mcp_servers."two words"]
url = "https://two"
`;
    assert.equal(
      withoutServer(before, TOML_PLACE, "one"),
      '\n\n# the second\n[mcp_servers."two words"]\nurl = "https://two"\n',
    );
    assert.deepEqual([...serversIn(before, TOML_PLACE).keys()], ["one", "two words"]);
  });

  it("is taken out where it is a key of the outer table", () => {
    const before = '[mcp_servers]\na = { url = "https://a" }\nb.url = "https://b"\nb.x = 1\n';
    const without = withoutServer(before, TOML_PLACE, "b");
    assert.equal(without, '[mcp_servers]\na = { url = "https://a" }\n');
    assert.equal(withoutServer(without, TOML_PLACE, "a"), "[mcp_servers]\n");
  });

  it("is refused where TOML has no place for it", () => {
    const inline = 'mcp_servers = { a = { url = "https://a" } }\n';
    assert.throws(() => put(inline), /cannot be changed safely/);
    assert.throws(() => withoutServer(inline, TOML_PLACE, "a"), /cannot be changed safely/);
    assert.throws(
      () => put("a = \n"),
      /cannot read \/home\/me\/config\.toml:1:\d+: a value is missing/,
    );
  });
});
