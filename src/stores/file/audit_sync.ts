/** Brings what is written onto the disk, beside the event loop. */
import { open } from "node:fs/promises";

/** Runs one work at a time; all that come while one runs share the next. */
export class GroupedWork {
  readonly #work: () => Promise<void>;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(work: () => Promise<void>) {
    this.#work = work;
  }

  /** Resolves when work that began after this call is done; rejects when it failed. */
  run(): Promise<void> {
    if (this.#next !== undefined) return this.#next;
    if (this.#running === undefined) return this.#start();
    const goOn = () => {
      this.#next = undefined;
      return this.#start();
    };
    this.#next = this.#running.then(goOn, goOn);
    return this.#next;
  }

  #start(): Promise<void> {
    this.#running = this.#work().finally(() => this.#running = undefined);
    return this.#running;
  }
}

export async function syncFile(path: string): Promise<void> {
  const file = await open(path, "r+");
  try {
    await file.datasync();
  } finally {
    await file.close();
  }
}

/** So that files that are new in it are found again after a power cut. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
