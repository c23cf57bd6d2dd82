import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readOptions } from "../../bench/options.ts";

describe("bench options", () => {
  it("measure everything with at least five rounds by default", () => {
    const options = readOptions([]);
    assert.ok(options.rounds >= 5);
    assert.deepEqual(options.inFlight, [1, 32]);
    assert.deepEqual(options.runtimes, ["node", "bun", "deno"]);
    assert.deepEqual(options.sections, ["http", "stdio", "full", "eras", "startup", "polled"]);
    assert.equal(options.write, false);
  });

  it("are shorter with --quick, but never below five rounds", () => {
    const quick = readOptions(["--quick"]);
    const full = readOptions([]);
    assert.ok(quick.sliceMs * quick.rounds < full.sliceMs * full.rounds);
    assert.ok(quick.rounds >= 5);
  });

  it("name the value that is not offered", () => {
    assert.throws(() => readOptions(["--runtimes", "node,deon"]), /got "deon"/);
    assert.throws(() => readOptions(["--only", "grpc"]), /got "grpc"/);
    assert.throws(() => readOptions(["--in-flight", "1,x"]), /got "x"/);
    assert.throws(() => readOptions(["--rounds", "0"]), /got "0"/);
  });

  it("refuse to write results of a partial run", () => {
    assert.throws(() => readOptions(["--write", "--quick"]), /partial run/);
    assert.throws(() => readOptions(["--write", "--runtimes", "node"]), /partial run/);
    assert.throws(() => readOptions(["--write", "--only", "http"]), /partial run/);
    assert.throws(() => readOptions(["--write", "--in-flight", "1"]), /partial run/);
    assert.equal(readOptions(["--write"]).write, true);
  });
});
