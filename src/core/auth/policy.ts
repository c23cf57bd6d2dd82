/**
 * Who sees and may call what. Lists and calls ask the same view, and its selection is made here: there is no
 * second place that could decide differently.
 */
import type { Config } from "../../contract/mod.ts";
import { compileSelection, EVERYTHING, type Selection } from "../catalog/selection.ts";
import type { Principal } from "./principal.ts";

/**
 * What a principal may see and call: the union of what its roles show, less whatever one of them denies, so
 * that a role that denies can be given to anybody without a look at their other roles. Without sign-in that
 * is everything; a role that is not defined shows nothing.
 */
export function selectionOf(
  { roles }: Pick<Principal, "roles">,
  config: Pick<Config, "roles" | "catalog">,
): Selection {
  if (roles === undefined) return EVERYTHING;
  const own = roles.map((name) => roleOf(config.roles, name))
    .filter((role) => role !== undefined)
    .map((role) => compileSelection(role, config.catalog));
  const denies = (exposed: string) => own.some((one) => one.denies(exposed));
  return {
    denies,
    shows: (kind, exposed) => own.some((one) => one.shows(kind, exposed)) && !denies(exposed),
    reaches: (backend) => own.some((one) => one.reaches(backend)),
  };
}

/** Names come from tokens: "constructor" must not reach the prototype. */
function roleOf(roles: Config["roles"], name: string): Config["roles"][string] | undefined {
  return Object.hasOwn(roles, name) ? roles[name] : undefined;
}
