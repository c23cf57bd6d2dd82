import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { gatewayFolder } from "../../src/hosts/state_folder.ts";
import { callRow, chained, storeWith } from "../manage/audit_store.ts";
import { commandOf } from "../support/runtime.ts";
import { inFolder } from "../support/temporary_folder.ts";

const ROWS = 3000;

describe("long output of the command line", () => {
  it("reaches a reader that is slow as a whole, before the program ends", () =>
    inFolder(async (folder) => {
      const file = join(folder, "sentinel.toml");
      writeFileSync(file, "version = 1\n", { mode: 0o600 });
      const rows = Array.from(
        { length: ROWS },
        (_, index) => callRow(index + 1, { arguments: { text: "x".repeat(500) } }),
      );
      const state = join(folder, "mcp-sentinel");
      const { sink } = await storeWith(gatewayFolder(state, { source: file }), chained(rows));
      await sink.close();

      const { command, args } = commandOf("cli/main.ts", ["audit", "export", "--config", file]);
      const env = { ...process.env, XDG_STATE_HOME: folder, XDG_CONFIG_HOME: folder };
      const program = spawn(command, args, { env, stdio: ["ignore", "pipe", "inherit"] });
      let lines = 0;
      program.stdout.on("data", (chunk: Uint8Array) => {
        lines += chunk.filter((byte) => byte === 0x0a).length;
        // As slow as a reader that does something with each piece.
        program.stdout.pause();
        setTimeout(() => program.stdout.resume(), 2);
      });
      await once(program, "close");
      assert.equal(lines, ROWS);
    }));
});
