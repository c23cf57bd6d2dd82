import assert from "node:assert/strict";
import { chmod, mkdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { afterEach, beforeEach, describe, it } from "node:test";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { runCli } from "./fake_io.ts";

const REMOTE = "https://gateway.example.com:8809";

describe("profile", () => {
  let home: string;
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), "sentinel-profiles-"));
  });
  afterEach(() => rm(home, { recursive: true }));

  const env = () => ({ XDG_CONFIG_HOME: join(home, "conf"), XDG_STATE_HOME: join(home, "state") });
  const path = () => join(home, "conf/mcp-sentinel/profiles.toml");
  const run = (...argv: string[]) => runCli(["profile", ...argv], { cwd: home, env: env() });
  const write = async (text: string) => {
    await mkdir(join(home, "conf/mcp-sentinel"), { recursive: true });
    await writeFile(path(), text, { mode: 0o600 });
  };

  it("add writes a file for its owner only, with references and no token", async () => {
    const { code, out } = await run("add", "prod", "--url", REMOTE, "--token-env", "PROD_TOKEN");
    assert.equal(code, 0);
    assert.match(
      out,
      /^added prod, https:.*\n.*profile test prod\n {2}undo: .*profile remove prod\n/,
    );
    const text = await readFile(path(), "utf8");
    assert.match(text, /\[profiles\.prod\]\nurl = "https:.*"\ntoken = "\$\{env:PROD_TOKEN\}"\n/);
    if (process.platform === "win32") return;
    assert.equal((await stat(path())).mode & 0o777, 0o600);
    assert.equal((await stat(join(home, "conf/mcp-sentinel"))).mode & 0o777, 0o700);
  });

  it("edits keep the other entries, unknown ones too", async () => {
    await write(
      'future = 1\n[profiles.old]\nurl = "https://old.example"\nlater = true\n[more]\nx = [1]\n',
    );
    assert.equal((await run("add", "new", "--url", REMOTE)).code, 0);
    assert.equal((await run("use", "new")).code, 0);
    assert.equal((await run("remove", "new")).code, 0);
    const text = await readFile(path(), "utf8");
    assert.match(text, /^future = 1$/m);
    assert.match(text, /\[profiles\.old\]\nurl = "https:\/\/old\.example"\nlater = true\n/);
    assert.match(text, /\[more\]\nx = \[ 1 \]/);
    assert.doesNotMatch(text, /profiles\.new|^current/m);
  });

  it("a file that others may read is refused", async () => {
    if (process.platform === "win32") return;
    await write("");
    for (const mode of [0o640, 0o604, 0o660]) {
      await chmod(path(), mode);
      const { code, err } = await run("list");
      assert.equal(code, 78);
      assert.match(err, /others may read or change ".*profiles\.toml".*\n {2}help: chmod 600 /);
    }
  });

  it("a link to a file elsewhere stays a link", async () => {
    if (process.platform === "win32") return;
    await write("");
    await rm(path());
    await writeFile(join(home, "mine.toml"), "", { mode: 0o600 });
    await symlink(join(home, "mine.toml"), path());
    assert.equal((await run("add", "prod", "--url", REMOTE)).code, 0);
    assert.match(await readFile(join(home, "mine.toml"), "utf8"), /profiles\.prod/);
  });

  it("a token in the file is refused without being shown, unknown keys with a suggestion", async () => {
    await write(
      '[profiles.a]\nurl = "https://a"\ntoken = "s3cret-literal"\n[profiles.b]\nurl = "https://b"\ntokn = ""\n' +
        '[profiles.c]\ntoken = "${env:A:-s3cret-literal}"\nurl = "https://c"\n',
    );
    for (const name of ["a", "c"]) {
      const { code, out, err } = await run("test", name);
      assert.equal(code, 3);
      assert.match(
        err,
        /the token is written in the file\n {2}help: write token = "\$\{env:NAME\}"/,
      );
      assert.doesNotMatch(out + err, /s3cret/);
    }
    assert.match(
      (await run("test", "b")).err,
      /unknown key "tokn"\n {2}help: did you mean "token"\?/,
    );
  });

  it("a broken file is told with its place", async () => {
    await write("[profiles.a\n");
    const { code, err } = await run("list");
    assert.equal(code, 3);
    assert.match(err, /profiles\.toml:1:\d+: /);
  });

  it("add refuses addresses and names that are none, and tokens in the clear", async () => {
    const cases: [string[], RegExp][] = [
      [["a b", "--url", REMOTE], /no name for a profile/],
      [["__proto__", "--url", REMOTE], /no name for a profile/],
      [["a", "--url", "gateway.example"], /no address of a gateway/],
      [["a", "--url", "ftp://gateway.example"], /no address of a gateway/],
      [["a", "--url", "https://me:pw@gateway.example"], /must not hold a password/],
      [["a", "--url", "https://gateway.example/some/where"], /has a path/],
      [["a", "--url", "http://gateway.example"], /would see the token unencrypted/],
      [["a", "--url", REMOTE, "--token-env", "A", "--token-file", "b"], /not both/],
      [["a", "--url", REMOTE, "--token-env", "sk-1234"], /no name of a variable/],
      [["a"], /required option '--url <url>'/],
    ];
    for (const [argv, expected] of cases) {
      const { code, err } = await run("add", ...argv);
      assert.equal(code, 2, argv.join(" "));
      assert.match(err, expected);
      assert.doesNotMatch(err, /sk-1234|pw/);
    }
    await assert.rejects(stat(path()), { code: "ENOENT" });
    assert.equal((await run("add", "a", "--url", "http://127.0.0.1:8809/manage/v1")).code, 0);
    assert.match(await readFile(path(), "utf8"), /url = "http:\/\/127\.0\.0\.1:8809"/);
  });

  it("add does not overwrite, remove and use know only what is there", async () => {
    await run("add", "prod", "--url", REMOTE);
    const again = await run("add", "prod", "--url", "https://other.example");
    assert.equal(again.code, 1);
    assert.match(again.err, /there is a profile "prod"/);
    for (const verb of ["remove", "use", "test"]) {
      const { code, err } = await run(verb, "prd");
      assert.equal(code, 2);
      assert.match(err, /there is no profile "prd"\n {2}help: did you mean prod\?/);
    }
    for (const name of ["toString", "constructor"]) {
      assert.equal((await run("use", name)).code, 2);
    }
  });

  it("list shows references, the chosen one, and which are production", async () => {
    await run("add", "prod", "--url", REMOTE, "--token-env", "T", "--production");
    await run("add", "dev", "--url", "http://127.0.0.1:8809", "--token-file", "token");
    await run("use", "dev");
    const { out } = await run("list");
    assert.equal(
      out,
      [
        "   NAME  FROM     URL                               TOKEN" +
        " ".repeat(`\${file:${join(home, "token")}}`.length - 5) + "  KIND",
        `   prod  profile  https://gateway.example.com:8809  ${
          "${env:T}".padEnd(`\${file:${join(home, "token")}}`.length)
        }  production`,
        `*  dev   profile  http://127.0.0.1:8809             \${file:${join(home, "token")}}`,
        "",
      ].join("\n"),
    );
    const { schema, items } = JSON.parse((await run("list", "--json")).out);
    assert.equal(schema, "mcp-sentinel/v1/profile-list");
    assert.equal(items[1].isCurrent, true);
    assert.match((await run("use")).out, /undo: mcp-sentinel profile use dev/);
    assert.doesNotMatch((await run("list")).out, /^\*/m);
  });

  it("list without any says what to do", async () => {
    const { code, out } = await run("list");
    assert.equal(code, 0);
    assert.match(out, /no gateways yet: mcp-sentinel up/);
  });
});
