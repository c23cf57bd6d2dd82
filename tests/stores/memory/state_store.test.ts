import { describe } from "node:test";
import { MemoryStateStore } from "../../../src/stores/memory/state_store.ts";
import { stateStoreSuite } from "../state_store_suite.ts";

describe("MemoryStateStore", () => {
  stateStoreSuite((bounds) => new MemoryStateStore(bounds));
});
