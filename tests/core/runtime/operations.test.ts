import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type ErrorName, SentinelError } from "../../../src/contract/mod.ts";
import { type OperationRequest, Operations } from "../../../src/core/runtime/operations.ts";
import type { Journal, JournalEntry } from "../../../src/ports/journal.ts";
import { MemoryJournal } from "../../../src/stores/memory/journal.ts";
import { FakeClock, settle } from "../../support/fake_clock.ts";

const ACTOR = { name: "oncall", scope: "admin" } as const;

function setUp(journal: Journal = new MemoryJournal()) {
  const clock = new FakeClock();
  const gateway = { revision: 1 };
  const written: string[] = [];
  const log = { write: (event: string) => void written.push(event) };
  const operations = new Operations({ clock, journal, log, revision: () => gateway.revision });
  return { clock, gateway, written, operations };
}

function reload(key?: string): OperationRequest {
  return { operation: "reload", act: { actor: ACTOR, ...(key === undefined ? {} : { key }) } };
}

function refusedWith(code: ErrorName) {
  return (cause: unknown) => cause instanceof SentinelError && cause.code === code;
}

function outcomes({ entries }: MemoryJournal): string[] {
  return entries.flatMap((entry) =>
    entry.kind === "operation.outcome" ? [entry.operation.outcome] : []
  );
}

describe("Operations", () => {
  it("runs one at a time, in order, each with its own revisions", async () => {
    const { operations, gateway } = setUp();
    const steps: string[] = [];
    const run = (name: string) => async () => {
      steps.push(`${name} begins`);
      await settle();
      gateway.revision++;
      steps.push(`${name} ends`);
      return { outcome: "applied", more: {} } as const;
    };
    const records = await Promise.all(
      ["a", "b", "c"].map((name) => operations.queued(reload(), run(name))),
    );
    const expected = ["a", "b", "c"].flatMap((name) => [`${name} begins`, `${name} ends`]);
    assert.deepEqual(steps, expected);
    assert.deepEqual(records.map(({ before, revision }) => [before, revision]), [[1, 2], [2, 3], [
      3,
      4,
    ]]);
    assert.equal(new Set(records.map(({ id }) => id)).size, 3);
  });

  it("an act that takes no time does not wait for one that does", async () => {
    const { operations } = setUp();
    const slow = Promise.withResolvers<{ outcome: "applied"; more: object }>();
    const reloading = operations.queued(reload(), () => slow.promise);
    const kill = operations.now(
      { operation: "kill", target: "tools/x", act: { actor: ACTOR } },
      () => ({ outcome: "applied", more: { matches: 1 } }),
    );
    assert.equal(kill.matches, 1);
    slow.resolve({ outcome: "applied", more: {} });
    await reloading;
  });

  it("is in the journal before it takes effect, and once more when it is over", () => {
    const journal = new MemoryJournal();
    const { operations } = setUp(journal);
    operations.now(reload(), () => {
      assert.deepEqual(journal.entries.map(({ kind }) => kind), ["operation.intent"]);
      return { outcome: "applied", more: {} };
    });
    assert.deepEqual(journal.entries.map(({ kind }) => kind), [
      "operation.intent",
      "operation.outcome",
    ]);
  });

  it("does nothing when the journal cannot be written", () => {
    const full: Journal = {
      append: () => {
        throw new Error("no space left");
      },
      close: () => {},
    };
    const { operations } = setUp(full);
    let done = false;
    const act = () =>
      operations.now(reload(), () => {
        done = true;
        return { outcome: "applied", more: {} };
      });
    assert.throws(act, refusedWith("AUDIT_UNAVAILABLE"));
    assert.equal(done, false);
  });

  it("says so when only the outcome could not be written", () => {
    const entries: JournalEntry[] = [];
    const halfFull: Journal = {
      append: (entry) => {
        if (entry.kind === "operation.outcome") throw new Error("no space left");
        entries.push(entry);
      },
      close: () => {},
    };
    const { operations, written } = setUp(halfFull);
    const record = operations.now(reload(), () => ({ outcome: "applied", more: {} }));
    assert.equal(record.outcome, "applied");
    assert.deepEqual(written, ["state.failed", "operation.finished"]);
  });

  it("the same key gives the same answer and is done once", async () => {
    const journal = new MemoryJournal();
    const { operations } = setUp(journal);
    let times = 0;
    const run = () => Promise.resolve({ outcome: "applied", more: { times: ++times } } as const);
    const answers = await Promise.all(
      [1, 2, 3].map(() => operations.queued(reload("k"), run)),
    );
    assert.deepEqual(answers.map((answer) => answer.times), [1, 1, 1]);
    assert.deepEqual(outcomes(journal), ["applied"]);
  });

  it("a key belongs to one act, one actor and ten minutes", async () => {
    const { operations, clock } = setUp();
    const done = () => ({ outcome: "applied", more: {} } as const);
    const first = operations.now(reload("k"), done);
    const kill = { operation: "kill", target: "tools/x", act: { actor: ACTOR, key: "k" } } as const;
    assert.throws(() => operations.now(kill, done), refusedWith("CONFLICT"));
    const other = { ...reload("k"), act: { actor: { name: "other" }, key: "k" } };
    assert.notEqual(operations.now(other, done).id, first.id);
    await clock.advance(10 * 60_000);
    assert.notEqual(operations.now(reload("k"), done).id, first.id);
  });

  it("a refusal is recorded as such, a defect as failure, and both go to the caller", async () => {
    const journal = new MemoryJournal();
    const { operations } = setUp(journal);
    const refuse = () => Promise.reject(new SentinelError("CONFIG_INVALID", "bad file"));
    await assert.rejects(operations.queued(reload(), refuse), refusedWith("CONFIG_INVALID"));
    const defect = () => Promise.reject(new Error("oops"));
    await assert.rejects(operations.queued(reload(), defect), refusedWith("INTERNAL"));
    assert.deepEqual(outcomes(journal), ["rejected", "failed"]);
  });

  it("bounds what may wait", async () => {
    const { operations } = setUp();
    const slow = Promise.withResolvers<{ outcome: "applied"; more: object }>();
    const waiting = Array.from(
      { length: 256 },
      () => operations.queued(reload(), () => slow.promise),
    );
    await assert.rejects(
      operations.queued(reload(), () => slow.promise),
      refusedWith("OVERLOADED"),
    );
    slow.resolve({ outcome: "applied", more: {} });
    assert.equal((await Promise.all(waiting)).length, 256);
  });
});
