import assert from "node:assert/strict";
import { describe } from "node:test";
import { readersOfEvents } from "../proofs/event_readers.ts";
import { killUnderLoad } from "../proofs/kill_under_load.ts";
import { operationStorm } from "../proofs/operation_storm.ts";
import { proves } from "../support/proves.ts";

const TIMEOUT = { timeout: 180_000 };

describe("control plane under pressure", () => {
  proves(
    "G6.3",
    "a kill switch holds for every call after its answer, and over kill -9",
    async () => {
      const { refused, wrong } = await killUnderLoad({ rounds: 6, rate: 500 });

      assert.deepEqual(wrong, []);
      assert.ok(refused > 0);
    },
    TIMEOUT,
  );

  proves("S2", "readers whose connections are cut get every event once", async () => {
    const { events, read } = await readersOfEvents({ events: 2000, cuts: 20 });

    assert.ok(read >= events);
  }, TIMEOUT);

  proves("S5", "reload, reconnect and shutdown at once: one by one, each once", async () => {
    const { acts } = await operationStorm({ wave: 40, ends: 3 });

    assert.equal(acts["shutdown, applied"], 3);
    assert.ok((acts["reload, unchanged"] ?? 0) >= 20);
    assert.ok((acts["reconnect, applied"] ?? 0) >= 20);
  }, TIMEOUT);
});
