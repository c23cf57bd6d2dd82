/** Claims of a development token beside the registered ones. */
import { CommandFailed, EXIT } from "./exit.ts";

type Claims = Record<string, unknown>;

export interface ClaimsRequest {
  /** Of the issuer: claim with the roles; dots lead into objects. */
  readonly rolesClaim: string;
  readonly roles: readonly string[];
  /** `name=value` each; a value that is JSON is taken as such. */
  readonly given: readonly string[];
}

/** Members that other options give, or that make no sense here. */
const TAKEN: ReadonlySet<string> = new Set(["iss", "aud", "sub", "iat", "exp"]);

/** @throws CommandFailed for a claim that cannot be written */
export function claimsOf({ rolesClaim, roles, given }: ClaimsRequest): Readonly<Claims> {
  const claims: Claims = {};
  for (const text of given) {
    const [name, value] = claimOf(text);
    define(claims, name, value);
  }
  if (roles.length === 0) return claims;
  const path = pathOf(rolesClaim);
  let place = claims;
  for (const name of path.slice(0, -1)) {
    if (!Object.hasOwn(place, name)) define(place, name, {});
    const inner = place[name];
    if (!isObject(inner)) throw inTheWay(rolesClaim, name);
    place = inner;
  }
  const last = path.at(-1) ?? rolesClaim;
  if (Object.hasOwn(place, last)) throw inTheWay(rolesClaim, last);
  define(place, last, [...roles]);
  return claims;
}

/** A name that is a URL has dots of its own; the gateway looks for the whole text first. */
function pathOf(claim: string): readonly string[] {
  return claim.includes("/") ? [claim] : claim.split(".");
}

function claimOf(text: string): [string, unknown] {
  const [, name, value = ""] = /^([^=]+)=([^]*)$/.exec(text) ?? [];
  if (name === undefined) {
    throw new CommandFailed(EXIT.usage, `--claim ${text}: write name=value`);
  }
  if (TAKEN.has(name)) {
    const hint = "the entry of the issuer, --subject and --expires give it";
    throw new CommandFailed(EXIT.usage, `--claim ${name} cannot be chosen`, hint);
  }
  return [name, valueOf(value)];
}

function valueOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** A plain assignment would set the prototype for `__proto__`. */
function define(place: Claims, name: string, value: unknown): void {
  Object.defineProperty(place, name, { value, enumerable: true, writable: true });
}

function isObject(value: unknown): value is Claims {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function inTheWay(rolesClaim: string, name: string): CommandFailed {
  const message = `the roles go into the claim ${rolesClaim}, and --claim gives ${name}`;
  return new CommandFailed(EXIT.usage, message, "leave one of them out");
}
