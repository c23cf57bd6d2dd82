import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { approvals, owners } from "../../fixtures/interceptor_example.ts";
import { fixtureBackend, startCore } from "../../support/core.ts";
import { HttpSession } from "../../support/http_session.ts";
import { proves } from "../../support/proves.ts";
import { REPOSITORY } from "../../support/runtime.ts";

describe("the example of docs/rules.md", () => {
  it("is the file that is tested here", () => {
    const page = readFileSync(join(REPOSITORY, "docs/rules.md"), "utf8");
    const file = readFileSync(join(REPOSITORY, "tests/fixtures/interceptor_example.ts"), "utf8");
    const shown = file.replace("../../src/core/mod.ts", "mcp-sentinel");
    assert.ok(page.includes(`\`\`\`ts\n${shown}\`\`\``), "docs/rules.md shows another file");
  });

  proves("U2", "hides tools of others and changes arguments", async () => {
    const tools = ["anonymous_notes", "anna_notes", "free"];
    const backend = fixtureBackend({
      args: [join(REPOSITORY, "tests/fixtures/typed_backend.mjs")],
      env: { TOOLS: JSON.stringify(tools.map((name) => ({ name, inputSchema: {} }))) },
    });
    const asked: string[] = [];
    const isApproved = (subject: string) => {
      asked.push(subject);
      return Promise.resolve(asked.length < 2);
    };
    const core = await startCore(
      { backends: { one: backend }, catalog: { prefix: "always", validate_arguments: false } },
      { interceptors: [owners, approvals(isApproved)] },
    );
    try {
      const session = await HttpSession.open(core.core.fetch);
      const { result } = await session.request("tools/list");
      assert.deepEqual(result.tools.map(({ name }: { name: string }) => name), [
        "one__anonymous_notes",
        "one__free",
      ]);
      const answer = await session.call("one__free", { a: 1 });
      assert.equal(answer["result"].content[0].text, '{"a":1,"caller":"anonymous"}');
      const refused = await session.call("one__free", { a: 1 });
      assert.equal(refused["error"].data.reason, "nobody has approved it");
      assert.deepEqual(asked, ["anonymous", "anonymous"]);
    } finally {
      await core.stop();
    }
  });
});
