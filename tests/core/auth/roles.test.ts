import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createRoleReader } from "../../../src/core/auth/roles.ts";

describe("roles of a token", () => {
  const names = ["admin", "developer", "guest"];
  const read = (
    claims: Record<string, unknown>,
    map: Record<string, string> = {},
    claim = "roles",
  ) => createRoleReader({ claim, map, names })(claims);

  it("are the values of the claim that are roles of the configuration, sorted, each once", () => {
    assert.deepEqual(read({ roles: ["guest", "admin", "guest", "root"] }), ["admin", "guest"]);
    assert.deepEqual(read({ roles: "guest  admin" }), ["admin", "guest"]);
  });

  it("are default when nothing fits, whatever the claim is", () => {
    for (const roles of [undefined, null, 5, {}, [], "", ["root"], [["admin"]], { admin: true }]) {
      assert.deepEqual(read({ roles }), ["default"], JSON.stringify(roles));
    }
  });

  it("are found inside of objects, and under a name with dots", () => {
    const realm = { realm_access: { roles: ["admin"] } };
    assert.deepEqual(read(realm, {}, "realm_access.roles"), ["admin"]);
    const url = "https://example.com/roles";
    assert.deepEqual(read({ [url]: ["guest"] }, {}, url), ["guest"]);
    assert.deepEqual(read({}, {}, "constructor.name"), ["default"]);
    assert.deepEqual(read({ a: { b: 1 } }, {}, "a.b.c.d"), ["default"]);
  });

  it("come from the most specific pattern, one for each value", () => {
    const map = {
      "*": "guest",
      "eng-*": "developer",
      "eng-platform": "admin",
      "eng-platfor*": "guest",
    };
    assert.deepEqual(read({ roles: ["eng-platform"] }, map), ["admin"]);
    assert.deepEqual(read({ roles: ["eng-web"] }, map), ["developer"]);
    assert.deepEqual(read({ roles: ["sales", "eng-web"] }, map), ["developer", "guest"]);
  });

  it("a pattern decides over a role of the same name", () => {
    assert.deepEqual(read({ roles: ["admin"] }, { "*": "guest" }), ["guest"]);
    assert.deepEqual(read({ roles: ["admin"] }, { "x*": "guest" }), ["admin"]);
  });

  it("of equal patterns the first of the file counts", () => {
    assert.deepEqual(read({ roles: ["ab"] }, { "a*": "guest", "*b": "admin" }), ["guest"]);
    assert.deepEqual(read({ roles: ["ab"] }, { "*b": "admin", "a*": "guest" }), ["admin"]);
  });

  it("a claim of thousands of values is cut", () => {
    const roles = [...Array.from({ length: 5000 }, (_, index) => `r${index}`), "admin"];
    assert.deepEqual(read({ roles }), ["default"]);
  });
});
