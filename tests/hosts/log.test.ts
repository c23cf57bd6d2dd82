import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createLog, type LogLevel } from "../../src/hosts/log.ts";

function setUp(level: LogLevel, format: "pretty" | "json") {
  const lines: string[] = [];
  const mask = (text: string) => text.replaceAll("hunter2", "«secret»");
  const log = createLog({
    level,
    format,
    mask,
    now: () => Date.UTC(2026, 0, 2, 3, 4, 5, 6),
    sink: (line) => lines.push(line),
  });
  return { log, lines };
}

const HOSTILE = 'a\r\nb\u001b[2J\u2028" } \u0000';

describe("createLog", () => {
  it("writes one JSON object a line, whatever the fields contain (T07)", () => {
    const { log, lines } = setUp("debug", "json");
    log.write("backend.failed", { backend: HOSTILE, missing: undefined });
    assert.equal(lines.length, 1);
    const [line = ""] = lines;
    // deno-lint-ignore no-control-regex -- finding control characters is the point
    assert.doesNotMatch(line.slice(0, -1), /[\u0000-\u001f\u007f-\u009f\u2028]/);
    const entry = JSON.parse(line) as Record<string, unknown>;
    assert.deepEqual([entry["ts"], entry["level"], entry["event"], entry["backend"]], [
      "2026-01-02T03:04:05.006Z",
      "error",
      "backend.failed",
      HOSTILE,
    ]);
  });

  it("is readable on a terminal and cannot move its cursor", () => {
    const { log, lines } = setUp("info", "pretty");
    log.write("backend.ready", { backend: "exa", note: HOSTILE });
    assert.match(lines[0] ?? "", /^03:04:05 INFO {2}backend\.ready backend=exa note=/);
    assert.ok(!lines[0]?.includes("\u001b"));
    assert.equal(lines[0]?.split("\n").length, 2);
  });

  it("leaves out what is below the level and masks secrets", () => {
    const { log, lines } = setUp("warn", "json");
    log.write("session.opened");
    log.write("gateway.started");
    log.write("backend.failed", { reason: "password hunter2 is wrong" });
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? "", /«secret»/);
    assert.doesNotMatch(lines[0] ?? "", /hunter2/);
  });

  it("writes from another level on as soon as it is set", () => {
    const { log, lines } = setUp("error", "json");
    log.write("session.opened");
    log.setLevel("debug");
    assert.equal(log.level, "debug");
    log.write("session.opened");
    log.setLevel("warn");
    log.write("gateway.started");
    assert.deepEqual(lines.map((line) => JSON.parse(line).event), ["session.opened"]);
  });
});
