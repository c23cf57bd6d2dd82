import type { Principal } from "../auth/principal.ts";
import type { View } from "./types.ts";

/** For all toolsets and role sets of one catalog; a view that was dropped is made again when it is needed. */
const MAX_VIEWS = 256;

/** What views differ by. */
export interface ViewKey {
  readonly toolset: string | undefined;
  readonly principal: Pick<Principal, "roles" | "roleKey">;
}

interface Kept {
  readonly view: View;
  readonly roles: string | undefined;
  /** When it was last asked for, as a count of all questions. */
  usedAt: number;
}

/** Views by toolset and role set. Each call asks here once, so a hit neither moves nor builds anything. */
export class ViewCache {
  readonly #toolsets = new Map<string | undefined, Map<string | undefined, Kept>>();
  #size = 0;
  #questions = 0;

  get(toolset: ViewKey["toolset"], principal: ViewKey["principal"]): View | undefined {
    const kept = this.#toolsets.get(toolset)?.get(rolesOf(principal));
    if (kept === undefined) return undefined;
    kept.usedAt = ++this.#questions;
    return kept.view;
  }

  /** Keeps the view and drops the one not asked for longest when there are too many. */
  add({ toolset, principal }: ViewKey, view: View): void {
    if (this.#size >= MAX_VIEWS) this.#dropOldest();
    const roles = rolesOf(principal);
    const views = this.#toolsets.get(toolset) ?? new Map<string | undefined, Kept>();
    this.#toolsets.set(toolset, views.set(roles, { view, roles, usedAt: ++this.#questions }));
    this.#size++;
  }

  #dropOldest(): void {
    let oldest: { views: Map<string | undefined, Kept>; kept: Kept } | undefined;
    for (const views of this.#toolsets.values()) {
      for (const kept of views.values()) {
        if (oldest === undefined || kept.usedAt < oldest.kept.usedAt) oldest = { views, kept };
      }
    }
    if (oldest === undefined) return;
    oldest.views.delete(oldest.kept.roles);
    this.#size--;
  }
}

/** No roles at all is not the same as no sign-in. */
function rolesOf({ roles, roleKey }: ViewKey["principal"]): string | undefined {
  return roles === undefined ? undefined : roleKey;
}
