import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { PROMISES } from "../promises.ts";
import { ROOT } from "./source_files.ts";

describe("promises", () => {
  it("name tests that are there", () => {
    const named = Object.values(PROMISES).flatMap(({ tests }) => tests);
    assert.deepEqual(named.filter((file) => !existsSync(`${ROOT}tests/${file}`)), []);
  });

  it("name proofs that are commands, with the day they were run last", () => {
    const { scripts } = JSON.parse(readFileSync(`${ROOT}package.json`, "utf8"));
    for (
      const { script, on = "2026-01-01" } of Object.values(PROMISES).flatMap(({ proofs }) =>
        proofs ?? []
      )
    ) {
      assert.ok(script in scripts, script);
      assert.match(on, /^\d{4}-\d{2}-\d{2}$/);
    }
  });
});
