/** What every state store must do, whatever it is made of. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SentinelError } from "../../src/contract/errors.ts";
import type { NewEvent, StateStore } from "../../src/ports/state_store.ts";

/** An event that can be told from others. */
export function numbered(number: number): NewEvent {
  return {
    at: new Date(Date.UTC(2026, 0, 1) + number).toISOString(),
    event: "backend.ready",
    severity: "info",
    fields: {
      number,
      text: "Zürich \u0000 🛰 '; DROP TABLE event; --",
      list: [1, null, { a: true }],
    },
  };
}

export function numbersAfter(store: StateStore, cursor: number, limit = 1000): unknown[] {
  return store.eventsAfter(cursor, limit).map(({ fields }) => fields["number"]);
}

interface Bounds {
  readonly maxEvents?: number;
  readonly maxKeys?: number;
}

/** @param open Opens an empty store. */
export function stateStoreSuite(open: (bounds: Bounds) => StateStore): void {
  /** Runs a test on a store of its own, which is closed afterwards. */
  const on = (name: string, run: (store: StateStore) => void, bounds: Bounds = {}) =>
    void test(name, () => {
      const store = open(bounds);
      try {
        run(store);
      } finally {
        store.close();
      }
    });

  on("an empty store has no events, no bounds and no entries", (store) => {
    assert.deepEqual(store.eventsAfter(0, 10), []);
    assert.deepEqual(store.bounds(), { oldest: 0, last: 0 });
    assert.deepEqual(store.entries("kill_switch"), new Map());
    store.remove("kill_switch", "tools/none");
  });

  on("an event comes back as it was, under the cursor that was given", (store) => {
    const cursor = store.append(numbered(7));
    assert.deepEqual(store.eventsAfter(0, 10), [{ ...numbered(7), cursor: String(cursor) }]);
    assert.deepEqual(store.bounds(), { oldest: cursor, last: cursor });
  });

  on("what is changed after it was given changes nothing in the store", (store) => {
    const fields = { number: 1 };
    const value = { reason: "before" };
    store.append({ ...numbered(1), fields });
    store.put("kill_switch", "tools/a", value);
    fields.number = 2;
    value.reason = "after";
    assert.deepEqual(numbersAfter(store, 0), [1]);
    assert.deepEqual(store.entries("kill_switch").get("tools/a"), { reason: "before" });
  });

  on("events come by cursor, oldest first, no more than asked for", (store) => {
    const cursors = [1, 2, 3, 4, 5].map((number) => store.append(numbered(number)));
    assert.ok(cursors.every((cursor, index) => index === 0 || cursor > (cursors[index - 1] ?? 0)));
    assert.deepEqual(numbersAfter(store, 0, 2), [1, 2]);
    assert.deepEqual(numbersAfter(store, cursors[1] ?? 0, 2), [3, 4]);
    assert.deepEqual(numbersAfter(store, cursors[4] ?? 0), []);
    assert.deepEqual(numbersAfter(store, (cursors[4] ?? 0) + 1000), []);
  });

  on("the oldest go beyond the bound, and no cursor is given twice", (store) => {
    const cursors = new Set<number>();
    for (let number = 1; number <= 1234; number++) cursors.add(store.append(numbered(number)));
    assert.equal(cursors.size, 1234);
    const { oldest, last } = store.bounds();
    const kept = numbersAfter(store, 0);
    assert.equal(last, Math.max(...cursors));
    assert.ok(kept.length <= 300 && kept.length >= 297, `${kept.length} events are kept`);
    assert.equal(kept.at(-1), 1234);
    assert.deepEqual(kept, Array.from(kept, (_, index) => 1234 - kept.length + 1 + index));
    assert.equal(store.eventsAfter(0, 1)[0]?.cursor, String(oldest));
    assert.deepEqual(numbersAfter(store, last - 1), [1234]);
  }, { maxEvents: 300 });

  on("a value is kept under its key, replaced and forgotten", (store) => {
    store.put("kill_switch", "tools/a", { reason: "x" });
    store.put("kill_switch", "backends/ä b", [1, "2", null]);
    store.put("kill_switch", "tools/a", { reason: "y" });
    assert.deepEqual(
      store.entries("kill_switch"),
      new Map<string, unknown>([["tools/a", { reason: "y" }], ["backends/ä b", [1, "2", null]]]),
    );
    store.remove("kill_switch", "tools/a");
    assert.deepEqual([...store.entries("kill_switch").keys()], ["backends/ä b"]);
  });

  on("an area is bounded, and says so; what is in it can still be changed", (store) => {
    for (let number = 0; number < 100; number++) store.put("kill_switch", `k${number}`, number);
    assert.throws(() => store.put("kill_switch", "one more", 1), (error) => {
      assert.ok(error instanceof SentinelError);
      assert.equal(error.code, "OVERLOADED");
      assert.match(error.message, /"one more": 100 entries of "kill_switch"/);
      return true;
    });
    store.put("kill_switch", "k5", "changed");
    store.remove("kill_switch", "k6");
    store.put("kill_switch", "one more", 1);
    const entries = store.entries("kill_switch");
    assert.deepEqual([entries.size, entries.get("k5"), entries.get("one more")], [
      100,
      "changed",
      1,
    ]);
  }, { maxKeys: 100 });

  void test("closing twice is harmless", () => {
    const store = open({});
    store.close();
    store.close();
  });
}
