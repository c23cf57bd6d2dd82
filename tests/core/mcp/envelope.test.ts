import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SentinelError } from "../../../src/contract/mod.ts";
import {
  checkRevision,
  claimedRevision,
  hasEnvelope,
  isModern,
  META,
  readEnvelope,
} from "../../../src/core/mcp/envelope.ts";

const WHOLE = { [META.revision]: "2026-07-28", [META.capabilities]: { elicitation: {} } };

function refusalOf(run: () => unknown): SentinelError {
  try {
    run();
  } catch (cause) {
    if (cause instanceof SentinelError) return cause;
    throw cause;
  }
  throw new Error("It was not refused");
}

describe("envelope", () => {
  it("says who asks in which revision, and what it can be asked", () => {
    const meta = { ...WHOLE, [META.client]: { name: "c", version: "2" }, [META.logLevel]: "info" };
    assert.deepEqual(readEnvelope({ _meta: meta }), {
      revision: "2026-07-28",
      capabilities: { elicitation: {} },
      client: "c 2",
      logLevel: "info",
    });
    assert.deepEqual(readEnvelope({ _meta: WHOLE }), {
      revision: "2026-07-28",
      capabilities: { elicitation: {} },
      client: undefined,
      logLevel: undefined,
    });
  });

  it("what it calls itself is cut, and nothing depends on it", () => {
    const long = { ...WHOLE, [META.client]: { name: "x".repeat(1000) } };
    assert.equal(readEnvelope({ _meta: long }).client?.length, 100);
    for (const client of [null, "text", 1, {}, { name: 1 }]) {
      assert.equal(readEnvelope({ _meta: { ...WHOLE, [META.client]: client } }).client, undefined);
    }
  });

  it("is refused with status 400 when something every request says is missing or malformed", () => {
    for (
      const params of [
        undefined,
        {},
        { _meta: null },
        { _meta: [] },
        { _meta: { [META.capabilities]: {} } },
        { _meta: { [META.revision]: "2026-07-28" } },
        { _meta: { ...WHOLE, [META.revision]: 20260728 } },
        { _meta: { ...WHOLE, [META.capabilities]: [] } },
        { _meta: { ...WHOLE, [META.capabilities]: null } },
        { _meta: { ...WHOLE, [META.logLevel]: 7 } },
      ]
    ) {
      const error = refusalOf(() => readEnvelope(params));
      assert.deepEqual([error.code, error.http], ["INVALID_PARAMS", 400], JSON.stringify(params));
    }
  });

  it("a revision that is not spoken is told back within bounds, with those that are", () => {
    const envelope = readEnvelope({ _meta: { ...WHOLE, [META.revision]: "9".repeat(5000) } });
    const { code, http, details } = refusalOf(() => checkRevision(envelope));
    assert.deepEqual([code, http], ["REVISION_UNSUPPORTED", 400]);
    assert.deepEqual(details.more, { supported: ["2026-07-28"], requested: "9".repeat(100) });
    checkRevision(readEnvelope({ _meta: WHOLE }));
  });

  it("a claim is what stands at its key, whatever it is worth", () => {
    assert.equal(hasEnvelope({ _meta: { [META.revision]: 1 } }), true);
    assert.equal(hasEnvelope({ _meta: { other: 1 } }), false);
    assert.equal(hasEnvelope({}), false);
    assert.equal(hasEnvelope(undefined), false);
    assert.equal(claimedRevision({ _meta: WHOLE }), "2026-07-28");
    assert.equal(claimedRevision({}), undefined);
    assert.equal(
      refusalOf(() => claimedRevision({ _meta: { [META.revision]: 1 } })).code,
      "INVALID_PARAMS",
    );
  });

  it("dates tell the eras apart", () => {
    for (const revision of ["2026-07-28", "2026-07-29", "2099-01-01"]) {
      assert.equal(isModern(revision), true);
    }
    for (const revision of [undefined, "", "2025-11-25", "2026-07-27", "draft", "9999", "3.0"]) {
      assert.equal(isModern(revision), false);
    }
  });
});
