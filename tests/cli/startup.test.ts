import assert from "node:assert/strict";
import { posix } from "node:path";
import { describe, it } from "node:test";
import { importsOf, parse } from "../arch/scan.ts";
import { readSource } from "../arch/source_files.ts";

/** Everything that is loaded before a command runs: files, and packages by name. */
function loadedBy(entry: string, seen = new Set<string>()): Set<string> {
  if (seen.has(entry)) return seen;
  seen.add(entry);
  if (!entry.endsWith(".ts")) return seen;
  for (const { specifier = "", kind } of importsOf(parse(entry, readSource(entry)).program)) {
    if (kind !== "value") continue;
    const isFile = specifier.startsWith(".");
    loadedBy(isFile ? posix.join(posix.dirname(entry), specifier) : specifier, seen);
  }
  return seen;
}

describe("start of the command line", () => {
  it("loads the tree of commands and nothing of what they do", () => {
    const loaded = [...loadedBy("cli/command_line.ts")].filter((name) => !name.startsWith("node:"))
      .sort();
    assert.deepEqual(loaded, [
      "@commander-js/extra-typings",
      "cli/clients/clients.ts",
      "cli/command_line.ts",
      "cli/exit.ts",
      "cli/io.ts",
      "cli/output.ts",
      "cli/program.ts",
      "cli/program/acting.ts",
      "cli/program/asking.ts",
      "cli/program/calls.ts",
      "cli/program/connecting.ts",
      "cli/program/diagnosing.ts",
      "cli/program/importing.ts",
      "cli/program/local.ts",
      "cli/program/options.ts",
      "cli/program/profile.ts",
      "cli/program/reach.ts",
      "cli/program/recording.ts",
      "cli/program/root.ts",
      "cli/program/running.ts",
      "cli/program/watching.ts",
      "cli/run.ts",
      "cli/text.ts",
      "cli/version.ts",
      "package.json",
    ]);
  });

  it("loads the gateway only to start one", () => {
    const commands = [
      "validate",
      "init",
      "config_show",
      "config_path",
      "config_explain",
      "version",
      "status",
      "backends",
      "tools",
      "events",
      "sessions",
      "limits",
      "kill",
      "reload",
      "shutdown",
      "profile",
      "audit",
      "audit_tail",
      "audit_export",
      "audit_verify",
      "token",
      "policy",
      "auth",
      "calls",
      "tools_call",
      "info",
      "man",
      "schema",
      "completion",
    ];
    for (const command of [...commands, "up", "server", "stdio"]) {
      const loaded = [...loadedBy(`cli/commands/${command}.ts`)];
      const heavy = loaded.filter((name) => /^src\/(hosts|core)\/|undici|hono|sdk|jose/.test(name));
      assert.deepEqual(heavy, [], command);
    }
  });

  it("loads the second TOML parser only to show an error", () => {
    assert.equal(loadedBy("cli/commands/server.ts").has("toml-eslint-parser"), false);
    assert.equal(loadedBy("src/config/positions.ts").has("toml-eslint-parser"), true);
  });
});
