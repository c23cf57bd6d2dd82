import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { type HeldBackend, startHeldBackend } from "../support/held_backend.ts";
import { HttpSession } from "../support/http_session.ts";
import {
  type Answer,
  startManagement,
  type TestManagement,
  TOKENS,
} from "../support/management.ts";
import { proves } from "../support/proves.ts";

const PATH = "/manage/v1/tools/h__t/approve";

describe("approval of a changed definition", () => {
  let management: TestManagement;
  let changing: HeldBackend;
  let session: HttpSession;
  let hash: string;
  beforeEach(async () => {
    changing = await startHeldBackend();
    management = await startManagement({
      config: { backends: { h: changing.config }, roles: { some: { tools: ["h__*"] } } },
    });
    session = await HttpSession.open(management.gateway.core.fetch);
    await session.request("tools/list");
    hash = (await changing.hold(management.gateway.core.control, "h")).tool;
  });
  afterEach(async () => {
    await management.stop();
    await changing.close();
  });

  const ask = (body: unknown, token: string = TOKENS.admin, path = PATH): Promise<Answer> =>
    management.ask("POST", path, { token, body });
  const listed = async (filter: string) => {
    const target = `/manage/v1/capabilities?filter=${encodeURIComponent(filter)}`;
    return (await management.ask("GET", target, { token: TOKENS.read })).json.items;
  };

  proves(["X5"], "operators see what is held, with the difference, and approve it", async () => {
    const [shown] = await listed("held:yes kind:tool");
    assert.equal(shown.name, "h__t");
    assert.equal(shown.held.hash, hash);
    assert.deepEqual(shown.held.changes, [
      { path: "$.description", change: "changed", before: '"before"', after: '"afterwards"' },
    ]);
    assert.deepEqual(shown.roles, ["some"]);
    assert.notEqual(shown.pin.hash, hash);
    const one = await management.ask("GET", "/manage/v1/capabilities/tool/h__t", {
      token: TOKENS.read,
    });
    assert.equal(one.json.definition.description, "afterwards");
    assert.equal((await session.call("h__t"))["error"].code, -31031);
    const answer = await ask({ hash });
    assert.deepEqual([answer.status, answer.json.outcome, answer.json.hash], [
      200,
      "applied",
      hash,
    ]);
    assert.equal((await session.call("h__t"))["error"], undefined);
    assert.deepEqual(await listed("held:yes kind:tool"), []);
    assert.equal((await listed("kind:tool"))[0].pin.approvedBy, "oncall");
  });

  test("is refused for another hash, what is not held, what is not there, and readers", async () => {
    const other = await ask({ hash: "0".repeat(64) });
    assert.deepEqual([other.status, other.json.error.code], [409, "CONFLICT"]);
    assert.match(other.json.error.reason, new RegExp(hash));
    assert.equal((await ask({ hash }, TOKENS.read)).status, 403);
    assert.equal((await ask({ hash: "short" })).status, 400);
    assert.equal((await ask({})).status, 400);
    assert.equal((await ask({ hash }, TOKENS.admin, "/manage/v1/tools/h__x/approve")).status, 404);
    assert.equal(
      (await ask({ hash }, TOKENS.admin, "/manage/v1/prompts/h__p/approve")).status,
      409,
    );
    assert.equal((await session.call("h__t"))["error"].code, -31031);
    assert.equal((await ask({ hash })).status, 200);
    const again = await ask({ hash });
    assert.deepEqual([again.status, again.json.error.code], [409, "CONFLICT"]);
  });
});
