import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { build } from "esbuild";
import { buildCli, buildCore } from "../../.ci/build/bundles.ts";
import { startEchoServer } from "../support/echo_server.ts";
import { HttpSession, overHttp } from "../support/http_session.ts";
import { proves } from "../support/proves.ts";
import { RunningProgram } from "../support/running_program.ts";
import { executable, REPOSITORY } from "../support/runtime.ts";

const run = promisify(execFile);
const RUNS = [["node", []], ["deno", ["run", "-A"]], ["bun", []]] as const;

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
      for (const [runtime, args] of RUNS) {
        const { stdout } = await run(executable(runtime), [...args, file, "version", "--json"], {
          cwd: folder,
        });
        assert.match(stdout, /0\.\d+\.\d+/, runtime);
      }
    },
  );

  it("the built gateway checks, forwards and answers calls on all three runtimes", async () => {
    const echo = await startEchoServer();
    await buildCli(folder);
    const config = join(folder, "sentinel.toml");
    const listen = 'listen = "127.0.0.1:0"\n';
    await writeFile(
      config,
      `[server]\n${listen}[management]\n${listen}[backends.echo]\nurl = "${echo.url}"\n`,
    );
    const server = ["server", "--config", config, "--json"];
    const env = { ...process.env, XDG_STATE_HOME: folder };
    for (const [runtime, args] of RUNS) {
      const command = executable(runtime);
      const file = join(folder, "mcp-sentinel.js");
      const program = new RunningProgram({ command, args: [...args, file, ...server] }, env);
      try {
        const [, url = ""] = await program.printed(/"url":\s*"(http:[^"]+)"/);
        const session = await HttpSession.open(overHttp(url));
        // More calls than are checked before the compiler of schemas is loaded.
        for (let call = 1; call <= 8; call++) {
          const { result } = await session.call("echo__echo", { text: `call ${call}` });
          assert.equal(result?.content[0].text, `call ${call}`, runtime);
        }
      } finally {
        await program.stop();
      }
    }
    await echo.close();
  });

  proves("X2", "the core alone has no builtin and generates no code", async () => {
    const file = join(folder, "core.js");
    assert.deepEqual(await buildCore(file), []);
    const text = await readFile(file, "utf8");
    for (
      const forbidden of [
        /["']node:/,
        // No look for Buffer: cel-js asks whether there is one, and our own layers are not allowed it.
        // A method of that name (the regular expressions have one) generates nothing.
        /(?<![.\w}])eval\s*\((?!\w,\w\)\{)/,
        /\bnew Function\b/,
        /\brequire\(/,
        /\bprocess\.[a-z]/,
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
