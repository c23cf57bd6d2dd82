import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setImmediate } from "node:timers/promises";
import { createAdaptiveCompiler } from "../../../src/hosts/schema_compiler/adaptive.ts";
import { compileVerdict } from "../../../src/hosts/schema_compiler/ajv.ts";

const SCHEMA = { type: "object", required: ["a"], "x-steps": 1 };

/** A compiler that counts what it compiles, and calls that are all judged right. */
function setUp(compile: typeof compileVerdict) {
  const counts = { loaded: 0, compiled: 0 };
  const compiler = createAdaptiveCompiler({
    load: () => {
      counts.loaded++;
      return Promise.resolve((schema) => {
        counts.compiled++;
        return compile(schema);
      });
    },
    later: (task) => task(),
  });
  return { compiler, counts };
}

describe("the adaptive compiler", () => {
  it("compiles once, after a few calls, and judges and explains alike before and after", async () => {
    const { compiler, counts } = setUp(compileVerdict);
    const check = compiler.compile(SCHEMA);
    const first = check({}, 1);
    assert.equal(first.length, 1);
    assert.equal(counts.loaded, 0);
    for (let times = 0; times < 20; times++) {
      assert.deepEqual(check({ a: 1 }, 2), []);
      assert.deepEqual(check({}, 1), first);
      await setImmediate();
    }
    assert.deepEqual(counts, { loaded: 1, compiled: 1 });
  });

  it("goes on interpreting where code must not be generated, and tries it once", async () => {
    const { compiler, counts } = setUp(() => {
      throw new EvalError("code generation is not allowed");
    });
    for (const check of [compiler.compile(SCHEMA), compiler.compile({ ...SCHEMA })]) {
      for (let times = 0; times < 20; times++) {
        assert.equal(check({}, 1).length, 1);
        assert.deepEqual(check({ a: 1 }, 2), []);
        await setImmediate();
      }
    }
    assert.deepEqual(counts, { loaded: 1, compiled: 1 });
  });

  it("never compiles what the compiler judges differently", async () => {
    const { compiler, counts } = setUp(compileVerdict);
    const check = compiler.compile({ properties: { a: { multipleOf: 0.1 } }, "x-steps": 1 });
    for (let times = 0; times < 20; times++) {
      assert.deepEqual(check({ a: 0.3 }, 2), []);
      await setImmediate();
    }
    assert.equal(counts.loaded, 0);
  });
});
