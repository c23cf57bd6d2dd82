import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { build } from "esbuild";
import { buildCli, buildCore } from "../../.ci/build/bundles.ts";
import { startEchoServer } from "../support/echo_server.ts";
import { proves } from "../support/proves.ts";
import { executable, REPOSITORY } from "../support/runtime.ts";

const run = promisify(execFile);

describe("bundles", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "sentinel-build-"));
  });
  after(() => rm(folder, { recursive: true }));

  proves(
    "G1.1",
    "build makes the CLI a file with its parts, without warnings, that runs on all three runtimes",
    async () => {
      const file = join(folder, "mcp-sentinel.js");
      assert.deepEqual(await buildCli(folder), []);
      for (const [runtime, args] of [["node", []], ["deno", ["run", "-A"]], ["bun", []]] as const) {
        const { stdout } = await run(executable(runtime), [...args, file, "version", "--json"], {
          cwd: folder,
        });
        assert.match(stdout, /0\.\d+\.\d+/, runtime);
      }
    },
  );

  proves("X2", "the core alone has no builtin and generates no code", async () => {
    const file = join(folder, "core.js");
    assert.deepEqual(await buildCore(file), []);
    const text = await readFile(file, "utf8");
    for (
      const forbidden of [
        /\bnode:/,
        /\beval\s*\(/,
        /\bnew Function\b/,
        /\brequire\(/,
        /\bprocess\.[a-z]/,
        /\bBuffer\b/,
      ]
    ) {
      // Not `doesNotMatch`: it would print the whole bundle.
      assert.ok(!forbidden.test(text), String(forbidden));
    }
  });

  it("the core answers a call in an isolate that may only use the network", async () => {
    const file = join(folder, "isolate.js");
    await build({
      entryPoints: [join(REPOSITORY, "tests/fixtures/isolate.ts")],
      outfile: file,
      bundle: true,
      format: "esm",
      platform: "neutral",
      mainFields: ["module", "main"],
      logLevel: "silent",
    });
    const server = await startEchoServer();
    try {
      const args = ["run", "--no-prompt", "--no-config", "--allow-net=127.0.0.1", file, server.url];
      const { stdout } = await run(executable("deno"), args, { cwd: folder });
      assert.deepEqual(JSON.parse(stdout), { content: [{ type: "text", text: "out of the box" }] });
    } finally {
      await server.close();
    }
  });
});
