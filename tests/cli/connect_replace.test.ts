import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { modeOf, type Person, person, write } from "./client_person.ts";

const LITERAL = "literal-credential-of-a-client-0123456789";
/** Its gateway does not run, so nothing is reloaded. */
const CONFIG = 'version = 1\n[server]\nlisten = "127.0.0.1:9"\n';

function configured(work: (me: Person, config: string) => Promise<void>): () => Promise<void> {
  return person(async (me) => {
    const config = join(me.project, "sentinel.toml");
    write(config, CONFIG);
    await work(me, config);
  });
}

function namesIn(file: string): string[] {
  return Object.keys(JSON.parse(readFileSync(file, "utf8")).mcpServers);
}

describe("connect --replace", () => {
  it(
    "imports what is not there yet, and leaves only the gateway in the client's file",
    configured(async (me, config) => {
      const file = me.fileOf("cursor");
      const servers = {
        one: { command: "npx", args: ["-y", "one"], env: { ONE_TOKEN: LITERAL } },
        two: { url: "https://two.example.com/mcp" },
      };
      write(file, JSON.stringify({ mcpServers: servers }, null, 2));
      const { code, out, err } = await me.run("connect", "cursor", "--replace");
      assert.equal(code, 0, err);
      assert.match(out, /"sentinel" added to .*\n {2}behind the gateway now: one, two\n/);
      assert.match(
        err,
        /imported 2 servers: one, two\n {2}in .*sentinel\.toml, lines \d+ to \d+\n {2}in .*sentinel\.env, a new file\n/,
      );
      assert.deepEqual(namesIn(file), ["sentinel"]);
      const written = readFileSync(config, "utf8");
      assert.ok(written.startsWith(CONFIG));
      assert.match(written, /\[backends\.one\][^]*\[backends\.two\]/);
      for (const text of [written, out, err, readFileSync(file, "utf8")]) {
        assert.equal(text.includes(LITERAL), false);
      }
      const secrets = join(me.project, "sentinel.env");
      assert.ok(readFileSync(secrets, "utf8").includes(LITERAL));
      assert.equal(modeOf(secrets), 0o600);

      const again = await me.run("connect", "cursor", "--replace");
      assert.match(again.out, /already; nothing was changed/);
      assert.equal(readFileSync(config, "utf8"), written);
    }),
  );

  it(
    "moves what the configuration has already without writing it again",
    configured(async (me, config) => {
      const file = me.fileOf("cursor");
      const before = '{"mcpServers": {"two": {"url": "https://two.example.com/mcp"}}}';
      write(file, before);
      const written = `${CONFIG}[backends.other]\nurl = "https://two.example.com/mcp"\n`;
      write(config, written);
      const { code, out, err } = await me.run("connect", "cursor", "--replace");
      assert.equal(code, 0, err);
      assert.match(out, /behind the gateway now: two\n/);
      assert.equal(readFileSync(config, "utf8"), written);
      await me.run("connect", "cursor", "--undo");
      assert.equal(readFileSync(file, "utf8"), before);
    }),
  );

  it(
    "leaves what the gateway could not start where it is, with the reason",
    configured(async (me) => {
      const file = me.fileOf("vscode");
      const servers = {
        ready: { command: "npx", args: ["-y", "ready"] },
        waiting: {
          url: "https://waiting.example.com",
          headers: { "X-Key": "${env:NOT_SET_HERE}" },
        },
        "\u001b[2Jwrong": { url: "ftp://wrong.example.com" },
      };
      write(file, JSON.stringify({ servers }, null, 2));
      const { code, out, err } = await me.run("connect", "vscode", "--replace");
      assert.equal(code, 0, err);
      assert.match(out, /behind the gateway now: ready\n/);
      assert.match(out, /stays: waiting \(NOT_SET_HERE is not set\)/);
      assert.match(out, /stays: \\x1b\[2Jwrong \(mcp-sentinel import says why/);
      assert.doesNotMatch(out + err, new RegExp(String.fromCodePoint(27)));
      const left = Object.keys(JSON.parse(readFileSync(file, "utf8")).servers);
      assert.deepEqual(left, ["waiting", "\u001b[2Jwrong", "sentinel"]);
    }),
  );

  it(
    "takes every place of a client, two of them in one file",
    configured(async (me) => {
      const user = me.fileOf("claude-code");
      const project = me.fileOf("claude-code", "project");
      const entry = (name: string) => ({ type: "http", url: `https://${name}.example.com/mcp` });
      write(
        user,
        JSON.stringify({
          numStartups: 7,
          mcpServers: { everywhere: entry("everywhere") },
          projects: { [me.project]: { mcpServers: { local: entry("local") }, history: [] } },
        }),
      );
      write(project, JSON.stringify({ mcpServers: { shared: entry("shared") } }));
      const before = [user, project].map((file) => readFileSync(file, "utf8"));
      const { code, err } = await me.run("connect", "claude-code", "--replace");
      assert.equal(code, 0, err);
      const { mcpServers, projects, numStartups } = JSON.parse(readFileSync(user, "utf8"));
      assert.deepEqual(Object.keys(mcpServers), ["sentinel"]);
      assert.deepEqual(Object.keys(projects[me.project].mcpServers), ["sentinel"]);
      assert.deepEqual([numStartups, projects[me.project].history], [7, []]);
      assert.deepEqual(namesIn(project), ["sentinel"]);
      await me.run("connect", "claude-code", "--undo");
      assert.deepEqual([user, project].map((file) => readFileSync(file, "utf8")), before);
    }),
  );

  it(
    "puts moved servers back also into a file that was edited since",
    configured(async (me) => {
      const codex = me.fileOf("codex");
      const cursor = me.fileOf("cursor");
      write(codex, '[mcp_servers.one]\nurl = "https://one.example.com/mcp"\n');
      write(cursor, '{"mcpServers": {"two": {"url": "https://two.example.com/mcp"}}}');
      const { code, err } = await me.run("connect", "--all", "--replace");
      assert.equal(code, 0, err);
      writeFileSync(codex, `model = "new"\n${readFileSync(codex, "utf8")}`);
      writeFileSync(cursor, readFileSync(cursor, "utf8").replace("{", '{"new": 1, '));
      const { out } = await me.run("connect", "--all", "--undo");
      assert.match(out, /Codex: .* was edited since[^]*Cursor: .* was edited since/);
      assert.match(
        readFileSync(codex, "utf8"),
        /^model = "new"\n+\[mcp_servers\.one\]\nurl = "https:\/\/one\.example\.com\/mcp"\n$/,
      );
      assert.deepEqual(JSON.parse(readFileSync(cursor, "utf8")), {
        new: 1,
        mcpServers: { two: { url: "https://two.example.com/mcp" } },
      });
    }),
  );

  it(
    "changes no client's file when the configuration is wrong",
    configured(async (me, config) => {
      const file = me.fileOf("cursor");
      const before = '{"mcpServers": {"two": {"url": "https://two.example.com/mcp"}}}';
      write(file, before);
      write(config, `${CONFIG}[backends.broken]\nurll = "https://x"\n`);
      const { code, err } = await me.run("connect", "cursor", "--replace");
      assert.equal(code, 3);
      assert.match(err, /unknown key "urll"/);
      assert.equal(readFileSync(file, "utf8"), before);
      assert.equal(existsSync(join(me.project, "sentinel.env")), false);
    }),
  );

  it(
    "says that a file is gone",
    configured(async (me) => {
      const file = me.fileOf("vscode", "project");
      await me.run("connect", "vscode", "--write", "--project");
      rmSync(file);
      const { code, out } = await me.run("connect", "vscode", "--undo");
      assert.equal(code, 0);
      assert.match(out, /is gone; there was nothing to take back/);
    }),
  );
});
