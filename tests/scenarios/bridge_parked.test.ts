import assert from "node:assert/strict";
import { after, before, describe } from "node:test";
import { SIGN_IN, tokenFor } from "../core/auth/clients.ts";
import { startCore, type TestCore } from "../support/core.ts";
import type { Rpc } from "../support/http_session.ts";
import { proves } from "../support/proves.ts";
import { type AskingBackend, startAskingBackend } from "./bridge_backend.ts";
import { Person, questionIn } from "./bridge_person.ts";

const TOOL = "asking__ask";

const PEOPLE = 50;
const TIMEOUT = { timeout: 60_000 };

describe("a legacy backend that asks many modern clients", () => {
  let backend: AskingBackend;
  let gateway: TestCore;
  let people: Person[];

  before(async () => {
    backend = await startAskingBackend();
    gateway = await startCore({
      auth: SIGN_IN,
      roles: { user: { tools: ["*"] } },
      backends: { asking: { url: backend.url.href, instances: "per-session" } },
    });
    const marks = Array.from({ length: PEOPLE }, (_, at) => `person-${at}`);
    people = await Promise.all(
      marks.map(async (mark) =>
        new Person(gateway, { tool: TOOL, mark, token: await tokenFor(mark, ["user"]) })
      ),
    );
  });

  after(async () => {
    await gateway?.stop();
    await backend?.close();
  });

  proves(
    ["X1", "G1.5"],
    "hears from each of fifty at once what that one said, over two rounds",
    async () => {
      const first = await Promise.all(people.map((person) => person.call()));
      for (const [at, asked] of first.entries()) {
        assert.equal(questionIn(asked).message, `one for person-${at}`);
      }
      assert.equal(parked(gateway), PEOPLE);
      assert.equal(backend.open(), PEOPLE);
      assert.equal(backend.sessions.size, PEOPLE);

      const second = await Promise.all(
        people.map((person, at) => person.answer(first[at] as Rpc, "one")),
      );
      for (const [at, asked] of second.entries()) {
        assert.equal(questionIn(asked).message, `two for person-${at}`);
      }
      const last = await Promise.all(
        people.map((person, at) => person.answer(second[at] as Rpc, "two")),
      );
      for (const [at, { result }] of last.entries()) {
        const mark = `person-${at}`;
        assert.equal(result.resultType, "complete");
        assert.equal(result.content[0].text, `${mark} one-${mark} two-${mark}`);
      }
      assertFree(gateway);
      assert.deepEqual([backend.open(), backend.cancelled.length], [0, 0]);

      // Had a connection still a user, its principal would get another one.
      const anew = await Promise.all(people.map((person) => person.call()));
      assert.equal(backend.sessions.size, PEOPLE);
      const asked = await Promise.all(
        people.map((person, at) => person.answer(anew[at] as Rpc, "one")),
      );
      await Promise.all(people.map((person, at) => person.answer(asked[at] as Rpc, "two")));
      assertFree(gateway);
    },
    TIMEOUT,
  );

  proves("X1", "goes on for nobody but the one it asked, and only once", async () => {
    const [anna, bert] = people as [Person, Person];
    const asked = await anna.call();
    const stolen = await bert.answer(asked, "stolen");
    assert.equal(stolen["error"].code, -32602);
    const posing = new Person(gateway, {
      tool: TOOL,
      mark: anna.mark,
      token: await tokenFor(bert.mark, ["user"]),
    });
    const posed = await posing.answer(asked, "stolen");
    assert.equal(posed["error"].message, stolen["error"].message);

    const again = await anna.answer(asked, "one");
    const repeated = await anna.answer(asked, "one");
    assert.equal(repeated["error"].message, stolen["error"].message);
    const { result } = await anna.answer(again, "two");
    assert.equal(result.content[0].text, `${anna.mark} one-${anna.mark} two-${anna.mark}`);
    assertFree(gateway);
  }, TIMEOUT);
});

function parked({ core }: TestCore): number {
  return core.control.status().parked ?? 0;
}

/** Nothing waits and nothing is under way. */
function assertFree(gateway: TestCore): void {
  assert.equal(parked(gateway), 0);
  assert.equal(gateway.core.inFlight(), 0);
}
