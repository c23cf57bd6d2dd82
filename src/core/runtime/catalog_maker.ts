/** Makes the catalog of what all backends offer, and says what is new in it. */
import type { Config, RefusedItem } from "../../contract/mod.ts";
import type { Log } from "../../ports/log.ts";
import type { Backend } from "../backends/backend.ts";
import { buildCatalog } from "../catalog/catalog.ts";
import type { Pins } from "../catalog/pins.ts";
import { Suspicions } from "../catalog/suspicions.ts";
import type { Catalog } from "../catalog/types.ts";

export class CatalogMaker {
  readonly #pins: Pins;
  readonly #suspicions: Suspicions;
  readonly #version: string;

  /** `version`: of the gateway. */
  constructor(pins: Pins, { log, version }: { readonly log: Log; readonly version: string }) {
    this.#pins = pins;
    this.#suspicions = new Suspicions(log);
    this.#version = version;
  }

  /** Judges what the enabled backends offer, and merges it. */
  make(config: Config, backends: Iterable<Backend>, previous?: Catalog): Catalog {
    const enabled = [...backends].filter((backend) => backend.config.enabled);
    const held = this.#pins.judge(enabled.flatMap(({ name, config: own, found }) => {
      const reaction = own.on_change ?? config.catalog.on_change;
      return found === undefined ? [] : [{ name, config: own, found, reaction }];
    }));
    const catalog = buildCatalog({
      catalog: config.catalog,
      serverName: config.server.name,
      version: this.#version,
      instructions: config.server.instructions,
      toolsets: config.toolsets,
      roles: config.roles,
      backends: enabled.map(({ name, config: own, found }) => ({
        name,
        config: own,
        found,
        held: held.get(name),
      })),
    }, previous);
    this.#suspicions.look(catalog);
    return catalog;
  }
}

/** A catalog with another revision was put in force. */
export function reportCatalog(log: Log, catalog: Catalog, previous: Catalog): void {
  log.write("catalog.changed", { revision: catalog.revision, tools: catalog.counts.tool });
  for (const refused of newlyRefused(catalog, previous)) {
    log.write("catalog.refused", { ...refused });
  }
  for (const warning of added(catalog.warnings, previous.warnings)) {
    log.write("catalog.warning", { warning });
  }
}

function added(now: readonly string[], before: readonly string[]): readonly string[] {
  return now.filter((text) => !before.includes(text));
}

function newlyRefused(catalog: Catalog, previous: Catalog): readonly RefusedItem[] {
  const known = new Set(previous.refused.map((item) => JSON.stringify(item)));
  return catalog.refused.filter((item) => !known.has(JSON.stringify(item)));
}
