import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { type ClientName, CLIENTS } from "../../cli/clients/clients.ts";
import { inFolder } from "../support/temporary_folder.ts";
import { modeOf, NOWHERE, person, write } from "./client_person.ts";
import { runCli } from "./fake_io.ts";

const URL = NOWHERE;
const NAMES = Object.keys(CLIENTS) as ClientName[];

describe("connect", () => {
  it(
    "says what to add, and how else it gets there",
    person(async (me) => {
      const cases: readonly (readonly [ClientName, RegExp])[] = [
        ["claude-desktop", /"args": \[[^\]]*"stdio",\s+"--url",\s+"http:\/\/127\.0\.0\.1:9\/mcp"/],
        [
          "claude-code",
          /or run {3}claude mcp add --transport http --scope user sentinel http:\/\/127\.0\.0\.1:9\/mcp\n/,
        ],
        [
          "cursor",
          /or open {2}cursor:\/\/anysphere\.cursor-deeplink\/mcp\/install\?name=sentinel&config=/,
        ],
        [
          "vscode",
          /or run {3}code --add-mcp '\{"name":"sentinel","type":"http","url":"http:\/\/127\.0\.0\.1:9\/mcp"\}'\nor open {2}vscode:mcp\/install\?%7B/,
        ],
        [
          "codex",
          /\[mcp_servers\.sentinel\]\n {2}url = "http:\/\/127\.0\.0\.1:9\/mcp"\n\nor run {3}codex mcp add sentinel --url /,
        ],
        ["windsurf", /"serverUrl": "http:\/\/127\.0\.0\.1:9\/mcp"/],
      ];
      for (const [client, expected] of cases) {
        const { code, out, err } = await me.connect(client);
        assert.equal(code, 0, err);
        assert.match(out, expected);
        assert.ok(out.includes(me.fileOf(client)), out);
        assert.match(err, /nothing answers at http:\/\/127\.0\.0\.1:9\/mcp yet/);
        assert.match(err, new RegExp(`mcp-sentinel connect ${client} --write`));
        assert.equal(existsSync(me.fileOf(client)), false);
      }
    }),
  );

  it(
    "prints links that hold the entry",
    person(async (me) => {
      const cursor = await me.connect("cursor", "--link");
      const link = new globalThis.URL(cursor.out.trim());
      assert.deepEqual(JSON.parse(atob(link.searchParams.get("config") ?? "")), { url: URL });
      const vscode = await me.connect("vscode", "--link", "--name", "team");
      const definition = decodeURIComponent(vscode.out.trim().replace("vscode:mcp/install?", ""));
      assert.deepEqual(JSON.parse(definition), { name: "team", type: "http", url: URL });
      const none = await me.connect("codex", "--link");
      assert.deepEqual([none.code, none.out], [1, ""]);
      assert.match(
        none.err,
        /Codex has no install link\n {2}help: mcp-sentinel connect codex --write/,
      );
    }),
  );

  it(
    "tells each client which variable has the token, and never a token",
    person(async (me) => {
      const expected: Readonly<Record<ClientName, RegExp>> = {
        "claude-desktop": /"--token-env",\s+"MY_TOKEN"/,
        "claude-code":
          /"Authorization": "Bearer \$\{MY_TOKEN\}"[^]*--header 'Authorization: Bearer \$\{MY_TOKEN\}'/,
        cursor: /"Authorization": "Bearer \$\{env:MY_TOKEN\}"/,
        vscode: /"Authorization": "Bearer \$\{env:MY_TOKEN\}"/,
        codex: /bearer_token_env_var = "MY_TOKEN"[^]*--bearer-token-env-var MY_TOKEN/,
        windsurf: /"Authorization": "Bearer \$\{env:MY_TOKEN\}"/,
      };
      for (const client of NAMES) {
        const { out, err } = await me.connect(client, "--token-env", "MY_TOKEN");
        assert.match(out, expected[client]);
        assert.match(err, /takes the token from the variable MY_TOKEN/);
      }
      const file = await me.connect("claude-desktop", "--token-file", "token.txt");
      assert.match(file.out, /"--token-file",\s+"[^"]*project[^"]*token\.txt"/);
      const secret = "eyJhbGciOiJIUzI1NiJ9.e30.c2VjcmV0";
      const refused = await me.connect("cursor", "--token-env", secret);
      assert.equal(refused.code, 2);
      assert.doesNotMatch(refused.err, /eyJ/);
    }),
  );

  it(
    "asks the gateway whether it wants a token",
    person(async (me) => {
      const server = createServer((_request, response) => response.writeHead(401).end());
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      try {
        const { port } = server.address() as AddressInfo;
        const { out, err } = await me.run("connect", "cursor", "--url", `http://127.0.0.1:${port}`);
        assert.match(out, /"Bearer \$\{env:SENTINEL_TOKEN\}"/);
        assert.match(out, new RegExp(`"url": "http://127.0.0.1:${port}/mcp"`));
        assert.doesNotMatch(err, /nothing answers/);
      } finally {
        server.close();
      }
    }),
  );

  for (const client of NAMES) {
    it(
      `--write and --undo leave the file of ${client} as it was, byte for byte`,
      person(async (me) => {
        const file = me.fileOf(client);
        const before = client === "codex"
          ? '# mine\nmodel = "x"   # odd   spacing\n\n[mcp_servers.one]\ncommand = "npx"\r\n'
          : '\ufeff// mine\n{ "a":1,\n  "mcpServers": {"one": {"command":"npx"},},\n"servers": {"two": {}}}';
        write(file, before, 0o600);
        const bytes = readFileSync(file);
        const done = await me.connect(client, "--write");
        assert.equal(done.code, 0, done.err);
        assert.match(done.out, /: "sentinel" added to /);
        assert.match(done.err, new RegExp(`undo: {2}mcp-sentinel connect ${client} --undo`));
        const after = readFileSync(file, "utf8");
        assert.match(after, /127\.0\.0\.1:9/);
        assert.match(after, /mine/);
        assert.equal(modeOf(file), 0o600);

        const again = await me.connect(client, "--write");
        assert.equal(again.code, 0, again.err);
        assert.match(again.out, /"sentinel" is in .* already; nothing was changed\n$/);
        assert.equal(readFileSync(file, "utf8"), after);

        const undone = await me.run("connect", client, "--undo");
        assert.equal(undone.code, 0, undone.err);
        assert.match(undone.out, /is as it was before, byte for byte/);
        assert.deepEqual(readFileSync(file), bytes);
        assert.equal(modeOf(file), 0o600);
        assert.deepEqual(readdirSync(dirname(file)).filter((name) => name.includes("new")), []);

        const nothing = await me.run("connect", client, "--undo");
        assert.equal(nothing.code, 1);
        assert.match(nothing.err, /nothing to take back/);
      }),
    );
  }

  it(
    "removes what did not exist before, with the folders it made",
    person(async (me) => {
      const { code, err } = await me.connect("vscode", "--write", "--project");
      assert.equal(code, 0, err);
      const file = me.fileOf("vscode", "project");
      assert.deepEqual(JSON.parse(readFileSync(file, "utf8")), {
        servers: { sentinel: { type: "http", url: URL } },
      });
      const { out } = await me.run("connect", "vscode", "--undo");
      assert.match(out, /is removed; it did not exist before/);
      assert.equal(existsSync(dirname(file)), false);
    }),
  );

  it(
    "takes back several writes at once, up to the first",
    person(async (me) => {
      const file = me.fileOf("cursor");
      write(file, '{"mcpServers": {"one": {"url": "https://one.example.com"}}}');
      await me.connect("cursor", "--write");
      const moved = await me.run("connect", "cursor", "--write", "--url", "http://127.0.0.1:8/mcp");
      assert.match(moved.out, /"sentinel" brought up to date in/);
      await me.connect("cursor", "--write", "--name", "second");
      await me.run("connect", "cursor", "--undo");
      assert.equal(
        readFileSync(file, "utf8"),
        '{"mcpServers": {"one": {"url": "https://one.example.com"}}}',
      );
    }),
  );

  it(
    "takes only its own back where somebody has edited the file since",
    person(async (me) => {
      const file = me.fileOf("cursor");
      write(
        file,
        '{\n  "mcpServers": {\n    "one": { "url": "https://one.example.com" }\n  }\n}\n',
      );
      await me.connect("cursor", "--write");
      const edited = readFileSync(file, "utf8").replace("https://one.", "https://two.");
      writeFileSync(file, edited);
      const { out } = await me.run("connect", "cursor", "--undo");
      assert.match(out, /was edited since: only what connect did was taken back/);
      assert.equal(
        readFileSync(file, "utf8"),
        '{\n  "mcpServers": {\n    "one": { "url": "https://two.example.com" }\n  }\n}\n',
      );
      const [, copy = ""] = /the copy from before is kept: (.*)\n/.exec(out) ?? [];
      assert.match(readFileSync(copy, "utf8"), /https:\/\/one\./);
      assert.equal(modeOf(copy), 0o600);
    }),
  );

  it(
    "an edit between two writes is not lost",
    person(async (me) => {
      const file = me.fileOf("cursor");
      write(file, '{\n  "mcpServers": {\n    "one": {}\n  }\n}\n');
      await me.connect("cursor", "--write");
      const edited = readFileSync(file, "utf8").replace('"one"', '"other"');
      writeFileSync(file, edited);
      await me.run("connect", "cursor", "--write", "--url", "http://127.0.0.1:8/mcp");
      const { out } = await me.run("connect", "cursor", "--undo");
      assert.match(out, /byte for byte/);
      assert.equal(readFileSync(file, "utf8"), '{\n  "mcpServers": {\n    "other": {}\n  }\n}\n');
    }),
  );

  it(
    "leaves alone what it must not change, and says why",
    person(async (me) => {
      const file = me.fileOf("cursor");
      const cases: readonly (readonly [string, number, RegExp])[] = [
        ['{\n  "mcpServers": {,}\n}', 0o644, /cannot read .*mcp\.json:2:18: /],
        ['{"mcpServers": []}', 0o644, /is no table of servers/],
        [
          '{"mcpServers": {"sentinel": {"command": "theirs"}}}',
          0o644,
          /Cursor has a server "sentinel" already, in .*\n {2}help: nothing was changed; --name OTHER/,
        ],
        ["{}", 0o444, /is read-only/],
      ];
      for (const [text, mode, message] of cases) {
        write(file, text, mode);
        const { code, out, err } = await me.connect("cursor", "--write");
        assert.deepEqual([code, out], [1, ""]);
        assert.match(err, message);
        assert.equal(readFileSync(file, "utf8"), text);
        chmodSync(file, 0o644);
      }
      writeFileSync(file, new Uint8Array([0x7b, 0xff, 0x7d]));
      assert.match((await me.connect("cursor", "--write")).err, /it is not UTF-8/);
      const other = await me.run("connect", "cursor", "--undo");
      assert.match(other.err, /nothing to take back: Cursor was not connected/);
    }),
  );

  it(
    "follows a link to the real file, and keeps the link",
    { skip: process.platform === "win32" },
    person(async (me) => {
      const real = join(me.home, "dotfiles.json");
      write(real, "{}\n", 0o640);
      symlinkSync(real, me.fileOf("cursor"));
      await me.connect("cursor", "--write");
      assert.match(readFileSync(real, "utf8"), /sentinel/);
      assert.equal(modeOf(real), 0o640);
      await me.run("connect", "cursor", "--undo");
      assert.equal(readFileSync(real, "utf8"), "{}\n");
      assert.equal(readFileSync(me.fileOf("cursor"), "utf8"), "{}\n");
    }),
  );

  it("does not invent a client that is not installed", () =>
    inFolder(async (folder) => {
      const env = { HOME: folder, XDG_CONFIG_HOME: join(folder, ".config") };
      for (const client of NAMES) {
        const argv = ["connect", client, "--write", "--url", URL];
        const { code, err } = await runCli(argv, { cwd: folder, env });
        assert.equal(code, 1);
        assert.match(err, /does not seem to be installed: no /);
      }
      const all = await runCli(["connect", "--all", "--write", "--url", URL], { cwd: folder, env });
      assert.equal(all.code, 1);
      assert.match(all.err, /no file of a client was found/);
      assert.deepEqual(readdirSync(folder), []);
    }));

  it(
    "--all goes on where one client fails, and --undo --all takes everything back",
    person(async (me) => {
      write(me.fileOf("claude-desktop"), '{"mcpServers": {}}');
      write(me.fileOf("cursor"), "{broken");
      write(me.fileOf("codex"), 'model = "x"\n');
      const { code, out, err } = await me.connect("--all", "--write", "--json");
      assert.equal(code, 1);
      const { schema, items } = JSON.parse(out);
      assert.equal(schema, "mcp-sentinel/v1/connect");
      assert.deepEqual(
        items.map(({ client, result }: { client: string; result: string }) => [client, result]),
        [["claude-desktop", "added"], ["codex", "added"]],
      );
      assert.match(err, /error: cannot read .*cursor.*mcp\.json:1:2: /);
      const undone = await me.run("connect", "--all", "--undo", "--json");
      assert.deepEqual(
        JSON.parse(undone.out).items.map(({ how }: { how: string }) => how),
        ["restored", "restored"],
      );
      assert.equal(readFileSync(me.fileOf("codex"), "utf8"), 'model = "x"\n');
      assert.equal(readFileSync(me.fileOf("cursor"), "utf8"), "{broken");
    }),
  );

  it(
    "is told wrongly",
    person(async (me) => {
      const cases: readonly (readonly [readonly string[], number, RegExp])[] = [
        [["cursr"], 2, /there is no client "cursr"\n {2}help: did you mean cursor\?/],
        [["\u001b[2Jx"], 2, /there is no client "\\x1b\[2Jx"/],
        [[], 2, /which client\?\n {2}help: mcp-sentinel connect claude-desktop \|/],
        [["cursor", "--all"], 2, /either a client or --all/],
        [["cursor", "--name", "a b"], 2, /"a b" is no name for a server/],
        [["cursor", "--url", "ftp://x"], 2, /is no address of a gateway/],
        [["cursor", "--url", "https://me:secret@x/mcp"], 2, /must hold no credentials/],
        [["cursor", "--url", "https://x/mcp?token=secret"], 2, /must hold no credentials/],
        [["cursor", "--write", "--undo"], 2, /cannot be used with/],
        [["cursor", "--project", "--user"], 2, /cannot be used with/],
        [["windsurf", "--project", "--url", URL], 2, /Windsurf keeps no servers in a project/],
        [["cursor"], 4, /no gateway of yours runs on this machine\n {2}help: mcp-sentinel up/],
        [["cursor", "--replace", "--url", URL], 1, /no configuration file on this machine/],
      ];
      for (const [argv, expected, message] of cases) {
        const { code, out, err } = await me.run("connect", ...argv);
        assert.deepEqual([code, out], [expected, ""], argv.join(" "));
        assert.match(err, message);
        assert.doesNotMatch(err, /secret/);
      }
    }),
  );

  it(
    "takes the address from the file when nothing runs, and says so",
    person(async (me) => {
      write(
        join(me.project, "sentinel.toml"),
        '[server]\nlisten = "0.0.0.0:9"\npath = "/tools"\n[auth]\nmode = "jwt"\n',
      );
      const { code, out, err } = await me.run("connect", "cursor");
      assert.equal(code, 0, err);
      assert.match(out, /"url": "http:\/\/127\.0\.0\.1:9\/tools"/);
      assert.match(out, /\$\{env:SENTINEL_TOKEN\}/);
      assert.match(err, /nothing answers at .* yet: mcp-sentinel server -c .*sentinel\.toml/);
    }),
  );
});
