import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { answer, type RequestMessage } from "../../bench/targets/echo_tools.ts";
import {
  answerOf,
  callOf,
  ECHO,
  LARGE,
  QUICK,
  SLOW,
  type Work,
  workName,
} from "../../bench/work.ts";

/** The text the backend answers to call 7. */
async function answered(work: Work): Promise<string> {
  const message = JSON.parse(callOf(work, work.tool, 7)) as RequestMessage;
  const reply = JSON.parse(await answer(message) ?? "") as {
    id: number;
    result: { content: readonly { text: string }[] };
  };
  assert.equal(reply.id, 7);
  return reply.result.content[0]?.text ?? "";
}

describe("bench work", () => {
  for (const work of [ECHO, LARGE, QUICK]) {
    it(`knows what the backend answers to an ${workName(work)}`, async () => {
      assert.equal(await answered(work), answerOf(work, 7));
    });
  }

  it("sends texts of the size it says, another one with each call", () => {
    assert.equal(answerOf(ECHO, 1000).length, 64);
    assert.equal(answerOf(LARGE, 1000).length, 100_000);
    assert.notEqual(answerOf(ECHO, 1000), answerOf(ECHO, 1001));
  });

  it("is named by its size or its time", () => {
    const names = [ECHO, LARGE, SLOW, QUICK].map(workName);
    const expected = [
      "echo of 64 bytes",
      "echo of 100 kB",
      "tool of 100 ms",
      "tool of 20 ms",
    ];
    assert.deepEqual(names, expected);
  });

  it("calls tools by the name the target gives them", () => {
    const { params } = JSON.parse(callOf(ECHO, 'a"b__echo', 1)) as RequestMessage;
    assert.equal(params?.name, 'a"b__echo');
  });
});
