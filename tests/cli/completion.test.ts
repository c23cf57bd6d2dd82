import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { spawnSync } from "node:child_process";
import { after, before, describe, it } from "node:test";
import { valuesFor } from "../../cli/completion_values.ts";
import { CLIENTS } from "../../cli/clients/clients.ts";
import { commandOf } from "../support/runtime.ts";

describe("completion", () => {
  let home: string;
  before(async () => {
    home = await mkdtemp(join(tmpdir(), "sentinel-completion-"));
    const folder = join(home, ".config/mcp-sentinel");
    await mkdir(folder, { recursive: true });
    const names = ["team", "\\u001b[2J", "a b", "$(touch x)"];
    const profiles = names.map((name) => `[profiles."${name}"]\nurl = "http://127.0.0.1:1"\n`);
    await writeFile(join(folder, "profiles.toml"), profiles.join(""), { mode: 0o600 });
  });
  after(() => rm(home, { recursive: true }));

  const offered = async (...words: string[]) => {
    const found = await valuesFor(words, { env: { HOME: home } });
    return found.flatMap(({ values }) => values);
  };

  it("offers what this machine knows, where a command asks for it", async () => {
    assert.deepEqual(await offered("status", "-p", ""), ["team"]);
    assert.deepEqual(await offered("status", "--profile", "te"), ["team"]);
    assert.deepEqual(await offered("profile", "use", ""), ["team"]);
    assert.deepEqual(await offered("connect", ""), Object.keys(CLIENTS));
    assert.ok((await offered("config", "explain", "")).includes("backends.timeout"));
    assert.ok((await offered("schema", "")).includes("status"));
    assert.deepEqual(await offered("status", ""), []);
  });

  it("says nothing when it cannot know", async () => {
    assert.deepEqual(await valuesFor(["profile", "use", ""], { env: { HOME: "/nonexistent" } }), [
      { command: "profile use", place: "name", values: [] },
    ]);
  });

  it("the program offers them to the shell, and global options everywhere", () => {
    const complete = (...words: string[]) => {
      const { command, args } = commandOf("cli/main.ts", ["complete", "--", ...words]);
      const env = { PATH: process.env["PATH"], HOME: home };
      return spawnSync(command, args, { encoding: "utf8", env }).stdout.split("\n")
        .map((line) => line.split("\t")[0]);
    };
    assert.ok(complete("status", "-p", "").includes("team"));
    assert.ok(complete("profile", "use", "t").includes("team"));
    assert.ok(complete("status", "--prof").includes("--profile"));
    assert.ok(complete("tools", "").includes("call"));
  });

  it("the script for PowerShell registers a completer and is balanced", () => {
    const { command, args } = commandOf("cli/main.ts", ["completion", "powershell"]);
    const { stdout } = spawnSync(command, args, { encoding: "utf8" });
    assert.match(stdout, /Register-ArgumentCompleter -CommandName 'mcp-sentinel' -ScriptBlock/);
    assert.deepEqual(openBrackets(stdout), []);
  });
});

const CLOSING: Readonly<Record<string, string>> = { "}": "{", ")": "(", "]": "[" };

/** Brackets of a PowerShell script that nothing closes, or that close nothing: none in a good one. */
function openBrackets(script: string): string[] {
  const open: string[] = [];
  for (const [token] of script.matchAll(/"(?:`.|[^"`])*"|'[^']*'|#.*$|[{}()[\]]/gm)) {
    const opening = CLOSING[token];
    if (opening !== undefined && open.at(-1) === opening) open.pop();
    else if (/^[{}()[\]]$/.test(token)) open.push(token);
  }
  return open;
}
