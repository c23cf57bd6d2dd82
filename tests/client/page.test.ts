import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { text } from "node:stream/consumers";
import { describe, it } from "node:test";
import { FAILURES } from "../../src/client/mod.ts";
import { readSource } from "../arch/source_files.ts";
import { startEchoServer } from "../support/echo_server.ts";
import { startManagement, TOKENS } from "../support/management.ts";
import { commandOf, REPOSITORY } from "../support/runtime.ts";

const PAGE = "docs/management_client.md";
const EXAMPLE = "tests/fixtures/management_example.ts";

async function runExample(url: string, token: string) {
  const { command, args } = commandOf(EXAMPLE);
  const env = { ...process.env, SENTINEL_URL: url, SENTINEL_TOKEN: token };
  const child = spawn(command, args, { cwd: REPOSITORY, env, stdio: ["ignore", "pipe", "pipe"] });
  const [out, err, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "exit"),
  ]);
  return { out, err, code: code as number | null };
}

describe("the page about the management client", () => {
  it("shows the example as it is run", () => {
    const [, shown] = /^```ts\n([^]*?)^```$/m.exec(readSource(PAGE)) ?? [];
    assert.equal(
      shown,
      readSource(EXAMPLE).replace("../../src/client/mod.ts", "mcp-sentinel/client"),
    );
    const { exports } = JSON.parse(readSource("package.json"));
    assert.equal(exports["./client"], "./src/client/mod.ts");
  });

  it("explains every kind of failure", () => {
    for (const kind of Object.keys(FAILURES)) {
      assert.match(readSource(PAGE), new RegExp(`^\\| \`${kind}\``, "m"));
    }
  });

  it("has an example that works, and that says what is refused", async () => {
    const echo = await startEchoServer();
    const management = await startManagement({
      config: { backends: { notes: { url: echo.url } } },
    });
    try {
      const url = (await management.listen()).origin;
      await management.gateway.core.control.reconnect("notes", { actor: { name: "test" } });
      const { out, err, code } = await runExample(url, TOKENS.admin);
      assert.equal(err, "");
      assert.deepEqual(out.trimEnd().split("\n"), [
        "notes offers 1 tools",
        "applied: 0 tools",
        "kill.set: INC-7: deletes too much",
      ]);
      assert.equal(code, 0);
      const refused = await runExample(url, TOKENS.read);
      assert.match(refused.err, /^forbidden: /);
      assert.equal(refused.code, 1);
    } finally {
      await management.stop();
      await echo.close();
    }
  });
});
