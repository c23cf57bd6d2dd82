import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Principal } from "../../../src/core/auth/principal.ts";
import { TokenTable } from "../../../src/core/auth/token_table.ts";

const until = (expiresAt: number): Principal => ({
  id: "i#s",
  subject: "s",
  roles: [],
  roleKey: "",
  expiresAt,
});

describe("TokenTable", () => {
  it("finds a principal until its token expires", () => {
    const table = new TokenTable();
    const principal = until(1000);
    table.put("a", principal, 0);
    assert.equal(table.find("a", 999), principal);
    assert.equal(table.find("b", 999), undefined);
    assert.equal(table.find("a", 1000), undefined);
    assert.equal(table.size, 0);
  });

  it("knows a token by all of its text", () => {
    const table = new TokenTable();
    const end = "x".repeat(40);
    table.put(`a${end}`, until(1000), 0);
    assert.equal(table.find(`b${end}`, 0), undefined);
    assert.equal(table.find(end, 0), undefined);
    table.put(`b${end}`, until(1000), 0);
    assert.ok(table.find(`b${end}`, 0) !== undefined);
    assert.equal(table.size, 1);
  });

  it("holds at most 10,000, and the oldest go first", () => {
    const table = new TokenTable();
    for (let index = 0; index < 10_050; index++) table.put(`t${index}`, until(1000), 0);
    assert.equal(table.size, 10_000);
    assert.equal(table.find("t49", 0), undefined);
    assert.ok(table.find("t50", 0) !== undefined);
  });

  it("holds at most 16 Mi characters", () => {
    const table = new TokenTable();
    const long = "x".repeat(8000);
    for (let index = 0; index < 5000; index++) table.put(`${long}${index}`, until(1000), 0);
    assert.ok(table.size < 2100 && table.size > 2000, String(table.size));
    assert.ok(table.find(`${long}4999`, 0) !== undefined);
  });

  it("forgets what has expired when something new comes, at most once a minute", () => {
    const table = new TokenTable();
    table.put("short", until(100), 0);
    table.put("again", until(200), 0);
    table.put("later", until(1_000_000), 59_999);
    assert.equal(table.size, 3);
    table.put("last", until(1_000_000), 60_000);
    assert.equal(table.size, 2);
  });
});
