import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ANONYMOUS } from "../../../src/core/auth/principal.ts";
import { sessionKit } from "./session_kit.ts";

describe("values that many clients say alike", () => {
  it("are kept once for all sessions", () => {
    const { sessions } = sessionKit();
    const [one, other] = ["one", "other"].map(() => {
      const session = sessions.open("streamable_http", undefined, ANONYMOUS);
      session.capabilities = { roots: { listChanged: true }, sampling: {} };
      return session;
    });
    assert.ok(one !== undefined && other !== undefined);
    assert.equal(one.capabilities, other.capabilities);
    assert.deepEqual(one.capabilities, { roots: { listChanged: true }, sampling: {} });
  });

  it("are each session's own where they differ, however many there are", () => {
    const { sessions } = sessionKit({ bounds: { max: 1000 } });
    const open = Array.from({ length: 1000 }, (_, number) => {
      const session = sessions.open("streamable_http", undefined, ANONYMOUS);
      session.capabilities = { experimental: { [`own-${number}`]: {} } };
      session.client = `client ${number}`;
      return session;
    });
    for (const [number, session] of open.entries()) {
      assert.deepEqual(session.capabilities, { experimental: { [`own-${number}`]: {} } });
      assert.equal(session.client, `client ${number}`);
    }
  });

  it("are not looked for when they are large", () => {
    const { sessions } = sessionKit();
    const large = () => ({ experimental: { large: { text: "x".repeat(5000) } } });
    const [one, other] = [large(), large()].map((capabilities) => {
      const session = sessions.open("streamable_http", undefined, ANONYMOUS);
      session.capabilities = capabilities;
      return session.capabilities;
    });
    assert.deepEqual(one, other);
    assert.notEqual(one, other);
  });
});
