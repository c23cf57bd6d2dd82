import { isObject, type JsonObject } from "../mcp/json.ts";

/**
 * Reduces a client's capabilities to what a backend may be told: the three kinds of server request, each
 * in one canonical form, so that clients with equal abilities share a link and the number of links is
 * bounded by the number of forms.
 */
export function declaredCapabilities(client: JsonObject): JsonObject {
  const declared: JsonObject = {};
  const { elicitation, sampling, roots } = client;
  // `elicitation: {}` means form only (specification 2025-11-25, elicitation).
  if (isObject(elicitation)) {
    declared["elicitation"] = isObject(elicitation["url"]) ? { form: {}, url: {} } : {};
  }
  if (isObject(sampling)) declared["sampling"] = isObject(sampling["tools"]) ? { tools: {} } : {};
  if (isObject(roots)) declared["roots"] = {};
  return declared;
}

/** Everything we can bridge; declared on the link that reads the catalog, so that no tool hides from it. */
export const ALL_CAPABILITIES: JsonObject = {
  elicitation: { form: {}, url: {} },
  sampling: { tools: {} },
  roots: {},
};
