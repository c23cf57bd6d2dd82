import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { EndedRun } from "../../ports/audit.ts";

const OWNER_ONLY = 0o600;

/** Which run ended last and left nothing: the next one names it, so that a tail that is cut off shows. */
export class EndedFile {
  readonly #path: string;

  /** @param folder of all runs */
  constructor(folder: string) {
    this.#path = join(folder, "ended.json");
  }

  /** Undefined when there is none, or none that can be read: it only helps. */
  read(): EndedRun | undefined {
    try {
      const { instance, last } = JSON.parse(readFileSync(this.#path, "utf8")) as EndedRun;
      return typeof instance === "string" && Number.isSafeInteger(last)
        ? { instance, last }
        : undefined;
    } catch {
      return undefined;
    }
  }

  write(run: EndedRun): void {
    const next = `${this.#path}.${run.instance}`;
    try {
      writeFileSync(next, `${JSON.stringify(run)}\n`, { mode: OWNER_ONLY });
      renameSync(next, this.#path);
    } catch {
      // The rows are delivered; only the end of this run is not proven by the next.
    }
  }
}
