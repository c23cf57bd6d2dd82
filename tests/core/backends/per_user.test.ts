import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { startCore, type TestCore } from "../../support/core.ts";
import { HttpSession } from "../../support/http_session.ts";
import { executable, REPOSITORY } from "../../support/runtime.ts";
import { SIGN_IN, tokenFor } from "../auth/clients.ts";

describe("a backend with instances per user", () => {
  let core: TestCore;

  before(async () => {
    core = await startCore({
      auth: SIGN_IN,
      roles: { default: { tools: ["*"] } },
      backends: {
        worker: {
          command: executable("node"),
          args: [join(REPOSITORY, "tests/fixtures/children/worker.mjs")],
          instances: "per-user",
        },
      },
    });
  });

  after(() => core.stop());

  async function open(subject: string, capabilities = {}): Promise<HttpSession> {
    const headers = { authorization: `Bearer ${await tokenFor(subject, [])}` };
    return await HttpSession.open(core.core.fetch, { headers, capabilities });
  }

  async function pidSeenBy(session: HttpSession): Promise<string> {
    const answer = await session.call("worker__pid");
    return answer["result"].content[0].text as string;
  }

  it("gives the sessions of one user the same process, and nobody else", async () => {
    const [first, second] = [await open("anna"), await open("anna")];
    const other = await open("bert");
    const pid = await pidSeenBy(first);
    assert.equal(await pidSeenBy(second), pid);
    assert.notEqual(await pidSeenBy(other), pid);
    await first.delete();
    assert.equal(await pidSeenBy(second), pid);
  });

  it("keeps clients apart that a process would take for each other", async () => {
    const [mute, askable] = [await open("cora"), await open("cora", { elicitation: {} })];
    assert.notEqual(await pidSeenBy(mute), await pidSeenBy(askable));
  });
});
