/** Who calls, on its way from one replica to another. */
import type { Principal } from "../auth/principal.ts";
import { isObject, type JsonObject } from "../mcp/json.ts";

export function principalFacts(principal: Principal): JsonObject {
  return { ...principal };
}

/** Undefined for what is none. */
export function principalOf(facts: unknown): Principal | undefined {
  if (!isObject(facts)) return undefined;
  const { id, subject, issuer, roles, roleKey, expiresAt } = facts;
  if (typeof id !== "string" || typeof subject !== "string" || typeof roleKey !== "string") {
    return undefined;
  }
  if (roles !== undefined && !isTexts(roles)) return undefined;
  return {
    id,
    subject,
    roles,
    roleKey,
    ...(typeof issuer === "string" ? { issuer } : {}),
    ...(typeof expiresAt === "number" ? { expiresAt } : {}),
  };
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === "string");
}
