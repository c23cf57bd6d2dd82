import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ConfigError } from "../../src/config/issue.ts";
import { openGateway } from "../../src/hosts/embedded.ts";
import { readSource } from "../arch/source_files.ts";
import { startEchoServer } from "../support/echo_server.ts";
import { HttpSession } from "../support/http_session.ts";
import { proves } from "../support/proves.ts";
import { runExample } from "../support/run_example.ts";

const PAGE = "docs/embedding.md";
const EXAMPLE = "tests/fixtures/embedding_example.ts";

describe("a gateway inside another program", () => {
  it("is shown on its page as it is run", () => {
    const [, shown] = /^```ts\n([^]*?)^```$/m.exec(readSource(PAGE)) ?? [];
    const example = readSource(EXAMPLE).replace("../../src/hosts/embedded.ts", "mcp-sentinel")
      .replaceAll(/^\/\/ @ts-types.*\n/gm, "");
    assert.equal(shown, example);
    const { exports } = JSON.parse(readSource("package.json"));
    assert.equal(exports["."], "./src/hosts/embedded.ts");
  });

  proves(
    "U8",
    "answers a client without a port, asks interceptors, and lets the program end",
    async () => {
      const echo = await startEchoServer();
      try {
        const { out, err, code } = await runExample(EXAMPLE, { NOTES_URL: echo.url });
        assert.equal(code, 0, err);
        const [tools, answer, refusal] = out.trim().split("\n");
        assert.equal(tools, "notes__echo");
        assert.equal(answer, '[{"type":"text","text":"hello"}]');
        assert.match(refusal ?? "", /this is not for servers/);
      } finally {
        await echo.close();
      }
    },
  );

  proves("U8", "says everything that is wrong with its configuration", async () => {
    const config = 'version = 1\n[backends.a]\n[server]\npth = "/mcp"\n';
    const opening = openGateway({ config, env: {} });
    await assert.rejects(opening, ({ issues }: ConfigError) => {
      assert.deepEqual(issues.map(({ file }) => file), issues.map(() => "embedded configuration"));
      const paths = issues.map(({ path }) => path);
      assert.deepEqual(paths.toSorted(), ["backends.a", "server.pth"]);
      return true;
    });
  });

  it("runs beside others in one program, each with its own catalog", async () => {
    const echo = await startEchoServer();
    const config = (name: string) => `version = 1\n[backends.${name}]\nurl = "${echo.url}"\n`;
    const [one, two] = await Promise.all(
      ["one", "two"].map((name) => openGateway({ config: config(name), env: {} })),
    ) as [Awaited<ReturnType<typeof openGateway>>, Awaited<ReturnType<typeof openGateway>>];
    try {
      for (const [name, gateway] of Object.entries({ one, two })) {
        const session = await HttpSession.open(gateway.fetch);
        const { result } = await session.request("tools/list");
        assert.deepEqual(result.tools.map((tool: { name: string }) => tool.name), [
          `${name}__echo`,
        ]);
      }
      assert.equal(one.url, undefined);
      await one.stop();
      assert.ok("result" in (await HttpSession.open(two.fetch)).initialized);
    } finally {
      await Promise.all([one.stop(), two.stop()]);
      await echo.close();
    }
  });
});
