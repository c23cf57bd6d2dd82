import type { Caller } from "../session/caller.ts";
import type { World } from "./world.ts";

/** Why a session or a listen has nothing to go on with in this world; undefined when it has. */
export function orphanedBy(
  { toolset, principal }: Pick<Caller, "toolset" | "principal">,
  { catalog, config }: World,
): string | undefined {
  if (catalog.view(toolset, principal) === undefined) return `toolset "${toolset}" was removed`;
  const { issuer } = principal;
  if (issuer === undefined || config.auth.jwt.some((entry) => entry.issuer === issuer)) return;
  return `issuer "${issuer}" was removed`;
}
