import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { EXIT } from "../../cli/exit.ts";
import { readSource } from "../arch/source_files.ts";
import { parse } from "../config/parsing.ts";
import { inFolder } from "../support/temporary_folder.ts";
import { understood } from "./command_lines.ts";

const NAME = "mcp-sentinel.service";
const UNIT = readSource(`deploy/systemd/${NAME}`);
/** What the service may do at most, of 100: `systemd-analyze security`. */
const EXPOSURE = 25;

/** Every value of a directive. */
function values(directive: string): readonly string[] {
  return [...UNIT.matchAll(new RegExp(`^${directive}=(.*)$`, "gm"))].map(([, value = ""]) => value);
}

describe("systemd unit", () => {
  it("starts the gateway with a command line it understands", async () => {
    const [start = ""] = values("ExecStart");
    const [program, ...words] = start.split(" ");
    assert.equal(program, "/usr/bin/mcp-sentinel");
    assert.equal(await understood(words), undefined);
  });

  it("knows the exit codes: a drain is a success, a wrong start is not tried again", () => {
    assert.deepEqual(values("SuccessExitStatus"), [String(EXIT.terminated)]);
    assert.deepEqual(values("RestartPreventExitStatus"), [
      [EXIT.usage, EXIT.badConfig, EXIT.unsafe].join(" "),
    ]);
    assert.deepEqual(values("Restart"), ["on-failure"]);
  });

  it("leaves time for the drain, and reloads by the signal the gateway takes", async () => {
    const { config } = await parse("version = 1\n");
    const [stop = ""] = values("TimeoutStopSec");
    assert.ok(Number(stop) * 1000 >= config.server.drain_timeout + 10_000);
    assert.deepEqual(values("ExecReload"), ["/bin/kill -HUP $MAINPID"]);
    // Children end in order, by the gateway; only what is left is killed.
    assert.deepEqual(values("KillMode"), ["mixed"]);
  });

  it("keeps what is kept where systemd makes it", () => {
    assert.deepEqual(values("StateDirectory"), ["mcp-sentinel"]);
    assert.ok(values("Environment").includes("XDG_STATE_HOME=%S"));
    assert.deepEqual(values("DynamicUser"), ["yes"]);
    // JavaScript is compiled while it runs.
    assert.deepEqual(values("MemoryDenyWriteExecute"), []);
  });

  it("is what systemd itself would take, and leaves little open", (t) => {
    if (spawnSync("systemd-analyze", ["--version"]).error !== undefined) {
      t.diagnostic("systemd is not installed: only the text was looked at");
      return;
    }
    return inFolder((folder) => {
      const file = join(folder, NAME);
      // Where the program is not installed, another one stands in for it.
      writeFileSync(file, UNIT.replace("/usr/bin/mcp-sentinel", "/bin/true"));
      const verified = analyze(["verify", file]);
      assert.deepEqual(verified, { status: 0, said: "" });
      const judged = analyze(["security", "--offline=yes", `--threshold=${EXPOSURE}`, file]);
      assert.equal(judged.status, 0, judged.said);
      assert.match(judged.said, /Overall exposure level/);
    });
  });
});

function analyze(args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync("systemd-analyze", ["--no-pager", ...args], {
    encoding: "utf8",
  });
  return { status, said: stdout + stderr };
}
