import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { jwtVerify } from "jose";
import { signedToken } from "../../bench/token.ts";

const SECRET = "a secret of the bench, 32 bytes or more";

describe("signedToken()", () => {
  it("makes a token that another implementation verifies", async () => {
    const token = signedToken({ iss: "bench", roles: ["bench"] }, SECRET);
    const key = new TextEncoder().encode(SECRET);
    const { payload, protectedHeader } = await jwtVerify(token, key, { algorithms: ["HS256"] });
    assert.deepEqual(payload, { iss: "bench", roles: ["bench"] });
    assert.equal(protectedHeader.alg, "HS256");
  });
});
