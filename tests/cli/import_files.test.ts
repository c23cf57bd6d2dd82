import assert from "node:assert/strict";
import { chmodSync, mkdirSync, renameSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { parseEnv } from "node:util";
import { parseConfig } from "../../src/config/parse.ts";
import { asPerson, type Person } from "./import_setup.ts";

const TOKEN = "ghp_0123456789abcdefABCDEF0123456789abcd";
const GITHUB = { command: "npx", args: ["-y", "server-github"], env: { GITHUB_TOKEN: TOKEN } };
const TIME = { command: "uvx", args: ["mcp-server-time"] };
const servers = (mcpServers: object) => JSON.stringify({ mcpServers });

/** The configuration that was written, read as the gateway reads it. */
async function configOf(person: Person) {
  const env = person.exists("project/sentinel.env")
    ? parseEnv(person.read("project/sentinel.env"))
    : {};
  const text = person.read("project/sentinel.toml");
  const readFile = () => Promise.reject(new Error("no file in this test"));
  return (await parseConfig(text, { file: "sentinel.toml", env, readFile })).config;
}

describe("import", () => {
  it("shows and writes nothing without --write", () =>
    asPerson(async (person) => {
      person.writeClient("cursor", servers({ github: GITHUB }));
      const { code, out, err } = await person.import([]);
      assert.equal(code, 0);
      assert.match(out, /^\[backends\.github\]$/m);
      assert.match(
        err,
        /^would write 1 backend to sentinel\.toml \(\+7 lines\)\. Run again with --write\.$/m,
      );
      assert.equal(person.exists("project/sentinel.toml"), false);
      assert.equal(person.exists("project/sentinel.env"), false);
    }));

  it("writes a configuration that works, and the credentials for its owner only", () =>
    asPerson(async (person) => {
      person.writeClient("cursor", servers({ github: GITHUB, time: TIME }));
      const { code, out } = await person.import(["--write"]);
      assert.equal(code, 0);
      assert.match(
        out,
        /^wrote 2 backends to sentinel\.toml\nwrote 1 credential to sentinel\.env, /,
      );
      assert.match(out, /undo: rm sentinel\.toml sentinel\.env\n.*then {2}mcp-sentinel server\n$/);
      assert.match(person.read("project/sentinel.toml"), /^version = 1\n\n# from Cursor/);
      const { backends } = await configOf(person);
      assert.deepEqual(backends["github"]?.env, { GITHUB_TOKEN: TOKEN });
      assert.deepEqual(backends["time"]?.args, ["mcp-server-time"]);
      assert.equal((await person.run(["validate"])).code, 0);
      if (process.platform === "win32") return;
      assert.equal(statSync(join(person.project, "sentinel.env")).mode & 0o777, 0o600);
      assert.equal(statSync(join(person.project, "sentinel.toml")).mode & 0o022, 0);
    }));

  it("a second run writes nothing and says so", () =>
    asPerson(async (person) => {
      person.writeClient("cursor", servers({ github: GITHUB, time: TIME }));
      await person.import(["--write"]);
      const files = ["project/sentinel.toml", "project/sentinel.env"];
      const before = files.map((
        file,
      ) => [person.read(file), statSync(join(person.home, file)).mtimeMs]);
      const { code, out, err } = await person.import(["--write"]);
      assert.equal(code, 0);
      assert.equal(out, "");
      assert.match(err, /nothing new: 2 servers are in sentinel\.toml already\n$/);
      const after = files.map((
        file,
      ) => [person.read(file), statSync(join(person.home, file)).mtimeMs]);
      assert.deepEqual(after, before);
      const json = JSON.parse((await person.import(["--write", "--json"])).out);
      assert.equal(json.written, false);
      assert.deepEqual(json.items.map(({ status }: { status: string }) => status), [
        "present",
        "present",
      ]);
    }));

  it("what somebody changed by hand stays", () =>
    asPerson(async (person) => {
      person.writeClient("cursor", servers({ github: GITHUB }));
      await person.import(["--write"]);
      const own = person.read("project/sentinel.toml")
        .replace("${env:GITHUB_TOKEN}", "${env:MY_TOKEN}") + 'timeout = "5s"\n';
      person.write("project/sentinel.toml", own);
      const { code, err } = await person.import(["--write"]);
      assert.equal(code, 0);
      assert.match(err, /github +is there already with other settings, which stay/);
      assert.equal(person.read("project/sentinel.toml"), own);
    }));

  it("adds at the end: what is there stays byte for byte, line ends too", () =>
    asPerson(async (person) => {
      const before = '\ufeff# mine\r\nversion = 1\r\n[server]\r\nlisten = "127.0.0.1:9000" # here';
      person.write("project/sentinel.toml", before);
      person.write("project/sentinel.env", "OTHER=1");
      person.writeClient("cursor", servers({ github: GITHUB }));
      const { code, out } = await person.import(["--write"]);
      assert.equal(code, 0);
      const text = person.read("project/sentinel.toml");
      assert.ok(text.startsWith(`${before}\r\n\r\n# from Cursor`));
      assert.doesNotMatch(text, /[^\r]\n/);
      assert.match(
        out,
        /undo: remove lines 5 to 10 of sentinel\.toml, remove lines 2 to 2 of sentinel\.env/,
      );
      assert.equal(person.read("project/sentinel.env"), `OTHER=1\nGITHUB_TOKEN=${TOKEN}\n`);
      assert.equal((await configOf(person)).server.listen, "127.0.0.1:9000");
    }));

  it("takes the rights of others from a file of credentials that had them", () =>
    asPerson(async (person) => {
      if (process.platform === "win32") return;
      const file = person.write("project/sentinel.env", "OTHER=1\n");
      chmodSync(file, 0o644);
      person.writeClient("cursor", servers({ github: GITHUB }));
      await person.import(["--write"]);
      assert.equal(statSync(file).mode & 0o777, 0o600);
    }));

  it("a configuration that is a link stays one, with the rights it had", () =>
    asPerson(async (person) => {
      if (process.platform === "win32") return;
      const real = person.write("conf/real.toml", "version = 1\n");
      chmodSync(real, 0o640);
      symlinkSync(real, join(person.project, "sentinel.toml"));
      person.writeClient("cursor", servers({ github: GITHUB }));
      assert.equal((await person.import(["--write"])).code, 0);
      assert.match(person.read("conf/real.toml"), /backends\.github/);
      assert.equal(statSync(real).mode & 0o777, 0o640);
      assert.ok(person.exists("conf/sentinel.env"), "the credentials lie beside the real file");
    }));

  it("git leaves the credentials out, and is told once", () =>
    asPerson(async (person) => {
      mkdirSync(join(person.home, "project/.git"));
      person.write("project/.gitignore", "node_modules");
      person.writeClient("cursor", servers({ github: GITHUB }));
      const { out } = await person.import(["--write"]);
      assert.match(out, /^\.gitignore names it now/m);
      assert.equal(person.read("project/.gitignore"), "node_modules\nsentinel.env\n");
      renameSync(join(person.project, "sentinel.toml"), join(person.project, "old.toml"));
      person.write("project/sentinel.env", "");
      await person.import(["--write"]);
      assert.equal(person.read("project/.gitignore"), "node_modules\nsentinel.env\n");
    }));

  it("-c names another file, and its folder gets the credentials", () =>
    asPerson(async (person) => {
      mkdirSync(join(person.home, "project/conf"));
      person.writeClient("cursor", servers({ github: GITHUB }));
      const { code, out } = await person.import(["--write", "-c", "conf/team.toml"]);
      assert.equal(code, 0);
      assert.match(out, /rm conf\/team\.toml conf\/sentinel\.env/);
      assert.ok(person.exists("project/conf/sentinel.env"));
    }));

  it("a configuration with mistakes is left alone", () =>
    asPerson(async (person) => {
      person.writeClient("cursor", servers({ github: GITHUB }));
      const broken = ["[server\n", 'version = 1\n[server]\nlistn = "x"\n', "backends = {}\n"];
      for (const text of broken) {
        person.write("project/sentinel.toml", text);
        const { code, err } = await person.import(["--write"]);
        assert.equal(code, 3, text);
        assert.match(err, /--> sentinel\.toml:\d+:\d+/);
        assert.equal(person.read("project/sentinel.toml"), text);
        assert.equal(person.exists("project/sentinel.env"), false);
      }
    }));

  it("variables that change keys of the configuration do not leak into the check", () =>
    asPerson(async (person) => {
      person.writeClient("cursor", servers({ time: TIME }));
      const { code } = await person.import(["--write"], {
        env: { SENTINEL_SERVER_LISTEN: "nonsense" },
      });
      assert.equal(code, 0);
    }));

  it("says where it looked when there is nothing", () =>
    asPerson(async (person) => {
      const { code, out, err } = await person.import([]);
      assert.equal(code, 1);
      assert.equal(out, "");
      assert.match(err, /there are no servers to import\n.*looked for\n/);
      assert.match(err, /~\/\.cursor\/mcp\.json\n/);
    }));
});
