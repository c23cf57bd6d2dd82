import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MASK } from "../../src/config/mask.ts";
import type { HttpOutgoing } from "../../src/core/mod.ts";
import { Mask, maskedHandler, maskedState } from "../../src/hosts/mask.ts";
import { MemoryStateStore } from "../../src/stores/memory/state_store.ts";

const NUMBER = "123456789";

describe("the mask of a gateway", () => {
  it("keeps earlier secrets when it learns others", () => {
    const mask = new Mask(["first-secret"]);
    mask.learn(["second-secret"]);
    assert.equal(mask.apply("first-secret second-secret"), `${MASK} ${MASK}`);
  });

  it("leaves JSON what it is, also when a secret looks like a part of it", () => {
    const mask = new Mask([NUMBER, "null", '"},{"', "member"]);
    const document = { member: NUMBER, list: [123456789, null, { a: `x${NUMBER}` }], "b": '"},{"' };
    const masked = JSON.parse(mask.applyToJson(JSON.stringify(document)));
    assert.deepEqual(masked, { [MASK]: MASK, list: [123456789, null, { a: `x${MASK}` }], b: MASK });
    assert.equal(mask.applyToJson('{ "a" : 1 }'), '{ "a" : 1 }');
  });

  it("is over every answer of a handler that is a text", async () => {
    const mask = new Mask([NUMBER]);
    const answer = async (type: string, body: string) => {
      const given: HttpOutgoing = { status: 200, headers: { "content-type": type }, body };
      const handle = maskedHandler(() => Promise.resolve(given), mask);
      const incoming = {
        method: "GET",
        target: "/",
        header: () => undefined,
        headerBytes: () => 0,
        body: () => Promise.resolve(new Uint8Array()),
        abandon: () => {},
        onGone: () => {},
      };
      return (await handle(incoming)).body;
    };
    assert.equal(
      await answer("application/json", `{"a":${NUMBER},"b":"${NUMBER}"}`),
      `{"a":${NUMBER},"b":"${MASK}"}`,
    );
    assert.equal(await answer("text/plain", `series{a="${NUMBER}"} 1`), `series{a="${MASK}"} 1`);
  });

  it("is over definitions that are kept, not over the names they are found by", () => {
    const store = new MemoryStateStore();
    const pin = { hash: "0".repeat(64), definition: JSON.stringify({ description: NUMBER }) };
    maskedState(store, new Mask([NUMBER])).put("definition_pin", "a", { pins: [[NUMBER, pin]] });
    const definition = JSON.stringify({ description: MASK });
    assert.deepEqual(store.entries("definition_pin").get("a"), {
      pins: [[NUMBER, { ...pin, definition }]],
    });
  });
});
