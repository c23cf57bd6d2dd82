import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { buildCli } from "../../.ci/build/bundles.ts";
import { prepare } from "../../.ci/build/prepare.ts";
import type { Prepared } from "../../cli/prepared.ts";
import { quickAnswer } from "../../cli/quick.ts";
import { importsOf, parse } from "../arch/scan.ts";
import { readSource } from "../arch/source_files.ts";
import { runCli } from "../cli/fake_io.ts";
import { commandOf, executable } from "../support/runtime.ts";

const run = promisify(execFile);
const RUNS = [["node", []], ["deno", ["run", "-A", "--no-config"]], ["bun", []]] as const;

describe("answers that are prepared", () => {
  let prepared: Prepared;
  const quickly = (argv: readonly string[], columns?: number) =>
    quickAnswer({ argv, columns: () => columns }, prepared);
  before(async () => {
    prepared = await prepare();
  });

  it("help is the program's own at every width", async () => {
    for (let width = 20; width <= 200; width += 3) {
      const { out } = await runCli(["--help"], { columns: width });
      assert.equal(quickly(["--help"], width), out, `${width} columns`);
    }
    const { out } = await runCli(["-h"]);
    assert.equal(quickly(["-h"]), out);
  });

  for (
    const line of [[], [""], ["st"], ["tools", ""], ["tools", "s"], ["nothing"], ["nothing", ""]]
  ) {
    it(`completion of "${line.join(" ")}" is the program's own`, async () => {
      const argv = ["complete", "--", ...line];
      const { command, args } = commandOf("cli/main.ts", argv);
      const { stdout } = await run(command, args);
      assert.equal(quickly(argv), stdout);
    });
  }

  it("what needs the program is left to it", () => {
    const lines = [
      [],
      ["status"],
      ["tools", "--help"],
      ["--help", "tools"],
      ["complete"],
      ["complete", "st"],
      ["complete", "--", "--pro"],
      ["complete", "--", "status", "--filter", "x"],
      ["complete", "--", "tools", "show", "x"],
      ["complete", "--", "", "x"],
      ["complete", "--", "a=b"],
    ];
    for (const argv of lines) {
      assert.equal(quickly(argv), undefined, argv.join(" "));
    }
  });
});

describe("start of the bundle", () => {
  let folder: string;
  let file: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "sentinel-quick-"));
    file = join(folder, "mcp-sentinel.js");
    await buildCli(folder);
    await rm(join(folder, "parts"), { recursive: true });
  });
  after(() => rm(folder, { recursive: true }));

  it("imports no builtin before it knows what is asked", () => {
    for (const source of ["cli/main.ts", "cli/quick.ts", "cli/quick_host.ts", "cli/prepared.ts"]) {
      const loaded = importsOf(parse(source, readSource(source)).program)
        .filter(({ kind, specifier }) => kind === "value" && specifier?.startsWith(".") !== true);
      assert.deepEqual(loaded, [], source);
    }
  });

  for (const [runtime, args] of RUNS) {
    it(`answers on ${runtime} without anything else of the program`, async () => {
      const command = executable(runtime);
      const help = await run(command, [...args, file, "--help"]);
      assert.equal(help.stdout, (await runCli(["--help"])).out);
      const offered = await run(command, [...args, file, "complete", "--", "st"]);
      assert.match(offered.stdout, /^status\t/m);
    });

    it(`a reader that has gone is no error on ${runtime}`, async () => {
      const child = spawn(executable(runtime), [...args, file, "--help"], { stdio: "pipe" });
      child.stdout.destroy();
      let complaint = "";
      child.stderr.setEncoding("utf8").on("data", (text: string) => void (complaint += text));
      const [code] = await once(child, "close");
      assert.deepEqual([code, complaint], [0, ""]);
    });
  }
});
