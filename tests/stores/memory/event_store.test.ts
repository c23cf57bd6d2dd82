import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MemoryEventStore } from "../../../src/stores/memory/event_store.ts";
import { FakeClock } from "../../support/fake_clock.ts";

describe("MemoryEventStore", () => {
  it("numbers events of each stream from one and gives those after a number", () => {
    const store = new MemoryEventStore({ clock: new FakeClock(), events: 10, keepMs: 1000 });
    assert.deepEqual([store.append("a", "x"), store.append("b", "y"), store.append("a", "z")], [
      1,
      1,
      2,
    ]);
    assert.deepEqual(store.after("a", 1), [{ sequence: 2, data: "z" }]);
    assert.deepEqual(store.after("a", 2), []);
    assert.equal(store.after("c", 0), undefined);
  });

  it("keeps no more events and no more text than the bounds", () => {
    const store = new MemoryEventStore({ clock: new FakeClock(), events: 2, keepMs: 1000 });
    for (const data of ["1", "2", "3"]) store.append("a", data);
    assert.equal(store.after("a", 0), undefined);
    assert.deepEqual(store.after("a", 1)?.map(({ data }) => data), ["2", "3"]);
    store.append("big", "x".repeat(5_000_000));
    store.append("big", "y".repeat(5_000_000));
    assert.equal(store.after("big", 0), undefined);
    assert.equal(store.after("big", 1)?.length, 1);
  });

  it("keeps no more text of all streams than the bound: who was quiet the longest loses it", () => {
    const store = new MemoryEventStore({ clock: new FakeClock(), events: 10, keepMs: 1000 });
    const text = "x".repeat(8_000_000);
    const keys = Array.from({ length: 8 }, (_, at) => `stream ${at}`);
    for (const key of keys) store.append(key, text);
    store.append("stream 0", "");
    store.append("one more", text);
    const gone = keys.filter((key) => store.after(key, 0) === undefined);
    assert.deepEqual(gone, ["stream 1"]);
    assert.equal(store.append("stream 1", "on"), 2);
    store.drop("stream 2");
    store.append("another", text);
    assert.deepEqual(store.after("stream 3", 0)?.length, 1);
  });

  it("forgets what is old, but never counts from one again", async () => {
    const clock = new FakeClock();
    const store = new MemoryEventStore({ clock, events: 10, keepMs: 1000 });
    store.append("a", "x");
    await clock.advance(1001);
    store.sweep();
    assert.equal(store.after("a", 0), undefined);
    assert.deepEqual(store.after("a", 1), []);
    assert.equal(store.append("a", "y"), 2);
    store.drop("a");
    assert.equal(store.after("a", 2), undefined);
  });
});
