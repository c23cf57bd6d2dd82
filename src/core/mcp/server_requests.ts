import { isObject, type JsonObject } from "./json.ts";

/** Requests a server may send to a client, with the capability each needs. */
const SERVER_REQUESTS: Readonly<Record<string, string>> = {
  "elicitation/create": "elicitation",
  "sampling/createMessage": "sampling",
  "roots/list": "roots",
};

/** True when whoever declared `capabilities` can be sent this request. */
export function canAnswer(capabilities: JsonObject, method: string): boolean {
  const capability = SERVER_REQUESTS[method];
  return capability !== undefined && isObject(capabilities[capability]);
}
