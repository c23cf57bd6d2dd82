import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, before, beforeEach, describe, it } from "node:test";
import { proves } from "../support/proves.ts";
import { runCli } from "./fake_io.ts";

describe("command line", () => {
  it("without a command shows the help and is wrong usage", async () => {
    const { code, out, err } = await runCli([]);
    assert.equal(code, 2);
    assert.equal(out, "");
    assert.match(err, /^Usage: mcp-sentinel/);
  });

  it("--help lists every command on stdout", async () => {
    const { code, out, err } = await runCli(["--help"]);
    assert.equal(code, 0);
    assert.equal(err, "");
    const commands = ["up, dev", "server, serve", "stdio", "init", "validate", "config"];
    const operating = [
      "status",
      "backends",
      "tools",
      "events",
      "sessions",
      "audit",
      "kill",
      "reload",
    ];
    const others = ["diff", "shutdown", "profile", "version", "token", "completion"];
    const asking = ["policy", "auth", "calls", "info", "man", "schema"];
    for (const command of [...commands, ...operating, ...others, ...asking]) {
      assert.match(out, new RegExp(`^  ${command} `, "m"));
    }
  });

  it("suggests the command or option that may have been meant", async () => {
    const cases = [
      [["valdate"], /unknown command 'valdate'\n\(Did you mean validate\?\)/],
      [["config", "shw"], /unknown command 'shw'\n\(Did you mean show\?\)/],
      [["validate", "--formt", "json"], /unknown option '--formt'\n\(Did you mean --format\?\)/],
      [["statsu"], /unknown command 'statsu'\n\(Did you mean status\?\)/],
      [["kill", "tol"], /unknown command 'tol'\n\(Did you mean tool\?\)/],
      [["events", "tail", "--aftr", "1"], /unknown option '--aftr'\n\(Did you mean --after\?\)/],
      [["--jsn"], /unknown option '--jsn'\n\(Did you mean --json\?\)/],
    ] as const;
    for (const [argv, expected] of cases) {
      const { code, out, err } = await runCli(argv);
      assert.equal(code, 2, argv.join(" "));
      assert.match(err, expected);
      assert.equal(out, "");
    }
  });

  it("refuses values that are not offered, and missing or excess arguments", async () => {
    const wrong = [
      ["validate", "--format", "yaml"],
      ["server", "--log-level", "loud"],
      ["completion", "tcsh"],
      ["config", "explain"],
      ["version", "twice"],
      ["server", "--listen"],
    ];
    for (const argv of wrong) assert.equal((await runCli(argv)).code, 2, argv.join(" "));
  });

  it("takes global options before and after the command", async () => {
    for (const argv of [["--json", "version"], ["version", "--json"]]) {
      const { code, out } = await runCli(argv);
      assert.equal(code, 0);
      assert.equal(JSON.parse(out).schema, "mcp-sentinel/v1/version");
    }
  });

  it("version names program, runtime and platform", async () => {
    const { out } = await runCli(["version"]);
    assert.match(out, /^mcp-sentinel \d+\.\d+\.\d+ · (node|deno|bun) \d+\.\d+\.\d+ · \w+ \w+\n$/);
    assert.equal((await runCli(["--version"])).out, `${/ (\S+) /.exec(out)?.[1]}\n`);
  });
});

describe("color", () => {
  const colored = async (options: Parameters<typeof runCli>[1], ...flags: string[]) => {
    const { err } = await runCli(["validate", "no.toml", ...flags], options);
    return err.includes("\u001b[");
  };

  it("is for terminals, unless something says otherwise", async () => {
    assert.equal(await colored({ terminal: true }), true);
    assert.equal(await colored({ terminal: false }), false);
    assert.equal(await colored({ terminal: true }, "--no-color"), false);
    assert.equal(await colored({ terminal: true, env: { NO_COLOR: "1" } }), false);
    assert.equal(await colored({ terminal: true, env: { NO_COLOR: "" } }), true);
    assert.equal(await colored({ terminal: true, env: { TERM: "dumb" } }), false);
    assert.equal(await colored({ terminal: false, env: { FORCE_COLOR: "1" } }), true);
    assert.equal(await colored({ terminal: true, env: { FORCE_COLOR: "0" } }), false);
    assert.equal(await colored({ env: { FORCE_COLOR: "1", NO_COLOR: "1" } }), false);
  });
});

describe("commands on files", () => {
  let cwd: string;
  before(async () => {
    cwd = await mkdtemp(join(tmpdir(), "sentinel-cli-"));
  });
  after(() => rm(cwd, { recursive: true }));
  beforeEach(async () => {
    await rm(cwd, { recursive: true });
    await mkdir(cwd);
  });

  const inFolder = (argv: readonly string[], options: Parameters<typeof runCli>[1] = {}) =>
    runCli(argv, { cwd, ...options, env: { HOME: join(cwd, "home"), ...options.env } });
  const write = (name: string, text: string) => writeFile(join(cwd, name), text);

  describe("validate", () => {
    proves("G1.2", "a missing file is exit code 3 and says where it was looked for", async () => {
      const { code, out, err } = await inFolder(["validate"]);
      assert.equal(code, 3);
      assert.equal(out, "");
      assert.match(err, /^error: no configuration found; looked for\n/);
      assert.ok(err.includes(join(cwd, "sentinel.toml")));
      assert.ok(err.includes(join(cwd, "home", ".config", "mcp-sentinel", "sentinel.toml")));
      assert.match(err, /mcp-sentinel init/);
    });

    it("a named file that cannot be read is exit code 3 with the reason", async () => {
      await writeFile(join(cwd, "latin1.toml"), new Uint8Array([0x61, 0xe9]));
      const reasons = [["no.toml", "no such file"], [".", "it is a folder"], [
        "latin1.toml",
        "it is not UTF-8",
      ]] as const;
      for (const [name, reason] of reasons) {
        const { code, err } = await inFolder(["validate", name]);
        assert.equal(code, 3);
        assert.ok(err.startsWith(`error: cannot read "${name}": ${reason}\n`), err);
      }
    });

    it("says ok with counts, and what has no effect yet on stderr", async () => {
      await write(
        "sentinel.toml",
        '[backends.a]\nurl = "http://127.0.0.1:1/mcp"\nheaders = { X-Token = "${env:T}" }\n' +
          "[management]\nconsole = true\n",
      );
      const { code, out, err } = await inFolder(["validate"], { env: { T: "abcdef" } });
      assert.equal(code, 0);
      assert.equal(out, "ok  sentinel.toml: 1 backend, 0 toolsets, 1 secret\n");
      assert.equal(err, "warning: management.console has no effect yet\n");
      const quiet = await inFolder(["validate", "-q"], { env: { T: "abcdef" } });
      assert.deepEqual([quiet.code, quiet.out, quiet.err], [0, "", ""]);
    });

    it("prints problems to stderr as text, to stdout for programs", async () => {
      await write("sentinel.toml", "[server]\nnmae = 1\n");
      const text = await inFolder(["validate"]);
      assert.equal(text.code, 3);
      assert.equal(text.out, "");
      assert.match(text.err, /^error: unknown key "nmae"\n {2}--> sentinel\.toml:2:1 /);
      assert.match(text.err, /\n1 error\n$/);
      const github = await inFolder(["validate", "--format", "github"]);
      assert.match(github.out, /^::error file=sentinel\.toml,line=2,/);
      for (const argv of [["validate", "--format", "json"], ["validate", "--json"]]) {
        const { valid, items } = JSON.parse((await inFolder(argv)).out);
        assert.equal(valid, false);
        assert.deepEqual(Object.keys(items[0]), [
          "code",
          "file",
          "line",
          "column",
          "endColumn",
          "path",
          "message",
          "hint",
        ]);
      }
    });

    it("reads variables from a file; the environment wins over it", async () => {
      await write("sentinel.toml", '[server]\nname = "${env:A}"\ninstructions = "${env:B}"\n');
      await write(".env", "A=from-file\nB='from file'\n");
      const argv = ["config", "show", "--json", "--env-file", ".env"];
      const { config } = JSON.parse((await inFolder(argv, { env: { A: "from-env" } })).out);
      assert.equal(config.server.name, "from-env");
      assert.equal(config.server.instructions, "from file");
    });

    it("reads sentinel.env beside the configuration, unless others may have written it", async () => {
      await mkdir(join(cwd, "conf"));
      await write("conf/a.toml", '[server]\nname = "${env:A}"\n');
      await writeFile(join(cwd, "conf/sentinel.env"), "A=from-file\n", { mode: 0o600 });
      const shown = ["config", "show", "-c", "conf/a.toml", "--json"];
      const { config } = JSON.parse((await inFolder(shown)).out);
      assert.equal(config.server.name, "from-file");
      if (process.platform === "win32") return;
      await chmod(join(cwd, "conf/sentinel.env"), 0o640);
      assert.equal((await inFolder(shown)).code, 3);
      const { code, err } = await inFolder(["validate", "conf/a.toml"], { env: { A: "given" } });
      assert.equal(code, 0);
      assert.match(err, /^warning: "sentinel\.env" is not read: others may use it; chmod 600/);
    });

    it("reads secrets relative to the configuration and warns when others may read them", async () => {
      await mkdir(join(cwd, "conf"));
      await write(
        "conf/a.toml",
        '[backends.a]\nurl = "http://127.0.0.1:1"\nheaders = { X-Token = "${file:t}" }\n',
      );
      await write("conf/t", "token-of-the-file\n");
      await chmod(join(cwd, "conf/t"), 0o644);
      const { code, err } = await inFolder(["validate", "conf/a.toml"]);
      assert.equal(code, 0);
      if (process.platform !== "win32") {
        assert.match(err, /^warning: others may read the secret in .*t \(mode 0644\)/);
      }
      assert.match(
        (await inFolder(["validate", "conf/a.toml", "--json"])).out,
        /"valid": true/,
      );
    });
  });

  describe("config", () => {
    it("path prints the file in use: the nearest one, unless one is named", async () => {
      await mkdir(join(cwd, "home/.config/mcp-sentinel"), { recursive: true });
      assert.equal((await inFolder(["config", "path"])).code, 1);
      await write("home/.config/mcp-sentinel/sentinel.toml", "");
      const user = join(cwd, "home/.config/mcp-sentinel/sentinel.toml");
      assert.equal((await inFolder(["config", "path"])).out, `${user}\n`);
      await write("sentinel.toml", "");
      assert.equal((await inFolder(["config", "path"])).out, `${join(cwd, "sentinel.toml")}\n`);
      const env = { XDG_CONFIG_HOME: join(cwd, "xdg") };
      const { searched } = JSON.parse((await inFolder(["config", "path", "--json"], { env })).out);
      assert.equal(searched[1], join(cwd, "xdg/mcp-sentinel/sentinel.toml"));
      assert.equal(searched[2], "/etc/mcp-sentinel/sentinel.toml");
    });

    it("show prints TOML that is the same configuration, without secrets", async () => {
      await write("sentinel.toml", '[backends.a]\nurl = "http://127.0.0.1:1/${env:A_TOKEN}"\n');
      const env = { A_TOKEN: "secret-token" };
      const { code, out } = await inFolder(["config", "show"], { env });
      assert.equal(code, 0);
      assert.doesNotMatch(out, /secret-token/);
      assert.match(out, /^# sentinel\.toml, with defaults\n/);
      await write("again.toml", out);
      assert.equal((await inFolder(["validate", "again.toml"])).code, 0);
    });

    it("show of a broken file is exit code 3 with the problems", async () => {
      await write("sentinel.toml", "server = 3\n");
      const { code, err } = await inFolder(["config", "show"]);
      assert.equal(code, 3);
      assert.match(err, /"server" must be a table/);
      const json = await inFolder(["config", "show", "--json"]);
      assert.equal(JSON.parse(json.out).items[0].code, "wrong_type");
    });

    it("explain tells where the value in force comes from", async () => {
      await write("sentinel.toml", '[server]\nlisten = "127.0.0.1:1"\n');
      const value = async (env: Record<string, string> = {}, ...argv: string[]) => {
        const { out } = await inFolder(["config", "explain", "server.listen", ...argv], { env });
        return /value +(.*)/.exec(out)?.[1];
      };
      assert.equal(await value(), '"127.0.0.1:1"   from sentinel.toml');
      const env = { SENTINEL_SERVER_LISTEN: "127.0.0.1:2" };
      assert.equal(await value(env), '"127.0.0.1:2"   from SENTINEL_SERVER_LISTEN');
      await write("empty.toml", "");
      assert.equal(await value({}, "-c", "empty.toml"), '"127.0.0.1:8808"   from default');
    });

    it("explain works without a file and with a broken one", async () => {
      const without = await inFolder(["config", "explain", "sessions.max"]);
      assert.match(without.out, /value +10000 +from default/);
      await write("sentinel.toml", "nonsense");
      const broken = await inFolder(["config", "explain", "sessions.max"]);
      assert.equal(broken.code, 0);
      assert.match(broken.err, /has errors/);
      assert.match(broken.out, /Most sessions at a time/);
    });

    it("explain of an unknown key suggests one and is wrong usage", async () => {
      const { code, err } = await inFolder(["config", "explain", "server.listne"]);
      assert.equal(code, 2);
      assert.match(
        err,
        /there is no key "server\.listne"\n {2}help: did you mean server\.listen\?/,
      );
      const json = await inFolder(["config", "explain", "server.listne", "--json"]);
      assert.equal(JSON.parse(json.out).schema, "mcp-sentinel/v1/error");
    });

    it("schema prints JSON Schema", async () => {
      const { out } = await inFolder(["config", "schema"]);
      assert.equal(JSON.parse(out).$schema, "http://json-schema.org/draft-07/schema#");
    });
  });

  describe("init", () => {
    it("writes a file that is valid and changes nothing", async () => {
      const { code, out } = await inFolder(["init"]);
      assert.equal(code, 0);
      assert.match(out, /^wrote sentinel\.toml\n/);
      const written = JSON.parse((await inFolder(["config", "show", "--json"])).out).config;
      await write("empty.toml", "");
      const argv = ["config", "show", "--json", "-c", "empty.toml"];
      assert.deepEqual(JSON.parse((await inFolder(argv)).out).config, written);
    });

    it("never overwrites without being told", async () => {
      await write("sentinel.toml", "mine");
      for (const argv of [["init"], ["init", "--yes"], ["init", "--json"]]) {
        assert.equal((await inFolder(argv)).code, 1, argv.join(" "));
      }
      assert.equal(await readFile(join(cwd, "sentinel.toml"), "utf8"), "mine");
      assert.equal((await inFolder(["init", "--force"])).code, 0);
      assert.match(await readFile(join(cwd, "sentinel.toml"), "utf8"), /^# MCP Sentinel/);
    });

    it("asks a person, who may agree; --yes asks nothing", async () => {
      await write("sentinel.toml", "mine");
      const asked: string[] = [];
      const answer = (text: string) => (question: string) => {
        asked.push(question);
        return Promise.resolve(text);
      };
      assert.equal((await inFolder(["init"], { ask: answer("") })).code, 1);
      assert.equal((await inFolder(["init", "--yes"], { ask: answer("y") })).code, 1);
      assert.equal(asked.length, 1);
      assert.equal((await inFolder(["init"], { ask: answer("y") })).code, 0);
    });

    it("writes where it is told and says why it cannot", async () => {
      assert.equal((await inFolder(["init", "other.toml"])).code, 0);
      assert.match(await readFile(join(cwd, "other.toml"), "utf8"), /^# MCP Sentinel/);
      const { code, err } = await inFolder(["init", "no/such/folder.toml"]);
      assert.equal(code, 1);
      assert.match(err, /^error: cannot write "no\/such\/folder\.toml"/);
    });
  });
});
