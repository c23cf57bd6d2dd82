import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { FIXTURES } from "../config/fixture.ts";
import { RunningProgram } from "../support/running_program.ts";
import { proves } from "../support/proves.ts";
import { commandOf } from "../support/runtime.ts";

const INITIALIZE = {
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: {
    protocolVersion: "2025-06-18",
    capabilities: {},
    clientInfo: { name: "test", version: "1" },
  },
};

interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface RunOptions {
  readonly input?: string;
  /** Closes our end of stdout after its first bytes. */
  readonly closeEarly?: boolean;
}

/** Runs the real program on the runtime of this test, to its end. */
async function sentinel(argv: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const { command, args } = commandOf("cli/main.ts", argv);
  const child = spawn(command, args, { stdio: "pipe", env: environment() });
  const seen = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    seen.stdout += text;
    if (options.closeEarly) child.stdout.destroy();
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => void (seen.stderr += text));
  child.stdin.end(options.input ?? "");
  const [code] = await once(child, "close") as [number | null];
  return { code, ...seen };
}

function environment(): NodeJS.ProcessEnv {
  const { PATH } = process.env;
  return { PATH, HOME: folder, NO_COLOR: "1" };
}

let folder = "";

describe("mcp-sentinel as a process", () => {
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "sentinel-process-"));
    await writeFile(
      join(folder, "good.toml"),
      '[server]\nlisten = "127.0.0.1:0"\n[management]\nlisten = "127.0.0.1:0"\n',
    );
  });
  after(() => rm(folder, { recursive: true }));

  const good = () => join(folder, "good.toml");

  for (const name of ["unknown_key", "syntax_missing_value", "secret_of_issuer"]) {
    proves("G1.2", `validate ${name}.toml ends with 3 and shows place and hint`, async () => {
      const { code, stdout, stderr } = await sentinel(["validate", `${FIXTURES}${name}.toml`]);
      assert.equal(code, 3);
      assert.equal(stdout, "");
      assert.match(stderr, /^error: .*\n {2}--> .*\.toml:\d+:\d+.*\n +\|\n *\d+ \| .*\n +\| .*\^/);
    });
  }

  proves("G1.2", "server without a file ends with 3", async () => {
    const { code, stderr } = await sentinel(["server", "-c", join(folder, "missing.toml")]);
    assert.equal(code, 3);
    assert.match(stderr, /no such file/);
  });

  it("server on every interface ends with 78 before anything is served", async () => {
    const { code, stdout } = await sentinel(["server", "-c", good(), "--listen", "0.0.0.0:0"]);
    assert.equal(code, 78);
    assert.equal(stdout, "");
  });

  it("a reader that goes away early is no error", async () => {
    const { code, stderr } = await sentinel(["config", "schema"], { closeEarly: true });
    assert.equal(code, 0);
    assert.equal(stderr, "");
  });

  it("prints all of a long result into a pipe", async () => {
    const { stdout } = await sentinel(["config", "schema"]);
    assert.equal(JSON.parse(stdout).title, "MCP Sentinel configuration");
  });

  it("server answers until it is interrupted, drains and ends with 130", async () => {
    const program = new RunningProgram(
      commandOf("cli/main.ts", ["server", "-c", good(), "--json"]),
      environment(),
    );
    try {
      const [, url = ""] = await program.printed(/"url": "(http:\/\/127\.0\.0\.1:\d+\/mcp)"/);
      const response = await fetch(url, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          accept: "application/json, text/event-stream",
        },
        body: JSON.stringify(INITIALIZE),
      });
      assert.equal(response.status, 200, await response.text());
      process.kill(program.pid, "SIGINT");
      assert.deepEqual(await program.exited, { code: 130 });
    } finally {
      await program.kill();
    }
  });

  it("server ends with 143 after a termination", async () => {
    const program = new RunningProgram(
      commandOf("cli/main.ts", ["server", "-c", good(), "--json"]),
      environment(),
    );
    try {
      await program.printed(/"url": "http/);
      assert.deepEqual(await program.stop(), { code: 143 });
    } finally {
      await program.kill();
    }
  });

  it("stdio writes nothing but messages to stdout and ends with its client", async () => {
    const input = `${JSON.stringify(INITIALIZE)}\nthis is no message\n`;
    const { code, stdout, stderr } = await sentinel(["stdio", "-v", "-c", good()], { input });
    assert.equal(code, 0, stderr);
    const messages = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
    assert.equal(messages[0].result.protocolVersion, "2025-06-18");
    assert.ok(messages.every(({ jsonrpc }) => jsonrpc === "2.0"));
    for (const line of stderr.trimEnd().split("\n")) assert.ok(JSON.parse(line).event, line);
  });

  it("stdio keeps stdout empty when it cannot start", async () => {
    const { code, stdout } = await sentinel(["stdio", "-c", join(folder, "missing.toml")]);
    assert.equal(code, 3);
    assert.equal(stdout, "");
  });

  for (const shell of ["bash", "zsh", "fish", "powershell"]) {
    it(`completion ${shell} prints a script that calls us`, async () => {
      const { code, stdout } = await sentinel(["completion", shell]);
      assert.equal(code, 0);
      assert.match(stdout, /mcp-sentinel complete/);
    });
  }

  for (
    const [shell, option] of [["bash", "-n"], ["zsh", "-n"], ["fish", "--no-execute"]] as const
  ) {
    it(`the script for ${shell} is one that ${shell} can read`, async (t) => {
      const { stdout } = await sentinel(["completion", shell]);
      const script = join(folder, `completion.${shell}`);
      await writeFile(script, stdout);
      const { status, error, stderr } = spawnSync(shell, [option, script], { encoding: "utf8" });
      if (error !== undefined) return t.skip(`${shell} is not installed`);
      assert.equal(status, 0, stderr);
    });
  }

  it("complete offers commands, options and values", async () => {
    const offered = async (...words: string[]) =>
      (await sentinel(["complete", "--", ...words])).stdout.split("\n").map((line) =>
        line.split("\t")[0]
      );
    assert.ok((await offered("va")).includes("validate"));
    assert.deepEqual((await offered("config", "")).slice(0, 4), [
      "show",
      "path",
      "explain",
      "schema",
    ]);
    assert.ok((await offered("validate", "--fo")).includes("--format"));
    assert.ok((await offered("validate", "--format", "")).includes("github"));
  });
});
