/**
 * Who a run belongs to: the process that holds a lock on the file `owner` in its folder. The system lets go of it
 * when the process ends, however it ends, and it holds between containers too, where process ids say nothing.
 * The runtimes offer no lock on files, so it is SQLite's.
 */
import { closeSync, lstatSync, openSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** How long others may look at a run that was just made, and at one that is taken over. */
const NEW_MS = 1000;
const LEFT_MS = 100;

export interface Owner {
  release(): void;
}

/** Kept from the garbage collector, which would close them and so let go of their locks. */
const held = new Set<DatabaseSync>();

/** Makes the file and takes it. */
export function ownNew(folder: string): Owner {
  const path = join(folder, "owner");
  // Only here: closing any descriptor of the file later would drop the lock.
  closeSync(openSync(path, "wx", 0o600));
  return locked(path, NEW_MS);
}

/** Takes the run of a process that has ended; undefined when it has not, or the run is gone. */
export function ownLeft(folder: string): Owner | undefined {
  const path = join(folder, "owner");
  if (!isFile(path)) return undefined;
  let owner: Owner;
  try {
    owner = locked(path, LEFT_MS);
  } catch (error) {
    if (/locked|unable to open/.test(String(error))) return undefined;
    throw error;
  }
  if (isFile(path)) return owner;
  owner.release();
  return undefined;
}

function locked(path: string, waitMs: number): Owner {
  const database = new DatabaseSync(path, { timeout: waitMs });
  try {
    database.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    throw error;
  }
  held.add(database);
  return {
    release() {
      if (held.delete(database)) database.close();
    },
  };
}

/** Not a link to one. */
function isFile(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isFile() === true;
}
