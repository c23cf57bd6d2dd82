import type { Session } from "../session/session.ts";
import type { World } from "./world.ts";

/** Why a session has nothing to go on with in this world; undefined when it has. */
export function orphanedBy(session: Session, { catalog, config }: World): string | undefined {
  const { toolset, principal } = session;
  if (catalog.view(toolset, principal) === undefined) return `toolset "${toolset}" was removed`;
  const { issuer } = principal;
  if (issuer === undefined || config.auth.jwt.some((entry) => entry.issuer === issuer)) return;
  return `issuer "${issuer}" was removed`;
}
