import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { allCommands } from "./command_tree.ts";
import { runCli } from "./fake_io.ts";

const page = async (...words: string[]) => {
  const { code, out, err } = await runCli(["man", ...words]);
  assert.equal(code, 0, err);
  return out;
};

/** Macros of man(7) that the page may use, and how many arguments each takes. */
const MACROS: Readonly<Record<string, readonly [number, number]>> = {
  TH: [5, 5],
  SH: [1, 9],
  SS: [1, 1],
  TP: [0, 0],
  B: [1, 99],
  RS: [0, 0],
  RE: [0, 0],
  br: [0, 0],
  nh: [0, 0],
};

describe("man", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "sentinel-man-"));
  });
  after(() => rm(folder, { recursive: true }));

  it("has every command with its arguments and options", async () => {
    const text = (await page()).replaceAll("\\-", "-");
    for (const { path, arguments: given, options, isRemote } of allCommands()) {
      assert.ok(text.includes(`.B mcp-sentinel ${path}`), path);
      for (const { name } of given) assert.ok(text.includes(`.B <${name}>`), `${path} ${name}`);
      const own = options.filter(({ group }) => !isRemote || group === undefined);
      for (const { flags } of own) assert.ok(text.includes(`.B ${flags}`), `${path} ${flags}`);
    }
  });

  it("is troff by our own checks: known macros, escaped hyphens, no request by accident", async () => {
    for (const line of (await page()).trimEnd().split("\n")) {
      if (line.startsWith('.\\"')) continue;
      assert.ok(!line.startsWith("'"), line);
      assert.match(line, /^[\x20-\x7e]*$/, "only ASCII is the same everywhere");
      assert.ok(!/(?<!\\)-/.test(line.replace(/^\.TH .*/, "")), `a bare hyphen: ${line}`);
      assert.match(line.replaceAll(/\\(e|-|&|\(dq|\(en|\(->)/g, ""), /^[^\\]*$/, line);
      const [, macro = "", rest = ""] = /^\.(\w+) ?(.*)$/.exec(line) ?? [];
      if (!line.startsWith(".")) continue;
      const [least, most] = MACROS[macro] ?? assert.fail(`unknown macro: ${line}`);
      const count = [...rest.matchAll(/"[^"]*"|\S+/g)].length;
      assert.ok(least <= count && count <= most, line);
    }
  });

  it("groff reads it without a word", async (t) => {
    for (const words of [[], ["backends", "show"]]) {
      const { error, status, stderr, stdout } = spawnSync(
        "groff",
        ["-man", "-Tutf8", "-ww", "-z"],
        { input: await page(...words), encoding: "utf8" },
      );
      if (error !== undefined) return t.skip("groff is not installed");
      assert.equal(`${stdout}${stderr}`, "");
      assert.equal(status, 0);
    }
  });

  it("is about one command, or suggests the one that was meant", async () => {
    const text = (await page("policy", "test")).replaceAll("\\-", "-");
    assert.match(text, /\.TH "MCP-SENTINEL-POLICY-TEST" 1/);
    assert.doesNotMatch(text, /mcp-sentinel shutdown/);
    const { code, err } = await runCli(["man", "polcy", "test"]);
    assert.equal(code, 2);
    assert.match(err, /did you mean policy test\?/);
  });

  it("--dir writes it where man looks, and says how to undo that", async () => {
    const { code, out } = await runCli(["man", "--dir", "share/man"], { cwd: folder });
    assert.equal(code, 0);
    const file = join(folder, "share/man/man1/mcp-sentinel.1");
    assert.equal(out, `wrote ${file}\n  undo: rm ${file}\n`);
    assert.equal(await readFile(file, "utf8"), await page());
    const failed = await runCli(["man", "--dir", "share/man/man1/mcp-sentinel.1/x"], {
      cwd: folder,
    });
    assert.equal(failed.code, 1);
  });
});

describe("info", () => {
  it("tells where files are, whether they are there, and no value of a variable", async () => {
    const env = { XDG_STATE_HOME: "/nonexistent/state", SENTINEL_TOKEN: "not to be told" };
    const { code, out } = await runCli(["info"], { env });
    assert.equal(code, 0);
    assert.match(out, /config +\/nonexistent\/sentinel\.toml {3}\(not there\)/);
    assert.match(out, /state +\/nonexistent\/state\/mcp-sentinel/);
    assert.match(out, /VARIABLES\n(.*\n)* {2}SENTINEL_TOKEN /);
    assert.ok(!out.includes("not to be told"));
    assert.match(out, /GATEWAYS ON THIS MACHINE\n {2}none\n/);
  });
});
