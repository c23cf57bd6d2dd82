/** Says once what was found in each definition, within a bound. */
import type { Log } from "../../ports/log.ts";
import type { Catalog } from "./types.ts";

/** Definitions told one by one for one catalog; the rest is counted. */
const MAX_TOLD = 20;

export class Suspicions {
  readonly #log: Log;
  /** What was told of each definition that still has findings. */
  #told: ReadonlyMap<string, string> = new Map();

  constructor(log: Log) {
    this.#log = log;
  }

  /** A catalog was made. */
  look({ findings }: Catalog): void {
    const now = new Map<string, string>();
    let count = 0;
    for (const [{ backend, kind, original, exposed }, found] of findings) {
      const key = `${backend}/${kind}/${original}`;
      const text = JSON.stringify(found);
      now.set(key, text);
      if (this.#told.get(key) === text || ++count > MAX_TOLD) continue;
      this.#log.write("definition.suspicious", { backend, kind, name: exposed, findings: found });
    }
    if (count > MAX_TOLD) this.#log.write("definition.suspicious", { more: count - MAX_TOLD });
    this.#told = now;
  }
}
