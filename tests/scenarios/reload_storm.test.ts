import assert from "node:assert/strict";
import { describe } from "node:test";
import { storm } from "../proofs/reload_storm.ts";
import { proves } from "../support/proves.ts";

describe("reloads of a gateway under load", () => {
  proves("G9.4", "20 of every kind: no call fails, what is refused changes nothing", async () => {
    const { calls, failed, reloads } = await storm({ reloads: 20, rate: 500 });

    assert.deepEqual(failed, []);
    assert.ok(calls > 0);
    const kinds = Object.keys(reloads).map((kind) => kind.split(", "));
    for (const who of ["admin", "signal", "file watch"]) {
      const outcomes = kinds.filter(([name]) => name === who).map(([, outcome]) => outcome);
      assert.ok(outcomes.includes("applied"), `${who}: ${outcomes.join()}`);
    }
  }, { timeout: 180_000 });
});
