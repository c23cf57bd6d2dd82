import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readJunit } from "../../.ci/test/junit.ts";
import { secondRuns } from "../../.ci/test/run_all.ts";
import { judge } from "../../.ci/test/run_file.ts";

const NODE = `<testsuites>
  <testsuite name="outer" tests="3">
    <testcase name="[A1] passes &lt;x> &amp; more" time="0" file="/a.test.ts"/>
    <testcase name="fails" failure="1 !== 2"><failure message="1 !== 2">text</failure></testcase>
    <testsuite name="inner"><testcase name="skipped"><skipped type="todo"/></testcase></testsuite>
  </testsuite>
</testsuites>`;

const DENO = `<testsuites name="deno test" tests="4">
  <testsuite name="./a.test.ts">
    <testcase name="outer"><failure message="1 test step failed">…</failure></testcase>
  </testsuite>
  <testsuite name="ext:deno_node/testing.ts">
    <testcase name="outer &gt; passes"></testcase>
    <testcase name="outer &gt; fails"><failure message="Uncaught">…</failure></testcase>
  </testsuite>
</testsuites>`;

const ENDED = { code: 0, timedOut: false, output: "", ms: 1000 };
const PASSED = [{ name: "a > b", outcome: "passed" }] as const;
const FAILED = [{ name: "a > c", outcome: "failed" }] as const;

describe("readJunit", () => {
  it("joins suites and tests of Node and Bun into names, with their outcomes", () => {
    assert.deepEqual(readJunit(NODE), [
      { name: "outer > [A1] passes <x> & more", outcome: "passed" },
      { name: "outer > fails", outcome: "failed" },
      { name: "outer > inner > skipped", outcome: "skipped" },
    ]);
  });

  it("leaves out the suites that Deno lists as tests", () => {
    assert.deepEqual(readJunit(DENO), [
      { name: "outer > passes", outcome: "passed" },
      { name: "outer > fails", outcome: "failed" },
    ]);
  });
});

describe("judge", () => {
  it("counts what passed and failed", () => {
    const result = judge({ runtime: "node", file: "a" }, [...PASSED, ...FAILED], {
      ...ENDED,
      code: 1,
    });
    assert.deepEqual([result.passed, result.failed, result.problem], [1, 1, undefined]);
  });

  it("fails a file that ran no test, whatever its exit code", () => {
    assert.equal(judge({ runtime: "node", file: "a" }, [], ENDED).problem, "ran no test");
  });

  it("fails a file that passed and then ended badly", () => {
    const result = judge({ runtime: "node", file: "a" }, PASSED, { ...ENDED, code: 1 });
    assert.deepEqual([result.passed, result.failed], [1, 1]);
    assert.equal(result.problem, "exit code 1 without a failed test");
  });

  it("fails a file whose runner hides a failed test", () => {
    assert.equal(judge({ runtime: "bun", file: "a" }, FAILED, ENDED).failed, 2);
  });

  it("fails a file that did not end in time", () => {
    const result = judge({ runtime: "deno", file: "a" }, PASSED, { ...ENDED, timedOut: true });
    assert.deepEqual([result.failed, result.problem], [1, "no end within 1 s"]);
  });
});

describe("secondRuns", () => {
  it("are for one or two files that failed, and for none of more", () => {
    const of = (...failures: number[]) => secondRuns(failures.map((failed) => ({ failed })));
    assert.deepEqual(of(0, 0), []);
    assert.deepEqual(of(0, 3, 0, 1), [1, 3]);
    assert.deepEqual(of(1, 1, 1), []);
  });
});
