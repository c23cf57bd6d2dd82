import type { Telemetry } from "../../ports/telemetry.ts";
import type { Catalog } from "../catalog/types.ts";

type Change = "added" | "removed" | "definition";

/** Counts how the tools of known backends differ from one catalog to the next. */
export class CatalogChanges {
  readonly #telemetry: Telemetry;
  /** Hash by backend and exposed name. */
  #seen: ReadonlyMap<string, ReadonlyMap<string, string>> = new Map();

  constructor(telemetry: Telemetry) {
    this.#telemetry = telemetry;
  }

  /** A catalog was put in force. */
  look(catalog: Catalog): void {
    const found = hashesOf(catalog);
    for (const [backend, before] of this.#seen) {
      if (!Object.hasOwn(catalog.perBackend, backend)) continue;
      const now = found.get(backend) ?? new Map<string, string>();
      this.#compare(backend, before, now);
      // It stays known without tools, so that they count when they come back.
      found.set(backend, now);
    }
    this.#seen = found;
  }

  #compare(
    backend: string,
    before: ReadonlyMap<string, string>,
    now: ReadonlyMap<string, string>,
  ): void {
    const names = [...now.keys()];
    const added = names.filter((name) => !before.has(name)).length;
    const removed = [...before.keys()].filter((name) => !now.has(name)).length;
    const kept = names.filter((name) => before.has(name));
    this.#count(backend, "added", added);
    this.#count(backend, "removed", removed);
    const changed = kept.filter((name) => before.get(name) !== now.get(name));
    this.#count(backend, "definition", changed.length);
  }

  #count(backend: string, change: Change, count: number): void {
    const labels = { sentinel_backend: backend, change };
    this.#telemetry.series("sentinel_catalog_changes_total", labels).add(count);
  }
}

function hashesOf({ entries }: Catalog): Map<string, Map<string, string>> {
  const hashes = new Map<string, Map<string, string>>();
  for (const { target, hash } of entries.tool) {
    const own = hashes.get(target.backend) ?? new Map<string, string>();
    hashes.set(target.backend, own.set(target.exposed, hash));
  }
  return hashes;
}
