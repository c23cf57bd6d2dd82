/** Who loses a session or a listen by another configuration. */
import type { Config } from "../../contract/mod.ts";
import type { Principal } from "../auth/principal.ts";
import type { Caller } from "../session/caller.ts";
import type { World } from "./world.ts";

type Who = Pick<Caller, "toolset" | "principal">;

/** Why a session or a listen has nothing to go on with in this world; undefined when it has. */
export function orphanedBy(
  { toolset, principal }: Who,
  before: Config,
  { catalog, config }: World,
): string | undefined {
  if (catalog.view(toolset, principal) === undefined) return `toolset "${toolset}" was removed`;
  const { issuer } = principal;
  if (issuer !== undefined && entryOf(issuer, config) === undefined) {
    return `issuer "${issuer}" was removed`;
  }
  const isShut = maySee(principal, before) && !maySee(principal, config);
  return isShut ? "its roles show nothing any more" : undefined;
}

/** Why another configuration may judge the token otherwise; undefined when it cannot. */
export function signInChanged(
  { issuer }: Principal,
  before: Config,
  after: Config,
): string | undefined {
  if (issuer === undefined) return undefined;
  const same = JSON.stringify(entryOf(issuer, before)) === JSON.stringify(entryOf(issuer, after)) &&
    isSameSet(Object.keys(before.roles), Object.keys(after.roles));
  return same ? undefined : "how it signs in was changed";
}

/** By the patterns alone: what is only not there yet, or not any more, comes and goes without a reload. */
function maySee({ roles }: Principal, config: Config): boolean {
  if (roles === undefined) return true;
  const own = roles.flatMap((name) =>
    Object.hasOwn(config.roles, name) ? [config.roles[name] as Config["roles"][string]] : []
  );
  return own.some(({ tools, prompts, resources }) =>
    [tools, prompts, resources].some(({ length }) => length > 0)
  ) && !own.some(({ deny }) => deny.includes("*"));
}

/** The first entry of an issuer is the one that is used. */
function entryOf(issuer: string, { auth }: Config): Config["auth"]["jwt"][number] | undefined {
  return auth.jwt.find((entry) => entry.issuer === issuer);
}

function isSameSet(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && new Set([...one, ...other]).size === one.length;
}
