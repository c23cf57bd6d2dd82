/** What outlives a gateway: its state and its journal, in the folder of its configuration. */
import { join } from "node:path";
import type { Journal } from "../ports/journal.ts";
import type { StateStore } from "../ports/state_store.ts";
import { gatewayFolder, type GatewayIdentity } from "./state_folder.ts";

export interface Stores {
  /** Of the gateway; undefined when everything is in memory. */
  readonly folder: string | undefined;
  readonly state: StateStore;
  readonly journal: Journal;
  close(): void;
}

/**
 * Opens both; without a folder they are kept in memory.
 * @throws SentinelError that says what to do when they cannot be used
 */
export async function openStores(
  stateDir: string | undefined,
  identity: GatewayIdentity,
): Promise<Stores> {
  if (stateDir === undefined) return await openMemory();
  const folder = gatewayFolder(stateDir, identity);
  const { openSqliteState } = await import("../stores/sqlite/state_store.ts");
  const { FileJournal } = await import("../stores/file/journal.ts");
  const state = openSqliteState(join(folder, "state.sqlite"));
  try {
    return pair(folder, state, new FileJournal(join(folder, "journal.ndjson")));
  } catch (thrown) {
    state.close();
    throw thrown;
  }
}

async function openMemory(): Promise<Stores> {
  const { MemoryStateStore } = await import("../stores/memory/state_store.ts");
  const { MemoryJournal } = await import("../stores/memory/journal.ts");
  return pair(undefined, new MemoryStateStore(), new MemoryJournal());
}

function pair(folder: string | undefined, state: StateStore, journal: Journal): Stores {
  return {
    folder,
    state,
    journal,
    close: () => {
      journal.close();
      state.close();
    },
  };
}
