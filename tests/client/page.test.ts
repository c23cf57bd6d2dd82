import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FAILURES } from "../../src/client/mod.ts";
import { readSource } from "../arch/source_files.ts";
import { startEchoServer } from "../support/echo_server.ts";
import { startManagement, TOKENS } from "../support/management.ts";
import { runExample } from "../support/run_example.ts";

const PAGE = "docs/management_client.md";
const EXAMPLE = "tests/fixtures/management_example.ts";

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
      const { out, err, code } = await runExample(EXAMPLE, {
        SENTINEL_URL: url,
        SENTINEL_TOKEN: TOKENS.admin,
      });
      assert.equal(err, "");
      assert.deepEqual(out.trimEnd().split("\n"), [
        "notes offers 1 tools",
        "applied: 0 tools",
        "kill.set: INC-7: deletes too much",
      ]);
      assert.equal(code, 0);
      const refused = await runExample(EXAMPLE, { SENTINEL_URL: url, SENTINEL_TOKEN: TOKENS.read });
      assert.match(refused.err, /^forbidden: /);
      assert.equal(refused.code, 1);
    } finally {
      await management.stop();
      await echo.close();
    }
  });
});
