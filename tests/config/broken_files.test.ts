import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { runCli } from "../cli/fake_io.ts";
import { proves } from "../support/proves.ts";
import { FIXTURE_ENV, FIXTURES, readFixtures } from "./fixture.ts";

const fixtures = readFixtures();

async function validate(name: string, ...options: string[]) {
  return await runCli(["validate", name, ...options], { cwd: FIXTURES, env: FIXTURE_ENV });
}

describe("broken configurations", () => {
  proves("G1.2", "are many: at least a hundred files", () => {
    assert.ok(fixtures.length >= 100, `found ${fixtures.length}`);
    assert.ok(fixtures.every(({ expected }) => expected.length > 0));
  });

  for (const { name, expected } of fixtures) {
    it(`${name} is refused with place, message and hint`, async () => {
      const { code, out, err } = await validate(name, "--format", "json");
      assert.equal(code, 3, err);
      const { valid, items } = JSON.parse(out);
      assert.equal(valid, false);
      const found = items.map((item: Record<string, unknown>) => {
        const { file, path, ...rest } = item;
        assert.equal(file, name);
        assert.equal(typeof path, "string");
        return rest;
      });
      assert.deepEqual(found, expected);
    });
  }

  proves("G1.4", "never have a secret of the file or the environment in the output", async () => {
    for (const { name } of fixtures) {
      for (const format of ["text", "json", "github"]) {
        const { out, err } = await validate(name, "--format", format);
        const secret = /hunter2|0123456789abcdef|n8n-token-of/.exec(out + err)?.[0];
        assert.equal(secret, undefined, `${name} as ${format}: ${err}`);
      }
    }
  });

  it("have no control character in the output", async () => {
    for (const { name } of fixtures) {
      const { err } = await validate(name);
      assert.doesNotMatch(err, /[^\P{Cc}\n]/u, name);
    }
  });
});
