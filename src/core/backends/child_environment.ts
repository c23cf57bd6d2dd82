import type { BackendConfig } from "../../contract/mod.ts";
import type { Spawner } from "../../ports/process.ts";

/** The whole environment of a backend's process: what `inherit_env` names, then `env`. */
export function childEnvironment(
  { inherit_env, env }: Pick<BackendConfig, "inherit_env" | "env">,
  spawner: Pick<Spawner, "inherited">,
): Record<string, string> {
  const inherited = inherit_env.flatMap((name) => {
    const value = spawner.inherited(name);
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(inherited), ...env };
}
