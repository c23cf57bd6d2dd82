import type { Config } from "../../contract/mod.ts";
import type { World } from "./world.ts";

/** Something made from the configuration, once for each that comes in force. */
export function perConfig<Made>(
  runtime: { readonly world: World },
  make: (config: Config) => Made,
): () => Made {
  let { config } = runtime.world;
  let made = make(config);
  return () => {
    const current = runtime.world.config;
    if (current !== config) {
      made = make(current);
      config = current;
    }
    return made;
  };
}
