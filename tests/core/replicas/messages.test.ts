import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { SessionId } from "../../../src/contract/mod.ts";
import {
  decodeMessage,
  encodeMessage,
  type ReplicaMessage,
} from "../../../src/core/replicas/messages.ts";
import { principalFacts, principalOf } from "../../../src/core/replicas/principal_facts.ts";

const SESSION = "0123456789abcdef0123456789abcdef" as SessionId;
const EXCHANGE = "0123456789ab-1";

describe("messages of replicas", () => {
  it("come back as they were", () => {
    const messages: readonly ReplicaMessage[] = [
      { kind: "changed", session: SESSION },
      { kind: "ended", session: SESSION },
      { kind: "take", session: SESSION, text: '"\r\n\0%\\' },
      { kind: "tell", session: SESSION, text: "" },
      { kind: "ask", exchange: EXCHANGE, want: { kind: "stream" } },
      { kind: "part", exchange: EXCHANGE, number: 0, body: {} },
      { kind: "end", exchange: EXCHANGE, number: 7, body: { text: "x" } },
      { kind: "still", exchange: EXCHANGE },
      { kind: "leave", exchange: EXCHANGE, reason: "enough" },
    ];
    for (const message of messages) {
      assert.deepEqual({ ...decodeMessage(encodeMessage(message)) }, {
        ...message,
      });
    }
  });

  it("are dropped when they are none", () => {
    const form = { form: 1 };
    const none: readonly unknown[] = [
      null,
      [],
      1,
      {},
      { kind: "changed", session: SESSION },
      { form: 2, kind: "changed", session: SESSION },
      { ...form, kind: "changed" },
      { ...form, kind: "changed", session: 1 },
      { ...form, kind: "changed", session: "with space" },
      { ...form, kind: "changed", session: "x".repeat(257) },
      { ...form, kind: "unheard", session: SESSION },
      { ...form, kind: "take", session: SESSION },
      { ...form, kind: "tell", session: SESSION, text: 1 },
      { ...form, kind: "ask", exchange: EXCHANGE },
      { ...form, kind: "ask", exchange: "1", want: {} },
      { ...form, kind: "ask", exchange: EXCHANGE, want: [] },
      { ...form, kind: "part", exchange: EXCHANGE, number: -1, body: {} },
      { ...form, kind: "part", exchange: EXCHANGE, number: 0.5, body: {} },
      { ...form, kind: "part", exchange: EXCHANGE, number: 0 },
      { ...form, kind: "leave", exchange: EXCHANGE },
      { ...form, kind: "__proto__", exchange: EXCHANGE },
    ];
    for (const message of none) {
      assert.equal(decodeMessage(JSON.stringify(message)), undefined, JSON.stringify(message));
    }
    for (const text of ["", "{", "\0", '{"form":1', "[".repeat(100_000)]) {
      assert.equal(decodeMessage(text), undefined);
    }
  });
});

describe("facts of a principal", () => {
  const principal = {
    id: "idp anna",
    subject: "anna",
    issuer: "idp",
    roles: ["user"],
    roleKey: "user",
    expiresAt: 5,
  };

  it("come back as they were", () => {
    const facts = JSON.parse(JSON.stringify(principalFacts(principal))) as unknown;
    assert.deepEqual(principalOf(facts), principal);
    const anonymous = { id: "anonymous", subject: "anonymous", roles: undefined, roleKey: "" };
    assert.deepEqual(principalOf({ ...anonymous }), anonymous);
  });

  it("are nobody when they are wrong: without roles everything is allowed", () => {
    const { id: _id, ...nameless } = principal;
    const wrong = [undefined, null, "x", [], nameless, { ...principal, id: 1 }];
    for (const roles of [null, "user", [1], {}]) wrong.push({ ...principal, roles } as never);
    for (const facts of wrong) assert.equal(principalOf(facts), undefined, JSON.stringify(facts));
  });
});
