import type { Config } from "../../contract/mod.ts";
import type { Backend } from "../backends/backend.ts";
import type { Catalog } from "../catalog/types.ts";

/**
 * Everything a call may look at, as one immutable snapshot. A call takes the world once and keeps it; a
 * changed catalog or configuration is a new world.
 */
export interface World {
  readonly revision: number;
  readonly config: Config;
  readonly catalog: Catalog;
  readonly backends: ReadonlyMap<string, Backend>;
}
