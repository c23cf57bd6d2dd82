import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { placesOf } from "../../cli/clients/places.ts";
import { findServers } from "../../cli/import/mod.ts";
import { parseToml } from "../../src/config/syntax.ts";
import { tableAt } from "../../src/config/raw.ts";
import { asPerson, type Person } from "./import_setup.ts";

const TIME = { command: "uvx", args: ["mcp-server-time"] };
const servers = (mcpServers: object) => JSON.stringify({ mcpServers });
const namesIn = (toml: string) => Object.keys(tableAt(parseToml(toml, "out"), "backends"));

/** What `import -` makes of a text. */
async function piped(person: Person, input: string) {
  return await person.import(["-"], { input });
}

describe("import: shapes of files and stdin", () => {
  const shapes: readonly (readonly [string, string, readonly string[]])[] = [
    ["mcpServers", servers({ time: TIME }), ["time"]],
    ["servers", JSON.stringify({ servers: { time: TIME } }), ["time"]],
    ["settings of VS Code", JSON.stringify({ mcp: { servers: { time: TIME } } }), ["time"]],
    ["a bare map", JSON.stringify({ time: TIME, docs: { url: "https://d.example/mcp" } }), [
      "time",
      "docs",
    ]],
    ["one entry", JSON.stringify(TIME), ["mcp-server-time"]],
    ["one entry with a name", JSON.stringify({ name: "clock", ...TIME }), ["clock"]],
    ["one URL", JSON.stringify({ url: "https://mcp.acme.example/mcp" }), ["acme"]],
    ["a piece of a file", '"time": { "command": "uvx", "args": ["mcp-server-time"] },\n', ["time"]],
    ["TOML", '[mcp_servers.time]\ncommand = "uvx"\n', ["time"]],
    ["a byte order mark", `\ufeff${servers({ time: TIME })}`, ["time"]],
  ];
  for (const [name, input, expected] of shapes) {
    it(name, () =>
      asPerson(async (person) => {
        const { code, out, err } = await piped(person, input);
        assert.equal(code, 0, err);
        assert.deepEqual(namesIn(out), expected);
      }));
  }

  it("what is none of them is told, with its place", () =>
    asPerson(async (person) => {
      const cases: [string, RegExp][] = [
        ["", /warning: stdin: it is empty/],
        ["[]", /warning: stdin: there are no servers in it that we know/],
        ['{"theme":"dark"}', /there are no servers in it that we know/],
        ['{\n  "mcpServers": {\n    "a" {}\n', /warning: stdin:3:9: a colon is missing/],
        ['"a": { "command": }', /warning: stdin:1:19: a value is missing/],
        ["[".repeat(100_000), /warning: stdin: it is nested too deeply/],
        ['{"entities":{},"exported_at":"x"}', /add --from contextforge/],
      ];
      for (const [input, expected] of cases) {
        const { code, out, err } = await piped(person, input);
        assert.equal(code, 1, input.slice(0, 40));
        assert.equal(out, "");
        assert.match(err, expected);
      }
    }));

  it("a file that cannot be read does not stop the others", () =>
    asPerson(async (person) => {
      person.writeClient("cursor", "{ broken");
      person.writeClient("vscode", JSON.stringify({ servers: { time: TIME } }));
      person.write("project/.codex/config.toml", "x = [\n");
      mkdirSync(join(person.project, ".mcp.json"));
      const { code, out, err } = await person.import([]);
      assert.equal(code, 0);
      assert.deepEqual(namesIn(out), ["time"]);
      assert.match(err, /warning: ~\/\.cursor\/mcp\.json:1:3: /);
      assert.match(err, /warning: \.codex\/config\.toml:\d+:\d+: /);
      assert.match(err, /warning: \.mcp\.json: it is a folder/);
    }));

  it("a named file that cannot be read is a failure, after the others were written", () =>
    asPerson(async (person) => {
      person.write("project/good.json", servers({ time: TIME }));
      person.write("project/bad.json", "{ 1 }");
      const { code, err } = await person.import(["good.json", "bad.json", "none.json", "--write"]);
      assert.equal(code, 1);
      assert.match(err, /bad\.json:1:3: /);
      assert.match(err, /none\.json: no such file/);
      assert.match(person.read("project/sentinel.toml"), /\[backends\.time\]/);
    }));

  it("entries that are none are told, the others are taken", () =>
    asPerson(async (person) => {
      const many = Object.fromEntries(Array.from({ length: 1001 }, (_, at) => [`s${at}`, TIME]));
      assert.match((await piped(person, servers(many))).err, /more than 1000 servers/);
      const mixed = {
        time: TIME,
        text: "uvx",
        empty: {},
        list: { command: ["uvx"] },
        long: { command: "x".repeat(40_000) },
        zero: { command: "a\0b" },
        header: { url: "https://h.example/mcp", headers: { "bad name": "x" } },
        scheme: { url: "ftp://h.example/mcp" },
      };
      const { code, out, err } = await piped(person, servers(mixed));
      assert.equal(code, 0);
      assert.deepEqual(namesIn(out), ["time"]);
      for (const name of Object.keys(mixed).slice(1)) {
        assert.match(err, new RegExp(`note +${name} +skipped: `), name);
      }
    }));
});

describe("import: several files", () => {
  it("the same server of two clients is one, and a comment names both", () =>
    asPerson(async (person) => {
      person.writeClient("cursor", servers({ time: { ...TIME, disabled: true } }));
      person.writeClient("windsurf", servers({ clock: { ...TIME, env: {} } }));
      const { out, err } = await person.import([]);
      assert.deepEqual(namesIn(out), ["time"]);
      assert.match(out, /^# from Cursor \(~\/\.cursor\/mcp\.json\), "clock" of Windsurf \(.*\)$/m);
      assert.doesNotMatch(out, /enabled/, "one of the clients has it switched on");
      assert.match(err, /^windsurf +time \(same\) +0 new$/m);
    }));

  it("other servers of the same name get a number, also beside those of the configuration", () =>
    asPerson(async (person) => {
      person.write("project/sentinel.toml", '[backends.Time]\ncommand = "other"\n');
      person.writeClient("cursor", servers({ time: TIME }));
      person.writeClient("windsurf", servers({ time: { command: "third" } }));
      const { out, err } = await person.import([]);
      assert.deepEqual(namesIn(out), ["time-2", "time-3"]);
      assert.match(err, /time-2 +"time" is taken by another server, so this one is time-2/);
    }));

  it("within a client what comes first wins, as it does there", () =>
    asPerson(async (person) => {
      person.write("project/.cursor/mcp.json", servers({ time: { command: "near" } }));
      person.write(".cursor/mcp.json", servers({ time: { command: "far" }, more: TIME }));
      const { out, err } = await person.import([]);
      assert.match(out, /command = "near"/);
      assert.doesNotMatch(out, /far/);
      assert.match(
        err,
        /time +skipped: that of ~\/\.cursor\/mcp\.json is hidden by .*\.cursor\/mcp\.json/,
      );
    }));

  it("Claude Code keeps servers of a project, of all projects, and of the team", () =>
    asPerson(async (person) => {
      const projects = {
        [person.project]: { mcpServers: { own: { command: "own" } } },
        "/other": { mcpServers: { other: { command: "other" } } },
      };
      person.write(
        ".claude.json",
        JSON.stringify({ projects, mcpServers: { all: { command: "all" } } }),
      );
      person.write("project/.mcp.json", servers({ team: { command: "team" } }));
      assert.deepEqual(namesIn((await person.import([])).out), ["own", "team", "all"]);
    }));

  it("--from limits to one client", () =>
    asPerson(async (person) => {
      person.writeClient("cursor", servers({ a: { command: "a" } }));
      person.writeClient("windsurf", servers({ b: { command: "b" } }));
      assert.deepEqual(namesIn((await person.import(["--from", "windsurf"])).out), ["b"]);
      const { code, err } = await person.import(["--from", "windsrf"]);
      assert.equal(code, 2);
      assert.match(err, /Allowed choices are .*windsurf/);
    }));

  it("${workspaceFolder} is asked for, unless an option or a project says it", () =>
    asPerson(async (person) => {
      const files = { command: "files", args: ["${workspaceFolder}"] };
      person.write(".cursor/mcp.json", servers({ files }));
      const questions: string[] = [];
      const ask = (question: string) => {
        questions.push(question);
        return Promise.resolve("/srv/asked");
      };
      assert.match((await person.import([], { ask })).out, /args = \["\/srv\/asked"\]/);
      assert.match((await person.import(["--workspace", "/srv/x"], { ask })).out, /\["\/srv\/x"\]/);
      assert.match((await person.import([])).out, /args = \["[^"]*project"\]/);
      assert.equal(questions.length, 1);
    }));
});

describe("import: entries that lead back", () => {
  const own = {
    url: { url: "http://localhost:8808/mcp" },
    loopback: { serverUrl: "http://127.0.0.1:8808/mcp/reading" },
    socket: { url: "http://[::1]:8808/sse", type: "sse" },
    bridge: { command: "npx", args: ["-y", "mcp-remote", "http://127.0.0.1:8808/mcp"] },
    command: { command: "mcp-sentinel", args: ["stdio"] },
    path: { command: "/usr/local/bin/mcp-sentinel", args: ["-c", "x.toml", "stdio"] },
    package: { command: "npx", args: ["-y", "mcp-sentinel@latest", "stdio"] },
    configured: { url: "http://127.0.0.1:9321/mcp" },
  };

  it("are left out, by whatever name or address", () =>
    asPerson(async (person) => {
      person.write("project/sentinel.toml", '[server]\nlisten = "127.0.0.1:9321"\n');
      person.writeClient(
        "cursor",
        servers({ ...own, time: TIME, other: { url: "http://127.0.0.1:9322/mcp" } }),
      );
      const { out, err } = await person.import([]);
      assert.deepEqual(namesIn(out), ["time", "other"]);
      for (const name of Object.keys(own)) {
        assert.match(err, new RegExp(`note +${name} +skipped: it leads back`), name);
      }
    }));
});

describe("import: hostile names", () => {
  const ANSI = "\u001b[31mred\u001b]0;title\u0007";
  const HOSTILE = {
    [ANSI]: { command: "a", env: { [`X${ANSI}`]: ANSI }, [`field${ANSI}`]: 1 },
    "": { command: "b" },
    "a\nb = 1\n[server]": { command: 'c\n[server]\nlisten = "0.0.0.0:1"' },
    "../../etc/passwd": { command: "d" },
    con: { command: "e" },
    "\u202eevil": { command: "f", args: ["\u202e", "\u0085", "\u007f", "\ud800"] },
    constructor: { command: "g" },
    ["x".repeat(300)]: { command: "h" },
  };

  it("reach neither a terminal nor the configuration unescaped", () =>
    asPerson(async (person) => {
      const text = servers(HOSTILE).replace("{", '{"__proto__":{"command":"p"},');
      const commented = `// so that the parser for comments reads it\n${
        text.replace('"mcpServers":{', '"mcpServers":{"__proto__":{"command":"q"},')
      }`;
      person.writeClient("cursor", commented);
      for (const argv of [[], ["--json"], ["--write"]]) {
        const { out, err } = await person.import(argv, { terminal: true, env: { NO_COLOR: "1" } });
        assert.doesNotMatch((out + err).replaceAll("\n", ""), /[\p{Cc}\u200e\u200f\u202a-\u202e]/u);
      }
      const toml = person.read("project/sentinel.toml");
      const names = namesIn(toml);
      for (const name of names) assert.match(name, /^[a-z0-9][a-z0-9-]{0,63}$/);
      assert.ok(names.includes("proto"), "a key of the name __proto__ is an ordinary key");
      assert.ok(names.includes("con-server"));
      assert.deepEqual(Object.keys(parseToml(toml, "out")), ["version", "backends"]);
      const backends = tableAt(parseToml(toml, "out"), "backends");
      assert.equal(
        tableAt(backends, "a-b-1-server")["command"],
        'c\n[server]\nlisten = "0.0.0.0:1"',
      );
    }));

  it("file names are shown harmless", () =>
    asPerson(async (person) => {
      const { err } = await person.import([`${ANSI}.json`]);
      assert.match(err, /\\x1b\[31mred/);
      assert.ok(!err.includes("\u001b"));
    }));
});

describe("findServers", () => {
  it("gives what other commands start with: servers, what they need, and their secrets", () =>
    asPerson(async (person) => {
      const env = { API_KEY: "literal-key-1", TOKEN: "${env:MISSING}", HOST: "${env:PRESENT}" };
      person.writeClient("cursor", servers({ one: { command: "one", env }, two: TIME }));
      const places = placesOf({ env: { HOME: person.home }, cwd: person.project });
      const found = await findServers(places, { env: { PRESENT: "yes" } });
      assert.deepEqual(
        found.servers.map(({ name, needs, secrets }) => ({ name, needs, secrets })),
        [
          { name: "one", needs: ["MISSING"], secrets: ["API_KEY"] },
          { name: "two", needs: [], secrets: [] },
        ],
      );
      assert.deepEqual([...found.secrets], [["API_KEY", "literal-key-1"]]);
      const { command, env: written } = found.servers[0]?.backend ?? {};
      assert.deepEqual({ command, env: { ...written as object } }, {
        command: "one",
        env: { API_KEY: "${env:API_KEY}", TOKEN: "${env:MISSING}", HOST: "${env:PRESENT}" },
      });
    }));

  it("finds nothing for a person without any file", () =>
    asPerson(async (person) => {
      const places = placesOf({ env: { HOME: person.home }, cwd: person.project });
      const found = await findServers(places);
      assert.deepEqual([found.servers, found.places, found.notes], [[], [], []]);
    }));
});
