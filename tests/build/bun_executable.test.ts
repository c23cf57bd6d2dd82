import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { compileBun } from "../../.ci/build/executables.ts";
import { BuildError } from "../../.ci/build/tool.ts";
import { type RunningServer, startEchoServer } from "../support/echo_server.ts";
import { REPOSITORY } from "../support/runtime.ts";
import { exerciseGateway, exerciseStdio, exerciseStores } from "./exercises.ts";
import { type Form, Place } from "./place.ts";

const run = promisify(execFile);

describe("executable made with Bun", () => {
  let folder: string;
  let echo: RunningServer;
  let command: string;
  const form: Form = (args) => ({ command, args });

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "sentinel-executable-"));
    echo = await startEchoServer();
    command = await compileBun({ outfile: join(folder, "mcp-sentinel") });
  });
  after(async () => {
    await echo.close();
    await rm(folder, { recursive: true });
  });

  it("shows its version, its help, and what is wrong with a file", () =>
    Place.with(form, async (place) => {
      assert.match((await place.run("--version")).stdout, /^\d+\.\d+\.\d+\n$/);
      const help = await place.run("--help");
      assert.equal(help.code, 0, help.stderr);
      assert.match(help.stdout, /^Usage: mcp-sentinel/);
      const config = await place.configure({ backends: { web: { url: echo.url } } });
      assert.equal((await place.run("validate", config)).code, 0);
      await writeFile(config, "[server]\nlisten = 12\n");
      const invalid = await place.run("validate", config);
      assert.equal(invalid.code, 3);
      assert.match(invalid.stderr, /sentinel\.toml:2:10/);
    }));

  it("serves HTTP and stdio backends, obeys its operator, drains and has recorded all of it", () =>
    Place.with(form, (place) => exerciseGateway(place, echo.url)));

  it("serves a client on stdin and stdout", () => Place.with(form, exerciseStdio));

  it("holds the drivers of stores and the language of rules", () =>
    Place.with(form, (place) => exerciseStores(place, echo.url)));

  it("takes no variables from a file of the folder it is started in", () =>
    Place.with(form, async (place) => {
      await writeFile(join(place.folder, ".env"), "TOKEN=from-the-folder\n");
      const config = await place.configure({
        backends: { web: { url: echo.url, headers: { authorization: "${env:TOKEN}" } } },
      });
      const { code, stderr } = await place.run("validate", config);
      assert.equal(code, 3);
      assert.match(stderr, /TOKEN/);
    }));

  it("knows that it needs nothing else to be started again", async () => {
    const entry = join(REPOSITORY, "tests/fixtures/self_program.ts");
    const file = await compileBun({ outfile: join(folder, "self"), entry });
    const { stdout } = await run(file, ["a", "b"], { cwd: tmpdir() });
    assert.deepEqual(JSON.parse(stdout), { command: file, args: [], argv: ["a", "b"] });
  });

  it("a build that fails says what Bun said", async () => {
    const entry = join(folder, "broken.ts");
    await writeFile(entry, 'import "./missing.ts";\n');
    await assert.rejects(compileBun({ outfile: join(folder, "broken"), entry }), (thrown) => {
      assert.ok(thrown instanceof BuildError);
      assert.match(thrown.message, /^Cannot compile with Bun: .*missing\.ts/s);
      return true;
    });
  });
});
